"""Makes the viewing copies of clips that no browser plays, one after the other, while nobody waits for it."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from urllib.parse import unquote

import structlog

from pipeline.errors import EvidenceError
from pipeline.evidence.preview import add_previews, lacking, pending, preview_name, put_aside, take_up
from pipeline.evidence.recovery import clear_unfinished
from pipeline.lanes import Lanes
from pipeline.paths import free_bytes
from pipeline.process import start_module
from pipeline.signing import Signer
from pipeline.spool import Outlet, Packed
from pipeline.stopping import Stop
from pipeline.types import EvidenceFile

log = structlog.get_logger()

LOOK_SECONDS = 2.0
LONGEST_SECONDS = 900.0
"""An encoder that takes longer is killed, and the package served without its preview."""
CLOSE_SECONDS = 1.0
ADDING_SECONDS = 30.0
"""How long a finished preview waits for the camera's lane."""


class Previews:
    """Puts into finished packages what browsers cannot do without; what is to do is read off the disk.

    Each is encoded in a process of its own, then put into its package in the camera's lane, where nothing else is
    writing the package. One that cannot be made is told in the log, and tried again once, by the next start: what is
    wrong with a clip stays so, but the disk may have been full. With less than `reserve` bytes on the disk, they wait.
    It ends when `stop` is set; the next start goes on. `waiting` counts those that are still to be made.
    """

    def __init__(
        self,
        root: Path,
        outlet: Outlet,
        lanes: Lanes,
        stop: Stop | None = None,
        *,
        reserve: int = 0,
        signer: Signer | None = None,
    ) -> None:
        self.waiting = 0
        self._root = root
        self._outlet = outlet
        self._lanes = lanes
        self._reserve = reserve
        self._signer = signer
        self._stop = stop or Stop()
        self._thread = threading.Thread(target=self._work, name="previews", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Leave the rest to the next start."""
        self._stop.join(self._thread, CLOSE_SECONDS)

    def make_due(self) -> None:
        """Make all that are due, until told to stop."""
        due = list(pending(self._root))
        self.waiting = len(due)
        for mark, folder in due:
            if self._stop.is_set() or free_bytes(self._root) < self._reserve:
                return
            try:
                if not self._make(folder, mark.parent):
                    return
            except (EvidenceError, OSError) as error:
                again = put_aside(mark)
                log.error("no preview", package=folder, error=str(error), again=again)
            else:
                mark.unlink(missing_ok=True)
            self.waiting -= 1

    def _work(self) -> None:
        take_up(self._root)
        while not self._stop.wait(LOOK_SECONDS):
            try:
                self.make_due()
            except Exception:  # whatever it is, the next look may succeed
                log.exception("previews")

    def _make(self, folder: str, drafts: Path) -> bool:
        """Make those of one package; False when told to stop before."""
        with TemporaryDirectory(prefix=".", dir=drafts) as place:
            made = {}
            clips = lacking(self._root, folder)
            for clip in clips:
                made[clip.name] = Path(place, preview_name(clip.name))
                if not encode(self._root / folder / clip.name, made[clip.name], self._stop):
                    return False
            return not made or self._add(folder, clips, made)

    def _add(self, folder: str, clips: Sequence[EvidenceFile], made: Mapping[str, Path]) -> bool:
        """Put them into the package; False when its camera's lane is held up."""

        def add() -> None:
            if lacking(self._root, folder) != clips:
                raise EvidenceError("the package was written anew meanwhile")
            evidence = add_previews(self._root, folder, made, self._signer)

            def settle() -> None:
                clear_unfinished(self._root, folder)

            if self._outlet.append(Packed(evidence), safe=settle):
                settle()

        try:
            self._lanes.lane(unquote(folder.split("/", maxsplit=1)[0])).call(add, ADDING_SECONDS)
        except TimeoutError:
            return False
        return True


def encode(clip: Path, preview: Path, stop: threading.Event) -> bool:
    """Encode one in a process of its own; False when told to stop before.

    Raises:
        EvidenceError: it failed, crashed or took too long.
    """
    process = start_module("pipeline.evidence.preview_encoder", str(clip), str(preview), stderr=subprocess.PIPE)
    deadline = monotonic() + LONGEST_SECONDS
    try:
        while True:
            try:
                _, told = process.communicate(timeout=0.1)
                break
            except subprocess.TimeoutExpired:
                if stop.is_set():
                    return False
                if monotonic() > deadline:
                    raise EvidenceError(f"{clip}: its preview took over {LONGEST_SECONDS:.0f} s") from None
    finally:
        process.kill()
        process.wait()
    if process.returncode:
        why = told.decode(errors="replace").strip().splitlines()[-1:] or [f"ended with {process.returncode}"]
        raise EvidenceError(f"{clip}: no preview can be made: {why[0]}")
    return True
