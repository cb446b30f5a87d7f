"""The chart of a report: violations over its period by outcome, as vectors."""

from __future__ import annotations

from reportlab.graphics.charts.barcharts import VerticalBarChart
from reportlab.graphics.charts.legends import Legend
from reportlab.graphics.shapes import Drawing
from reportlab.lib.colors import HexColor
from reportlab.lib.units import mm

from pipeline.periods import Unit
from pipeline.reports.report import Report
from pipeline.reports.words import Language, number_text, say, slice_text

OUTCOMES = {"Accepted": "#17663a", "Rejected": "#a31621", "Duplicates": "#8a97a3", "Undecided": "#c9d3dc"}
HEIGHT = 48 * mm
MOST_LABELS = 16
SMALL = 6.5


def chart(report: Report, language: Language, width: float, font: str) -> Drawing:
    """Stacked columns, one for each slice, with every so many of them named."""
    drawing = Drawing(width, HEIGHT)
    bars = VerticalBarChart()
    bars.x, bars.y, bars.width, bars.height = 30, 26, round(width - 36), round(HEIGHT - 44)
    tallies = [tally for _, tally in report.slices]
    bars.data = [tuple(getattr(tally, outcome.lower()) for tally in tallies) for outcome in OUTCOMES]
    bars.categoryAxis.style = "stacked"
    bars.categoryAxis.categoryNames = _names(report, language)
    bars.categoryAxis.labels.fontName = bars.valueAxis.labels.fontName = font
    bars.categoryAxis.labels.fontSize = bars.valueAxis.labels.fontSize = SMALL
    bars.categoryAxis.labels.dy = -3
    bars.categoryAxis.visibleTicks = False
    bars.categoryAxis.strokeColor = HexColor("#a9b6c2")
    bars.valueAxis.valueMin = 0
    bars.valueAxis.valueMax = ceiling(max((tally.violations for tally in tallies), default=0))
    bars.valueAxis.valueStep = bars.valueAxis.valueMax / 4
    bars.valueAxis.labelTextFormat = lambda value: number_text(language, f"{value:,.0f}")
    bars.valueAxis.visibleGrid = True
    bars.valueAxis.gridStrokeColor = HexColor("#e3e8ee")
    bars.valueAxis.strokeColor = None
    bars.groupSpacing = 2
    for number, colour in enumerate(OUTCOMES.values()):
        bars.bars[number].fillColor = HexColor(colour)
        bars.bars[number].strokeColor = None
    drawing.add(bars)
    drawing.add(_legend(language, width, font))
    return drawing


def _names(report: Report, language: Language) -> list[str]:
    step = -(-len(report.slices) // MOST_LABELS)
    return [_name(report, number, language) if number % step == 0 else "" for number in range(len(report.slices))]


def _name(report: Report, number: int, language: Language) -> str:
    part = report.slices[number][0]
    return f"{part.day:%d/%m}" if part.unit in {Unit.DAY, Unit.WEEK} else slice_text(language, part, report.zone)


def _legend(language: Language, width: float, font: str) -> Legend:
    legend = Legend()
    legend.x, legend.y, legend.boxAnchor = round(width), round(HEIGHT - 2), "ne"
    legend.fontName, legend.fontSize = font, SMALL
    legend.dx = legend.dy = 6
    legend.deltax, legend.columnMaximum, legend.alignment = 60, 1, "right"
    legend.strokeWidth, legend.strokeColor = 0, None
    legend.colorNamePairs = [(HexColor(colour), say(language, outcome)) for outcome, colour in OUTCOMES.items()]
    return legend


def ceiling(most: int) -> int:
    """A round figure, no lower than `most`, that four steps reach."""
    size = 1
    while True:
        for factor in (4, 8, 12, 20, 40):
            if factor * size >= most:
                return factor * size
        size *= 10
