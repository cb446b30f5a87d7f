"""Which cases train, which validate, which test: never two of one scene on both sides."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo


class Split(StrEnum):
    TRAIN = "train"
    VALIDATION = "val"
    TEST = "test"


SHARES: Mapping[Split, float] = {Split.TRAIN: 0.7, Split.VALIDATION: 0.15, Split.TEST: 0.15}


class SplitBy(StrEnum):
    """`camera` keeps all cases of a camera together: what is tested are scenes never seen. `time` keeps days together,
    the oldest for training: what is tested is later than all that was learned."""

    CAMERA = "camera"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Member:
    """A case as far as its split depends on it."""

    id: UUID
    camera: str
    start: datetime


def assign(members: Iterable[Member], by: SplitBy, zone: ZoneInfo) -> dict[UUID, Split]:
    """The split of each case. The same cases are split the same way every time."""
    members = list(members)
    if by is SplitBy.CAMERA:
        of_camera = _cameras(Counter(member.camera for member in members))
        return {member.id: of_camera[member.camera] for member in members}
    of_day = _days(Counter(_day(member, zone) for member in members))
    return {member.id: of_day[_day(member, zone)] for member in members}


def _cameras(cases: Mapping[str, int]) -> dict[str, Split]:
    """Camera by camera, the largest first, to the split that lacks most of its share."""
    total, given = sum(cases.values()), Counter[Split]()
    found = {}
    for camera in sorted(cases, key=lambda each: (-cases[each], hashlib.sha256(each.encode()).digest())):
        split = max(Split, key=lambda each: SHARES[each] * total - given[each])
        found[camera] = split
        given[split] += cases[camera]
    return found


def _days(cases: Mapping[date, int]) -> dict[date, Split]:
    """Day by day, from the oldest on: a day belongs where its middle case falls."""
    total, before = sum(cases.values()), 0
    found = {}
    for day in sorted(cases):
        middle = (before + cases[day] / 2) / total
        found[day] = Split.TRAIN if middle < SHARES[Split.TRAIN] else (
            Split.VALIDATION if middle < SHARES[Split.TRAIN] + SHARES[Split.VALIDATION] else Split.TEST
        )  # fmt: skip
        before += cases[day]
    return found


def _day(member: Member, zone: ZoneInfo) -> date:
    return member.start.astimezone(zone).date()
