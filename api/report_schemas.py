"""What the API answers about reports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Self

from pydantic import Field

from api.schemas import Answer
from pipeline.periods import Period, Slice, Span, Unit
from pipeline.reports import Report, Tally
from pipeline.reports.report import Line


class PeriodAnswer(Answer):
    span: Span
    first: date = Field(description="Its first day in the site's calendar.", examples=["2026-11-01"])
    last: date = Field(description="Its last day.", examples=["2026-11-30"])


class TallyAnswer(Answer):
    """Violations by what became of them; forwarded and closed cases are accepted ones."""

    violations: int = Field(examples=[412])
    accepted: int = Field(examples=[188])
    rejected: int = Field(examples=[94])
    duplicates: int = Field(examples=[12])
    undecided: int = Field(examples=[118])
    acceptance: float | None = Field(
        description="Accepted part of the accepted and rejected; null while there are none.", examples=[0.667]
    )


class LineAnswer(Answer):
    """One camera, kind or part of the city in this period and the one before."""

    key: str = Field(description="Empty for cameras that name no such part.", examples=["cau-truong-tien"])
    name: str = Field(examples=["Cầu Trường Tiền"])
    now: TallyAnswer
    before: TallyAnswer


class SliceAnswer(TallyAnswer):
    """A part of the period, from `begin` and before `end`."""

    unit: Unit
    begin: datetime = Field(examples=["2026-10-31T17:00:00Z"])
    end: datetime = Field(examples=["2026-11-01T17:00:00Z"])

    @classmethod
    def of(cls, part: Slice, tally: Tally) -> Self:
        counted = TallyAnswer.model_validate(tally).model_dump()
        return cls(unit=part.unit, begin=part.begin, end=part.end, **counted)


class OutcomeAnswer(Answer):
    key: str = Field(description="A state, or a reason of rejection.", examples=["no_violation"])
    now: int = Field(examples=[31])
    before: int = Field(examples=[27])


class ReportAnswer(Answer):
    """Violations that began in a period, counted at one moment; each breakdown adds up to the total."""

    timezone: str = Field(examples=["Asia/Ho_Chi_Minh"])
    period: PeriodAnswer
    previous: PeriodAnswer
    total: LineAnswer
    slices: list[SliceAnswer]
    kinds: list[LineAnswer]
    cameras: list[LineAnswer]
    districts: list[LineAnswer]
    wards: list[LineAnswer]
    states: list[OutcomeAnswer]
    reasons: list[OutcomeAnswer]

    @classmethod
    def of(cls, report: Report) -> Self:
        return cls(
            timezone=report.zone.key,
            period=_period(report.period),
            previous=_period(report.period.previous),
            total=LineAnswer.model_validate(report.total),
            slices=[SliceAnswer.of(part, tally) for part, tally in report.slices],
            kinds=_lines(report.kinds),
            cameras=_lines(report.cameras),
            districts=_lines(report.districts),
            wards=_lines(report.wards),
            states=[OutcomeAnswer.model_validate(line) for line in report.states],
            reasons=[OutcomeAnswer.model_validate(line) for line in report.reasons],
        )


def _period(period: Period) -> PeriodAnswer:
    return PeriodAnswer.model_validate(period)


def _lines(lines: Sequence[Line]) -> list[LineAnswer]:
    return [LineAnswer.model_validate(line) for line in lines]
