"""Watchlists as they are changed at the desk and the command line: the files that streams.yaml names, in place."""

from __future__ import annotations

import csv
import hashlib
import io
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from pipeline.config.registration import Registration
from pipeline.config.splice import Append, Remove, spliced
from pipeline.config.yaml_text import SpliceError
from pipeline.errors import ConfigError, ConflictError, Problem, QueryError
from pipeline.exchange import exchange
from pipeline.lock import LockFile
from pipeline.plate_text import plate_key
from pipeline.watchlist import COLUMNS, WatchlistEntry, is_yaml, parse_watchlist, read_watchlist

MARK = "\ufeff"
"""What some programs begin a UTF-8 file with, and want to find again."""


@dataclass(frozen=True, slots=True)
class WatchlistRevision:
    """A watchlist as its file was at one moment. `digest` is the SHA-256 of the text."""

    text: str
    digest: str
    entries: tuple[WatchlistEntry, ...]


class WatchlistFile:
    """One watchlist, whose dates are days in the `zone`. A change names the digest of the revision that its maker has
    seen."""

    def __init__(self, path: Path, zone: tzinfo = UTC) -> None:
        self.path = path
        self._zone = zone
        self._changing = threading.Lock()
        self._known: WatchlistRevision | None = None

    def read(self) -> WatchlistRevision:
        """Raises ConfigError with every fault of the file."""
        text = read_watchlist(self.path)
        digest = hashlib.sha256(text.encode()).hexdigest()
        known = self._known
        if known is None or known.digest != digest:
            self._known = known = WatchlistRevision(text, digest, self._parsed(text))
        return known

    def add(self, entry: Mapping[str, str], digest: str | None = None) -> WatchlistEntry:
        """Add an entry, given as the file's columns have it; without a digest, to whatever the file holds.

        Raises:
            QueryError: the entry is wrong.
            ConflictError: the file has been changed meanwhile, holds this plate already, or cannot be written.
            ConfigError: the file is wrong, or not written in a way that lets it be added in place.
        """
        row = {column: value for column, value in entry.items() if value}
        new = _checked(row, self._zone)

        def change(before: WatchlistRevision) -> tuple[str, tuple[WatchlistEntry, ...]]:
            if known := _entry(before, new.plate):
                raise ConflictError(f"{new.plate} stands on {self.path.name} already: {known.reason}")
            return self._with(before.text, row), (*before.entries, new)

        return self._change(change, digest)[-1]

    def remove(self, plate: str, digest: str | None = None) -> WatchlistEntry:
        """Take away the entry of a plate, and tell what it was.

        Raises:
            QueryError: there is none.
            ConflictError, ConfigError: as `add` does.
        """
        gone: list[WatchlistEntry] = []

        def change(before: WatchlistRevision) -> tuple[str, tuple[WatchlistEntry, ...]]:
            entry = _entry(before, plate_key(plate))
            if entry is None:
                raise QueryError(f"{plate} does not stand on {self.path.name}")
            gone.append(entry)
            number = before.entries.index(entry)
            return self._without(before.text, number), before.entries[:number] + before.entries[number + 1 :]

        self._change(change, digest)
        return gone[0]

    def _change(
        self,
        change: Callable[[WatchlistRevision], tuple[str, tuple[WatchlistEntry, ...]]],
        digest: str | None,
    ) -> tuple[WatchlistEntry, ...]:
        try:
            with self._changing:
                lock = LockFile(self.path.resolve().parent / ".watchlists.lock")
                try:
                    if lock.hold(self.path.name):
                        raise ConflictError(f"{self.path} is being changed by another process; try again")
                    return self._exchange(change, digest)
                finally:
                    lock.close()
        except OSError as error:
            raise ConflictError(f"{self.path}: cannot be written: {error.strerror}") from None

    def _exchange(
        self,
        change: Callable[[WatchlistRevision], tuple[str, tuple[WatchlistEntry, ...]]],
        digest: str | None,
    ) -> tuple[WatchlistEntry, ...]:
        before = self.read()
        if digest is not None and digest != before.digest:
            raise ConflictError(f"{self.path.name} has been changed meanwhile; look at it again, then change it")
        text, wanted = change(before)
        if self._parsed(text) != wanted:
            raise self._unfit("it is not written in a way that lets this be changed in place")
        mark = MARK if self.path.read_bytes().startswith(MARK.encode()) else ""
        exchange(self.path, mark + text, lambda: self.read().digest == before.digest)
        return wanted

    def _with(self, text: str, row: Mapping[str, str]) -> str:
        if is_yaml(self.path):
            return self._spliced(text, Append((), dict(row)))
        rows = _rows(text)
        columns = [column.strip().lower() for column in rows[0]]
        rows[0] += [column for column in row if column not in columns]
        columns += [column for column in row if column not in columns]
        return _csv([*rows, [row.get(column, "") for column in columns]], _ending(text))

    def _without(self, text: str, number: int) -> str:
        if is_yaml(self.path):
            only = len(self._parsed(text)) == 1
            return "[]\n" if only else self._spliced(text, Remove((number,)))
        rows = _rows(text)
        entries = [place for place, row in enumerate(rows) if place and any(row)]
        del rows[entries[number]]
        return _csv(rows, _ending(text))

    def _spliced(self, text: str, edit: Append | Remove) -> str:
        try:
            return spliced(text, [edit])
        except SpliceError as error:
            raise self._unfit(str(error)) from None

    def _parsed(self, text: str) -> tuple[WatchlistEntry, ...]:
        return parse_watchlist(text, self.path, self._zone).entries

    def _unfit(self, reason: str) -> ConfigError:
        return ConfigError([Problem(str(self.path), 0, 0, "", f"{reason}; change it in the file itself")])


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A watchlist that streams.yaml names as `name`, for the rules of `cameras`."""

    name: str
    file: WatchlistFile
    cameras: tuple[str, ...]


class Watchlists:
    """The watchlists that a streams.yaml names, as it is now; `zone` is the site's."""

    def __init__(self, registration: Registration, zone: tzinfo = UTC) -> None:
        self._registration = registration
        self._zone = zone
        self._known: tuple[str, tuple[ListedFile, ...]] = ("", ())
        self._files: dict[str, WatchlistFile] = {}

    def all(self) -> tuple[ListedFile, ...]:
        """In the order of the file. Raises ConfigError when it cannot be read."""
        revision = self._registration.read()
        if self._known[0] != revision.digest:
            self._known = (revision.digest, tuple(self._listed(revision.cameras)))
        return self._known[1]

    def named(self, name: str) -> ListedFile | None:
        """The one that streams.yaml names so: no other file can be reached."""
        return next((listed for listed in self.all() if listed.name == name), None)

    def _listed(self, cameras: Sequence[Mapping[str, object]]) -> list[ListedFile]:
        watching: dict[str, list[str]] = {}
        for camera in cameras:
            rules = camera.get("rules")
            for rule in rules if isinstance(rules, list) else ():
                name = rule.get("watchlist") if isinstance(rule, dict) else None
                if isinstance(name, str):
                    watching.setdefault(name, []).append(str(camera.get("id")))
        folder = self._registration.path.parent
        files = {name: self._files.setdefault(name, WatchlistFile(folder / name, self._zone)) for name in watching}
        return [ListedFile(name, files[name], tuple(dict.fromkeys(ids))) for name, ids in watching.items()]


def new_row(
    plate: str, reason: str, *, expires: datetime | None, distance: float | None, added: datetime, added_by: str
) -> dict[str, str]:
    """An entry as the columns of a file have it."""
    return {
        "plate": plate.strip(),
        "reason": " ".join(reason.split()),
        "expires": "" if expires is None else expires.isoformat(),
        "distance": "" if distance is None else f"{distance:g}",
        "added": added.isoformat(timespec="seconds"),
        "added_by": added_by,
    }


def _checked(row: Mapping[str, str], zone: tzinfo) -> WatchlistEntry:
    """Raises QueryError with every fault of the entry."""
    try:
        rows = [COLUMNS, [row.get(column, "") for column in COLUMNS]]
        (entry,) = parse_watchlist(_csv(rows, "\n"), Path("entry.csv"), zone).entries
    except ConfigError as error:
        raise QueryError("; ".join(f"{fault.field}: {fault.message}".strip(": ") for fault in error.problems)) from None
    return entry


def _entry(revision: WatchlistRevision, plate: str) -> WatchlistEntry | None:
    return next((entry for entry in revision.entries if entry.plate == plate), None)


def _rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text), skipinitialspace=True))


def _csv(rows: Sequence[Sequence[str]], ending: str) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator=ending).writerows(rows)
    return written.getvalue()


def _ending(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
