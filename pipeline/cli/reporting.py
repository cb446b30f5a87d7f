"""`matthan report` and `matthan published-cases`: what a city is told every day, week and month, also by cron."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from pipeline.cli.terminal import Data, StreamsOption, console, open_site
from pipeline.periods import Span

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.config import Config
    from pipeline.periods import Period
    from pipeline.reports import ReportFilter

app = typer.Typer()

SpanArgument = Annotated[Span, typer.Argument(help="What the period is; custom needs --from and --to.")]
Day = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="A day of the period; by default the newest one that is over."),
]
First = Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day, with custom.")]
Last = Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, with custom.")]
Cameras = Annotated[list[str] | None, typer.Option("--camera", help="Only of this camera; may be repeated.")]
Kinds = Annotated[list[str] | None, typer.Option("--kind", help="Only of this kind; may be repeated.")]
Wards = Annotated[list[str] | None, typer.Option("--ward", help="Only of this ward; may be repeated.")]
Districts = Annotated[list[str] | None, typer.Option("--district", help="Only of this district; may be repeated.")]


@app.command()
def report(
    span: SpanArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="A file that ends in .pdf, .xlsx or .csv.")],
    day: Day = None,
    first: First = None,
    last: Last = None,
    camera: Cameras = None,
    kind: Kinds = None,
    ward: Wards = None,
    district: Districts = None,
    language: Annotated[str | None, typer.Option("--lang", help="vi or en; the site's when left out.")] = None,
    streams: StreamsOption = Path("streams.yaml"),
    data: Data = None,
) -> None:
    """Write a report on the violations of a period, beside those of the one before."""
    from pipeline import reports
    from pipeline.errors import QueryError

    if output.suffix.lower().lstrip(".") not in set(reports.Format):
        raise QueryError(f"{output}: a report ends in {', '.join(f'.{each}' for each in reports.Format)}")
    if language not in {None, *reports.LANGUAGES}:
        raise QueryError(f"--lang {language}: reports are written in {' and '.join(reports.LANGUAGES)}")
    config, _, repository = open_site(streams, data)
    period, wanted = _period(config, span, day, first, last), _filter(camera, kind, ward, district)
    spoken: reports.Language = "en" if (language or config.site.language) == "en" else "vi"
    with repository:
        found = reports.make_report(repository, period, _zone(config), wanted)
        names = {each.id: each.name for each in repository.cameras()}
        choice = reports.choice_text(wanted, names, spoken)
        imprint = reports.Imprint(config.site.name or "Mắt Thần", getpass.getuser(), datetime.now(UTC), choice)
        form = reports.Format(output.suffix.lower().lstrip("."))
        _write(output, lambda path: reports.write_report(path, form, found, imprint, spoken))
        counted = found.total.now.violations
        detail = {"format": form, "violations": counted, **wanted.as_detail()}
        repository.record_audit(getpass.getuser(), "report.export", "report", _span_id(period), detail=detail)
    _say(f"{output}: {counted} violations from {period.first} to {period.last}")


@app.command()
def published_cases(
    span: SpanArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="A file that ends in .csv, .xlsx or .json.")],
    day: Day = None,
    first: First = None,
    last: Last = None,
    camera: Cameras = None,
    kind: Kinds = None,
    ward: Wards = None,
    district: Districts = None,
    streams: StreamsOption = Path("streams.yaml"),
    data: Data = None,
) -> None:
    """Write the decided cases of a period with the fields of Vietnam's public look-up of camera fines."""
    from pipeline import reports
    from pipeline.errors import QueryError
    from pipeline.store import ViolationFilter

    suffix = output.suffix.lower().lstrip(".")
    if suffix not in set(reports.PublishedFormat):
        raise QueryError(f"{output}: the cases end in {', '.join(f'.{each}' for each in reports.PublishedFormat)}")
    config, _, repository = open_site(streams, data)
    period, wanted, zone = _period(config, span, day, first, last), _filter(camera, kind, ward, district), _zone(config)
    with repository:
        cameras = wanted.chosen(repository.cameras())
        since, until = period.bounds(zone)
        asked = ViolationFilter(cameras=cameras or (), kinds=wanted.kinds, since=since, until=until)
        cases = () if cameras == () else reports.published_cases(repository, asked, config.publication)
        number = 0

        def write(path: Path) -> None:
            nonlocal number
            number = reports.write_published(path, reports.PublishedFormat(suffix), cases, zone)

        _write(output, write)
        detail = {"format": suffix, "rows": number, **wanted.as_detail()}
        repository.record_audit(getpass.getuser(), "cases.export", "report", _span_id(period), detail=detail)
    _say(f"{output}: {number} cases from {period.first} to {period.last}")


def _period(config: Config, span: Span, day: datetime | None, first: datetime | None, last: datetime | None) -> Period:
    """Raises QueryError when the days do not fit the span."""
    from pipeline.errors import QueryError
    from pipeline.periods import Period

    if span is Span.CUSTOM:
        if first is None or last is None or day is not None:
            raise QueryError("custom: give its days by --from and --to")
        return Period.between(first.date(), last.date())
    if first is not None or last is not None:
        raise QueryError(f"--from and --to are for custom; name a {span} by --day, one of its days")
    today = datetime.now(UTC).astimezone(_zone(config)).date()
    return Period.holding(span, day.date()) if day else Period.completed(span, today)


def _filter(
    cameras: list[str] | None, kinds: list[str] | None, wards: list[str] | None, districts: list[str] | None
) -> ReportFilter:
    from pipeline.reports import ReportFilter

    return ReportFilter(tuple(cameras or ()), tuple(kinds or ()), tuple(wards or ()), tuple(districts or ()))


def _zone(config: Config) -> ZoneInfo:
    return ZoneInfo(config.site.timezone)


def _write(output: Path, write: Callable[[Path], None]) -> None:
    """In one piece: who looks at the file meanwhile sees the one before. Raises MatThanError."""
    from tempfile import TemporaryDirectory

    from pipeline.errors import MatThanError

    try:
        with TemporaryDirectory(prefix=".matthan-", dir=output.absolute().parent) as folder:
            draft = Path(folder, output.name)
            write(draft)
            draft.replace(output)
    except OSError as error:
        raise MatThanError(f"{output}: cannot be written: {error.strerror}") from None


def _span_id(period: Period) -> str:
    return f"{period.first}/{period.last}"


def _say(text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
