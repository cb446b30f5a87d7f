"""A small site with real evidence: a clip is encoded, read as a recording, and written by the evidence recorder."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import av
import cv2
import numpy as np
from pydantic import SecretStr

from api.auth.passwords import Passwords
from api.settings import Settings
from pipeline.access import AccessPolicy
from pipeline.evidence import EvidenceRecorder
from pipeline.frame import Frame, Image
from pipeline.signing import Signer
from pipeline.sources.recording import Recording
from pipeline.store import Repository, Role
from pipeline.store.records import CameraNow
from pipeline.types import CountSample, Findings, Trace, Violation
from tests.store.makers import NOON, plate, violation

PASSWORD = "a long enough secret"
HUE = ZoneInfo("Asia/Ho_Chi_Minh")
RATE, SECONDS, WIDTH, HEIGHT = 10, 4, 320, 180
KINDS = {
    "wrong_way": ("car", "northbound", {"distance_sizes": 2.4, "distance_m": 14.2, "duration_s": 1.9}),
    "crowd": ("person", "square", {"people": 23.0, "duration": 41.0, "density": 0.35}),
    "fire": ("fire", "", {"duration": 8.0, "delay": 1.2}),
}


@dataclass(frozen=True, slots=True)
class Site:
    settings: Settings
    violations: tuple[Violation, ...]

    def copied(self, folder: Path) -> Site:
        """The same site once more, to change. Nothing may have this one open, and all of it lies in one folder."""
        home = self.settings.evidence_root.parent
        shutil.copytree(home, folder)
        paths = {name: value for name, value in self.settings if isinstance(value, Path) and home in value.parents}
        moved: dict[str, object] = {name: folder / value.relative_to(home) for name, value in paths.items()}
        url = self.settings.database_url.get_secret_value().replace(str(home), str(folder))
        return replace(self, settings=self.settings.model_copy(update={**moved, "database_url": SecretStr(url)}))


def build(folder: Path, url: str, count: int = 3) -> Site:
    """Two cameras, `count` violations with evidence, plate reads, counts, and a user of every role."""
    root = folder / "evidence"
    signer = Signer.open(folder / "keys")
    with Repository.open(url) as repository:
        repository.record_camera("gate-1", "Cổng Ngọ Môn", 16.4677, 107.5792)
        repository.set_camera_states([CameraNow("gate-1", "live", last_frame=NOON, fps=5.0)])
        repository.record_camera("gate-2", "Cầu Trường Tiền")
        for role in Role:
            repository.create_user(role.value, password_hash(), role, must_change_password=False)
        clip = encode(folder / "clip.mp4")
        violations = [film(repository, root, clip, number, signer) for number in range(count)]
        samples = (CountSample("gate-2", "crowd", "square", NOON + timedelta(seconds=n), n, n / 10) for n in range(5))
        repository.save(Findings(plates=(plate(None, 900), plate("43A-678.90", 901)), counts=tuple(samples)))
    settings = Settings(
        database_url=SecretStr(url),
        evidence_root=root,
        plates_root=root / "plates",
        keys_root=folder / "keys",
        checkpoints=folder / "checkpoints.jsonl",
        copies_root=folder / "copies",
        timezone=HUE,
        site_name="Huế",
        access=AccessPolicy(sign_ins_per_minute=100_000, searches_per_minute=100_000, exports_per_minute=100_000),
    )
    return Site(settings, tuple(violations))


@cache
def password_hash() -> str:
    """Made once for all sites: it is slow by design."""
    return Passwords().hash(PASSWORD)


def film(repository: Repository, root: Path, clip: Path, number: int, signer: Signer | None = None) -> Violation:
    """Store one violation and write its package from the clip's own packets."""
    kind = list(KINDS)[number % len(KINDS)]
    label, zone, measures = KINDS[kind]
    start = NOON + timedelta(minutes=number)
    camera = f"gate-{number % 2 + 1}"
    recorder = EvidenceRecorder(camera, root, code_version="test", timezone=HUE, name=camera, signer=signer)
    frames = list(Recording(clip, camera, start=start - timedelta(seconds=1)).frames(recorder.packet))
    still = frames[RATE]
    read = plate(f"75A-{100 + number}.45", number, still.time, camera=camera, crop=crop(), final=True)
    found = violation(
        number,
        camera,
        start,
        kind=kind,
        rule=kind,
        label=label,
        zone=zone,
        measures=measures,
        peak=still.time,
        end=start + timedelta(seconds=2),
        confidence=0.6 + number % 4 / 10,
        still=still,
        boxes=((label, (40.0, 80.0, 130.0, 140.0)),),
        plate=read if kind == "wrong_way" else None,
    )
    found = with_time(found, still)
    repository.save(Findings((found,)))
    repository.attach(recorder.record(found))
    for evidence in (*recorder.advance(frames[-1].time), *recorder.finish()):
        repository.attach(evidence)
    return found


def with_time(found: Violation, still: Frame) -> Violation:
    boxes = tuple(replace(box, time=still.time) for box in found.trace.boxes)
    trace = found.trace
    return replace(found, trace=Trace(trace.predicates, boxes, trace.details, trace.models, trace.config_hash))


def encode(path: Path) -> Path:
    """A red car on a grey street, as H.264."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"g": str(RATE), "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for index in range(RATE * SECONDS):
            picture = av.VideoFrame.from_ndarray(street(index), format="bgr24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def street(index: int) -> Image:
    image = np.full((HEIGHT, WIDTH, 3), 110, np.uint8)
    image[:70] = (200, 180, 150)
    cv2.line(image, (0, 150), (WIDTH, 150), (230, 230, 230), 2)
    left = 20 + 3 * index
    cv2.rectangle(image, (left, 85), (left + 90, 135), (40, 40, 190), -1)
    return image


def crop() -> Image:
    image = np.full((24, 80, 3), 235, np.uint8)
    cv2.putText(image, "75A-100.45", (3, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (20, 20, 20), 1)
    return image
