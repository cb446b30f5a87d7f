"""What a soak has to show, judged from what the cameras saw, what was done to them, and what was stored.

A camera counts as up from its reader's request to play, as the server saw it, and not during what was injected: no
word of the program itself is taken for it. What the program loses by a fault of its own is therefore owed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.evidence import verify_package
from pipeline.soak.faults import Injection
from pipeline.soak.growth import WARM_UP, longest_life, slope
from pipeline.soak.memory import Sample
from pipeline.soak.scenes import Shown
from pipeline.sources.rtsp import FIRST_WAIT, LONGEST_WAIT
from pipeline.store import Repository
from pipeline.store.records import ViolationSummary

LEAD = 1.0
"""Seconds before a fault in which nothing is owed: the server sends up to half a second ahead."""

SETTLE = 4.0
"""Seconds after a request to play, or after a fault that broke no connection, in which nothing is owed: key frames are
two seconds apart, and the decoder begins with one."""

LEEWAY = 2.0
"""Seconds by which a violation may begin before its incident or after its end and still be it."""

OPENING = 5.0
"""Seconds that opening a connection may take beside the wait before it."""

STALL = 10.0
"""Seconds after which a reader gives up a server that says nothing."""

START = 60.0
"""Seconds from the program's start to the last camera's request to play."""

STOP = 10.0
GROWTH = 1.0
"""MB an hour."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One check; `passed` is None when the run could not show it either way."""

    check: str
    passed: bool | None
    found: str


@dataclass(slots=True)
class Observed:
    """All that the judgement looks at. Times are Unix time; `plays` are the requests to play of each camera."""

    shown: Sequence[Shown]
    stored: Sequence[ViolationSummary]
    injections: Sequence[Injection]
    plays: Mapping[str, Sequence[float]]
    memory: Sequence[Sample]
    ended: float
    starts: Sequence[float]
    ended_alone: Sequence[str]
    stop_seconds: float
    stop_status: int | None
    left_behind: int
    packages: Sequence[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """What was done and measured, to look into a verdict."""
        return {
            "injections": [asdict(one) for one in self.injections],
            "plays": self.plays,
            "memory": [asdict(one) for one in self.memory],
            "starts": self.starts,
            "ended": self.ended,
            "shown": [asdict(one) for one in self.shown],
            "stored": [
                {"camera": one.camera, "kind": one.kind, "where": one.zone, "start": one.start.timestamp()}
                for one in self.stored
            ],
        }


def judge(found: Observed) -> list[Verdict]:
    """Every check of a soak, in the order of what matters most."""
    return [
        *violations_verdicts(found),
        readers_verdict(found),
        Verdict(
            "every violation has a whole evidence package",
            not found.packages,
            f"{len(found.packages)} of {len(found.stored)} have not"
            + "".join(f"; {one}" for one in found.packages[:3]),
        ),
        memory_verdict(found.memory),
        Verdict(
            f"stops within {STOP:g} s of SIGTERM",
            found.stop_status == 0 and found.stop_seconds <= STOP,
            f"{found.stop_seconds:.1f} s, exit status {found.stop_status}",
        ),
        Verdict(
            "never ends by itself, leaves no process behind",
            not found.ended_alone and not found.left_behind,
            f"{len(found.ended_alone)} ends by itself {', '.join(found.ended_alone)}; {found.left_behind} left behind",
        ),
    ]


def violations_verdicts(found: Observed) -> list[Verdict]:
    outages = {camera: list(outages_of(camera, found)) for camera in found.plays}
    matched, strangers = match(found.shown, found.stored)
    owed = [one for one in found.shown if not _overlaps(one, outages.get(one.camera, [(-math.inf, math.inf)]))]
    missing = [one for one in owed if not matched[one]]
    doubled = [one for one in owed if matched[one] > 1]
    cut = [one for one in set(found.shown) - set(owed) if one.end > found.starts[0] and one.start < found.ended]
    text = (
        f"{len(owed)} shown, {len(owed) - len(missing) - len(doubled)} stored once, {len(missing)} missing, "
        f"{len(doubled)} doubled; {sum(matched[one] > 0 for one in cut)} stored of {len(cut)} cut by a fault or the end"
    )
    examples = [
        *(f"; missing {_named(one)}" for one in missing[:3]),
        *(f"; twice {_named(one)}" for one in doubled[:3]),
    ]
    return [
        Verdict(
            "each violation shown while its camera was up is stored exactly once",
            (not missing and not doubled) if owed else None,
            text + "".join(examples),
        ),
        Verdict(
            "nothing is stored that was not shown",
            not strangers,
            f"{len(strangers)} of {len(found.stored)}"
            + "".join(f"; {one.kind} on {one.camera} at {one.start:%H:%M:%S}" for one in strangers[:3]),
        ),
    ]


def match(shown: Sequence[Shown], stored: Sequence[ViolationSummary]) -> tuple[Counter[Shown], list[ViolationSummary]]:
    """How often each incident was stored, and what belongs to none."""
    counted: Counter[Shown] = Counter()
    strangers = []
    for violation in stored:
        begin = violation.start.timestamp()
        candidates = [
            one
            for one in shown
            if (one.camera, one.kind, one.where) == (violation.camera, violation.kind, violation.zone)
            and one.start - LEEWAY <= begin <= one.end + LEEWAY
        ]
        if candidates:
            counted[min(candidates, key=lambda one: abs(begin - (one.start + one.end) / 2))] += 1
        else:
            strangers.append(violation)
    return counted, strangers


def outages_of(camera: str, found: Observed) -> Iterable[tuple[float, float]]:
    """When nothing is owed of a camera."""
    plays = found.plays[camera]
    yield -math.inf, min(plays, default=math.inf) + SETTLE
    yield found.ended - LEAD, math.inf
    for injection in found.injections:
        if camera in injection.effect.blinded:
            latest = injection.end + come_back_limit(injection)
            after = [time for time in plays if injection.begin <= time <= latest]
            back = max(after) if after else latest if injection.effect.reconnects else injection.end
            yield injection.begin - LEAD, max(back, injection.end) + SETTLE


def come_back_limit(injection: Injection) -> float:
    """Seconds after the end of a fault in which a reader has to ask to play again: twice its longest wait.

    Waits double from the first and are shortened by up to half, which bounds how long they can have become.
    """
    if injection.fault in ("program killed", "everything killed"):
        return START
    down = injection.end - injection.begin
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** math.floor(math.log2(2 * down / FIRST_WAIT + 1)))
    return 2.0 * wait + OPENING + (STALL if injection.effect.silent else 0.0)


def readers_verdict(found: Observed) -> Verdict:
    """Whether each reader came back in time; a fault that hit it again meanwhile leaves the first unjudged.

    It is back when it asks to play again or, where its connection outlived the fault, when what the camera then showed
    is found: that cannot be stored without pictures.
    """
    longest, judged = 0.0, 0
    late: list[str] = []
    seen: dict[str, list[float]] = {}
    for one in found.stored:
        seen.setdefault(one.camera, []).append(one.start.timestamp())
    cuts = [injection for injection in found.injections if injection.effect.reconnects]
    for number, injection in enumerate(cuts):
        limit = come_back_limit(injection)
        for camera in injection.effect.blinded:
            again = (later.begin for later in cuts[number + 1 :] if camera in later.effect.blinded)
            signs = [*found.plays[camera], *seen.get(camera, ())]
            back = min((time for time in signs if time >= injection.end), default=math.inf)
            if next(again, math.inf) < min(back, injection.end + limit):
                continue
            judged += 1
            waited = back - injection.end
            if waited > limit:
                late.append(f"{camera} after '{injection.fault}' {waited:.0f} s, allowed {limit:.0f} s")
            else:
                longest = max(longest, waited)
    return Verdict(
        "no reader stays down longer than twice its backoff",
        (not late) if judged else None,
        f"{judged} returns, the longest {longest:.1f} s" + "".join(f"; {one}" for one in late[:3]),
    )


def memory_verdict(samples: Sequence[Sample]) -> Verdict:
    check = f"memory grows by at most {GROWTH:g} MB an hour after warm-up"
    life, filling = longest_life(samples)
    found = slope(life)
    if found is None:
        text = f"no 3 minutes without a restart after {WARM_UP / 60:g} minutes of warm-up; run longer"
        return Verdict(check, None, text)
    explained = filling / (found.seconds / 3600)
    passed = True if found.per_hour <= GROWTH else False if found.low > GROWTH + explained else None
    text = (
        f"{found.per_hour:+.1f} MB an hour (95 % {found.low:+.1f} to {found.high:+.1f}) "
        f"over {found.seconds / 60:.0f} min at {found.level:.0f} MB, {_video(life)} of it video for clips; "
        f"{_readers(life)} reader processes"
    )
    return Verdict(check, passed, text + ("; run longer to tell" if passed is None else ""))


def _video(samples: Sequence[Sample]) -> str:
    held = [one.video / 1e6 for one in samples]
    return f"{min(held):.0f} to {max(held):.0f} MB"


def _readers(samples: Sequence[Sample]) -> str:
    counts = [len(one.others) for one in samples]
    return str(counts[0]) if len(set(counts)) == 1 else f"{min(counts)} to {max(counts)}"


def stored_violations(repository: Repository) -> list[ViolationSummary]:
    found: list[ViolationSummary] = []
    cursor = None
    while True:
        page = repository.violations(sort="start", cursor=cursor, limit=200)
        found += page.items
        if (cursor := page.next) is None:
            return found


def package_faults(repository: Repository, stored: Iterable[ViolationSummary], root: Path) -> list[str]:
    """What is wrong with the evidence of each violation that lacks a whole package."""
    faults = []
    for violation in stored:
        evidence = repository.evidence(violation.id)
        if evidence is None or not evidence.complete:
            reason = "no package" if evidence is None else f"incomplete: {evidence.note}"
            faults.append(f"{_label(violation)}: {reason}")
        elif found := verify_package(root / evidence.folder):
            faults.append(f"{_label(violation)}: {found[0]}")
    return faults


def _label(violation: ViolationSummary) -> str:
    return f"{violation.kind} on {violation.camera} at {violation.start:%H:%M:%S}"


def _named(one: Shown) -> str:
    return f"{one.kind} on {one.camera} at {datetime.fromtimestamp(one.start, UTC):%H:%M:%S}"


def _overlaps(one: Shown, outages: Iterable[tuple[float, float]]) -> bool:
    return any(begin < one.end and one.start < end for begin, end in outages)
