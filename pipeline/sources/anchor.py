"""The moment at which a recording begins: given, in its file name, or in its container."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Literal

from pipeline.errors import AnchorError

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""Containers written without a clock carry 1904, 1970 or 1980; a time before this is no time."""

NAME = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)(?P<dash>[-_.]?)(?P<month>\d\d)(?P=dash)(?P<day>\d\d)"
    r"[T _-]{0,3}(?P<hour>\d\d)(?P<colon>[-_.:]?)(?P<minute>\d\d)(?P=colon)(?P<second>\d\d)"
    r"(?:[.,](?P<fraction>\d{1,6}))?(?P<zone>Z(?![A-Za-z])|[+-]\d\d:?\d\d(?!\d))?(?!\d)"
)
"""20240131_235959, 2024-01-31T23-59-59Z, 2024-01-31 23.59.59, 20240131T235959+0700 and their like."""

DIRECTIVES = {
    "Y": r"\d{4}",
    "y": r"\d\d",
    "m": r"\d{1,2}",
    "d": r"\d{1,2}",
    "H": r"\d{1,2}",
    "I": r"\d{1,2}",
    "p": r"[AaPp][Mm]",
    "M": r"\d{1,2}",
    "S": r"\d{1,2}",
    "f": r"\d{1,6}",
    "j": r"\d{1,3}",
    "b": r"[A-Za-z]{3}",
    "B": r"[A-Za-z]+",
    "z": r"(?:Z|[+-]\d\d:?\d\d)",
    "%": "%",
}
"""The strptime directives a file-name pattern may hold, and what each may match."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """When media time zero was, in UTC, and what said so."""

    time: datetime
    origin: Literal["start", "name", "container"]


def find_anchor(
    path: Path,
    metadata: Mapping[str, str],
    *,
    start: datetime | None = None,
    pattern: str | None = None,
    timezone: tzinfo = UTC,
) -> Anchor:
    """The first of: `start`, the time in the file's name, the creation time in the container's `metadata`.

    `pattern` is a strptime pattern that may match anywhere in the name; without one the usual forms are
    tried. A time without a zone is local time in `timezone`.

    Raises:
        AnchorError: there is none, or `pattern` is not a pattern of a whole date and time.
    """
    if start is not None:
        return Anchor(in_utc(start, timezone), "start")
    named = match_pattern(path.stem, pattern) if pattern else match_name(path.stem)
    if named is not None:
        return Anchor(in_utc(named, timezone), "name")
    created = creation_time(metadata)
    if created is not None:
        return Anchor(in_utc(created, timezone), "container")
    looked_for = f"its name does not match the pattern {pattern!r}" if pattern else "its name holds no date and time"
    raise AnchorError(
        f"{path}: cannot tell when this recording begins: {looked_for}, and its container holds no creation time. "
        "Give the start with --start 2024-01-31T23:59:59+07:00 or in streams.yaml, "
        "or name the file like 20240131_235959.mp4"
    )


def in_utc(time: datetime, timezone: tzinfo) -> datetime:
    """`time` in UTC; without a zone it is local time in `timezone`."""
    return (time if time.tzinfo else time.replace(tzinfo=timezone)).astimezone(UTC)


def match_name(name: str) -> datetime | None:
    """The first valid date and time in one of the usual forms, naive when the name has no zone."""
    for found in NAME.finditer(name):
        parts = [int(found[part]) for part in ("year", "month", "day", "hour", "minute", "second")]
        microseconds = int((found["fraction"] or "0").ljust(6, "0"))
        zone = datetime.strptime(found["zone"], "%z").tzinfo if found["zone"] else None
        try:
            return datetime(*parts, microseconds, tzinfo=zone)  # type: ignore[arg-type,misc]
        except ValueError:
            continue
    return None


def match_pattern(name: str, pattern: str) -> datetime | None:
    """The date and time where the strptime `pattern` first fits in `name`.

    Raises:
        AnchorError: the pattern has an unknown directive or does not give day and time.
    """
    for found in re.finditer(pattern_expression(pattern), name):
        try:
            return datetime.strptime(found[0], pattern)  # noqa: DTZ007 - the caller knows the site's zone
        except ValueError:
            continue
    return None


def pattern_expression(pattern: str) -> str:
    """A regular expression that fits where the strptime `pattern` may.

    Raises:
        AnchorError: the pattern has an unknown directive or does not give day and time.
    """
    expression = ""
    directives = set()
    for literal, directive in re.findall(r"([^%]+)|%(.?)", pattern):
        if literal:
            expression += re.escape(literal)
        elif directive in DIRECTIVES:
            expression += DIRECTIVES[directive]
            directives.add(directive)
        else:
            raise AnchorError(
                f"file-name pattern {pattern!r}: %{directive} is not known; allowed are "
                + ", ".join(f"%{known}" for known in DIRECTIVES)
            )
    has_day = directives & {"Y", "y"} and ("j" in directives or (directives & {"m", "b", "B"} and "d" in directives))
    has_time = (directives & {"H"} or directives >= {"I", "p"}) and "M" in directives
    if not (has_day and has_time):
        raise AnchorError(
            f"file-name pattern {pattern!r}: it must give year, month, day, hour and minute, as in '%Y%m%d_%H%M%S'"
        )
    return expression


def creation_time(metadata: Mapping[str, str]) -> datetime | None:
    """The creation time a container declares, None when there is none or its clock was not set."""
    for key, value in metadata.items():
        if key.lower() not in {"creation_time", "com.apple.quicktime.creationdate", "date"}:
            continue
        try:
            created = datetime.fromisoformat(value.strip())
        except ValueError:
            continue
        if len(value.strip()) > len("2024-01-31") and in_utc(created, UTC) >= EARLIEST:
            return created
    return None
