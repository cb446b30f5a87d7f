"""streams.yaml as it is changed at the desk: read, tried, written in one step, and kept in all its versions."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from pipeline.config.changes import Changes, compare
from pipeline.config.document import parse, parsed_once
from pipeline.config.loading import load_text, read_text
from pipeline.config.schema import Config
from pipeline.config.shown import difference
from pipeline.config.splice import Edit, spliced
from pipeline.config.yaml_text import SpliceError
from pipeline.errors import ConfigError, ConflictError, Problem
from pipeline.exchange import exchange
from pipeline.lock import LockFile

KEPT = 200
"""Versions that are kept; the oldest go first."""
STAMP = "%Y%m%dT%H%M%S%fZ"


@dataclass(frozen=True, slots=True)
class Revision:
    """The text of the file at one moment. `digest` is its SHA-256 in UTF-8, hexadecimal."""

    text: str
    digest: str

    @classmethod
    def of(cls, text: str) -> Revision:
        return cls(text, hashlib.sha256(text.encode()).hexdigest())

    @property
    def data(self) -> Mapping[str, Any]:
        """As plain values, `${…}` not filled in; empty when the file is not YAML or no mapping."""
        found = parse(self.text).data
        return found if isinstance(found, dict) else {}

    @property
    def cameras(self) -> list[dict[str, Any]]:
        """The entries of its cameras that are mappings."""
        found = self.data.get("cameras")
        return [camera for camera in found if isinstance(camera, dict)] if isinstance(found, list) else []


@dataclass(frozen=True, slots=True)
class Draft:
    """A revision that is not written yet: what it changes in the text, fit to be shown, and in the running program."""

    before: Revision
    after: Revision
    config: Config
    difference: tuple[str, ...]
    changes: Changes | None


@dataclass(frozen=True, slots=True)
class Version:
    """A revision that is kept; `actor` is who wrote it from the desk, "" for one that was found."""

    digest: str
    time: datetime
    actor: str
    path: Path


class Registration:
    """One streams.yaml. `versions` is the folder of its earlier revisions, which may hold passwords as the file does
    and is for this user alone. `models` and `environment` are as in `load`."""

    def __init__(
        self,
        path: Path,
        versions: Path,
        models: Mapping[str, Collection[str]] | None = None,
        environment: Mapping[str, str] | None = None,
        *,
        fixed: bool = False,
    ) -> None:
        self.path = path
        self._versions = versions
        self._models = models
        self._environment = environment
        self._fixed = fixed
        self._writing = threading.Lock()
        self._known: tuple[str, Config | None] = "", None

    @property
    def name(self) -> str:
        """The file, as the store names it in `configuration_loads`."""
        return str(self.path.absolute())

    @property
    def obstacle(self) -> str:
        """Why the file cannot be changed from here; "" when it can."""
        real = self.path.resolve()
        if self._fixed:
            return "this is the example that comes with the program"
        if not real.is_file():
            return "there is no such file on this machine"
        if not (os.access(real, os.W_OK) and os.access(real.parent, os.W_OK)):
            return "the server may not write to it and its folder"
        return ""

    def read(self) -> Revision:
        """The file as it is now. Raises ConfigError when it cannot be read."""
        return Revision.of(read_text(self.path))

    def config(self, revision: Revision) -> Config:
        """What the revision says. Raises ConfigError with every fault."""
        return load_text(revision.text, self.path, self._environment, self._models)

    def edited(self, before: Revision, make: Callable[[Mapping[str, Any]], Sequence[Edit]]) -> Draft:
        """A draft with the edits that `make` derives from the file's data.

        Raises:
            ConfigError: the edits cannot be made in this file, or what comes out is wrong; with every fault.
        """
        with parsed_once():
            try:
                text = spliced(before.text, make(before.data))
            except SpliceError as error:
                message = f"{error}; change it in the file itself"
                raise ConfigError([Problem(str(self.path), 0, 0, "", message)]) from None
            return self._draft(before, Revision.of(text))

    def draft(self, before: Revision, after: Revision) -> Draft:
        """From one revision to another. Raises ConfigError when `after` is wrong; `before` may be."""
        with parsed_once():
            return self._draft(before, after)

    def _draft(self, before: Revision, after: Revision) -> Draft:
        config = self.config(after)
        known, old = self._known
        if known != before.digest:
            old = None
            with suppress(ConfigError):
                old = self.config(before)
            self._known = before.digest, old
        changes = None if old is None else compare(old, config)
        return Draft(before, after, config, tuple(difference(before.text, after.text)), changes)

    def write(self, draft: Draft, actor: str) -> None:
        """Put the draft in the file's place, and keep both revisions.

        Raises:
            ConflictError: the file is no longer the one that the draft began from, or cannot be written.
        """
        with self._writing:
            try:
                self._exchange(draft, actor)
            except OSError as error:
                raise ConflictError(f"{self.path}: cannot be written: {error.strerror}") from None

    def versions(self) -> list[Version]:
        """Those that are kept, the newest first."""
        found = (_version(path) for path in self._versions.glob("*.yaml"))
        return sorted((version for version in found if version), key=lambda version: version.time, reverse=True)

    def version(self, digest: str) -> Revision | None:
        """A kept revision; None where there is none of that digest, or its file was altered."""
        for version in self.versions():
            if version.digest == digest:
                revision = Revision.of(version.path.read_text("utf-8"))
                return revision if revision.digest == digest else None
        return None

    def _exchange(self, draft: Draft, actor: str) -> None:
        self._versions.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = LockFile(self._versions / "lock")
        try:
            if lock.hold("registration"):
                raise ConflictError(f"{self.path} is being changed by another process; try again")
            self._keep(draft.before, "")
            self._keep(draft.after, actor)
            exchange(self.path, draft.after.text, lambda: self.read().digest == draft.before.digest)
        finally:
            lock.close()

    def _keep(self, revision: Revision, actor: str) -> None:
        versions = self.versions()
        if versions and versions[0].digest == revision.digest:
            return
        stamp = datetime.now(UTC).strftime(STAMP)
        path = self._versions / f"{stamp},{quote(actor, safe='')},{revision.digest}.yaml"
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "w", encoding="utf-8", newline="") as opened:
            opened.write(revision.text)
        for version in versions[KEPT - 1 :]:
            version.path.unlink(missing_ok=True)


def _version(path: Path) -> Version | None:
    stamp, _, rest = path.stem.partition(",")
    actor, _, digest = rest.partition(",")
    try:
        time = datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
    return Version(digest, time, unquote(actor), path)
