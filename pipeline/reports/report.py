"""A report: violations of a period by when, where, what and outcome, beside those of the period before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from pipeline.feedback import CONFIRMED, wilson
from pipeline.periods import Period, Slice
from pipeline.review import UNDECIDED, RejectionReason, State
from pipeline.store import Repository, ViolationFilter
from pipeline.store.records import CameraStatus
from pipeline.store.report_records import CaseCount, ReportCounts


@dataclass(slots=True)
class Tally:
    """Violations by what became of them. Forwarded and closed cases are accepted ones that went further."""

    violations: int = 0
    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0
    undecided: int = 0

    def add(self, state: State, number: int) -> None:
        self.violations += number
        if state in CONFIRMED:
            self.accepted += number
        elif state is State.REJECTED:
            self.rejected += number
        elif state in UNDECIDED:
            self.undecided += number
        else:
            self.duplicates += number

    @property
    def acceptance(self) -> float | None:
        """The accepted part of those that were accepted or rejected; None when none was."""
        decided = self.accepted + self.rejected
        return self.accepted / decided if decided else None

    @property
    def acceptance_bounds(self) -> tuple[float, float]:
        """Its bounds with 95 % confidence."""
        return wilson(self.accepted, self.accepted + self.rejected)


@dataclass(slots=True)
class Line:
    """One camera, kind or part of the city. `key` is its id, "" for cameras that name no such part."""

    key: str
    name: str
    now: Tally = field(default_factory=Tally)
    before: Tally = field(default_factory=Tally)


@dataclass(slots=True)
class OutcomeLine:
    """A state, or a reason of rejection, and how many violations have it."""

    key: str
    now: int = 0
    before: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """All counts are as of one moment; each of the breakdowns adds up to `total`."""

    period: Period
    zone: ZoneInfo
    total: Line
    slices: Sequence[tuple[Slice, Tally]]
    kinds: Sequence[Line]
    cameras: Sequence[Line]
    districts: Sequence[Line]
    wards: Sequence[Line]
    states: Sequence[OutcomeLine]
    reasons: Sequence[OutcomeLine]


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """What a report is about; an empty field asks for all."""

    cameras: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    wards: tuple[str, ...] = ()
    districts: tuple[str, ...] = ()

    def chosen(self, known: Iterable[CameraStatus]) -> tuple[str, ...] | None:
        """The cameras asked for, None when all are."""
        if not (self.cameras or self.wards or self.districts):
            return None
        return tuple(
            camera.id
            for camera in known
            if (not self.cameras or camera.id in self.cameras)
            and (not self.wards or camera.ward in self.wards)
            and (not self.districts or camera.district in self.districts)
        )

    def as_detail(self) -> dict[str, object]:
        """For the audit trail: what was asked for, without what was not."""
        asked = {"cameras": self.cameras, "kinds": self.kinds, "wards": self.wards, "districts": self.districts}
        return {name: list(values) for name, values in asked.items() if values}


def make_report(repository: Repository, period: Period, zone: ZoneInfo, wanted: ReportFilter | None = None) -> Report:
    """Count the violations that began in the period and in the one before. Raises StoreError, and QueryError for a
    period at the end of the calendar."""
    wanted = wanted or ReportFilter()
    chosen = wanted.chosen(repository.cameras())
    slices, before = period.slices(zone), period.previous.bounds(zone)
    counts = ReportCounts((), (), ())
    if chosen != ():
        filtered = ViolationFilter(cameras=chosen or (), kinds=wanted.kinds)
        counts = repository.report_counts(filtered, slices, before)
    # Asked for after the counts, so that no camera of theirs is missing.
    return _report(period, zone, slices, counts, {camera.id: camera for camera in repository.cameras()})


def _report(
    period: Period, zone: ZoneInfo, slices: Sequence[Slice], counts: ReportCounts, known: Mapping[str, CameraStatus]
) -> Report:
    tallies = [Tally() for _ in slices]
    for part in counts.slices:
        tallies[part.slice].add(part.state, part.violations)
    total = Line("", "")
    _add(counts, lambda case: total)

    def by(key: Callable[[CaseCount], str], name: Callable[[str], str] = str) -> list[Line]:
        lines: dict[str, Line] = {}

        def line(case: CaseCount) -> Line:
            value = key(case)
            return lines.setdefault(value, Line(value, name(value)))

        _add(counts, line)
        return sorted(lines.values(), key=lambda each: (-each.now.violations, each.key))

    return Report(
        period=period,
        zone=zone,
        total=total,
        slices=list(zip(slices, tallies, strict=True)),
        kinds=by(lambda case: case.kind),
        cameras=by(lambda case: case.camera, lambda camera: known[camera].name or camera),
        districts=_named(by(lambda case: known[case.camera].district)),
        wards=_named(by(lambda case: known[case.camera].ward)),
        states=_outcomes(counts, list(State), lambda case: case.state),
        reasons=_outcomes(counts, [*RejectionReason, ""], lambda case: case.reason, of=State.REJECTED),
    )


def _add(counts: ReportCounts, line: Callable[[CaseCount], Line]) -> None:
    for case in counts.cases:
        line(case).now.add(case.state, case.violations)
    for case in counts.before:
        line(case).before.add(case.state, case.violations)


def _named(lines: list[Line]) -> list[Line]:
    """None at all where no camera names a part of this sort."""
    return lines if any(line.key for line in lines) else []


def _outcomes(
    counts: ReportCounts, keys: Sequence[str], key: Callable[[CaseCount], str], of: State | None = None
) -> list[OutcomeLine]:
    """A line for each key; of one state alone, for those that occur."""

    def count(cases: Iterable[CaseCount]) -> Counter[str]:
        found: Counter[str] = Counter()
        for case in cases:
            if of in {None, case.state}:
                found[str(key(case))] += case.violations
        return found

    now, before = count(counts.cases), count(counts.before)
    known = [str(each) for each in keys]
    lines = [OutcomeLine(each, now[each], before[each]) for each in (*known, *sorted({*now, *before} - set(known)))]
    return [line for line in lines if of is None or line.now or line.before]
