"""A metric over depth, of all sides of a comparison in the same axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from oversmooth.core import points
from oversmooth.core.numerals import arrow, number
from oversmooth.core.tokens import visible
from oversmooth.report.figures.canvas import Canvas, Drawn, blank
from oversmooth.report.figures.identity import NamedSide, sides, sides_in_words
from oversmooth.report.figures.lines import Depths, Line, depth_of, figure_of
from oversmooth.report.figures.registry import figure, measured_metrics
from oversmooth.report.figures.series import Series, over_depth
from oversmooth.report.figures.theme import Theme, value_axis
from oversmooth.report.findings.absences import absent, by_reason
from oversmooth.report.findings.changes import caveats, course
from oversmooth.report.findings.collapse import compared_outliers
from oversmooth.report.findings.spread import BAND, band_caption
from oversmooth.results.comparison import Comparison
from oversmooth.results.measurement import Measurement

ORDER = 10
HEIGHT = 350
"""Of a chart with nothing to draw."""


def _alternative(comparison: Comparison, metric: str) -> str:
    opening = f"{over_depth(metric)}, a line chart of {sides_in_words(comparison)}"
    why = absent(comparison, metric)
    if why:
        return f"{opening}, empty. {why}"
    owners = {label: each for label, each in comparison.measurements.items() if metric in each.metrics}
    told = [_course(label, each, metric) for label, each in owners.items()]
    return " ".join(filter(None, [f"{opening}.", *told, compared_outliers(comparison)]))


def _course(label: str, measurement: Measurement, metric: str) -> str:
    found, gaps = course(measurement, metric), caveats(measurement, metric)
    if found is None:
        return f"{visible(label)}: {' '.join(gaps)}"
    first, last = found.points[0], found.points[-1]
    way = f"{arrow(found.means[first], found.means[last])} from {points.title(first)} to {points.title(last)}"
    if first == last:
        way = f"{number(found.means[first])} at {points.title(first)}"
    return " ".join([f"{visible(label)}: {', '.join(filter(None, (way, found.mean_of)))}.", *gaps])


@figure(
    of=Comparison,
    title=lambda _, metric: over_depth(metric),
    alternative=_alternative,
    file="{metric}",
    needs=measured_metrics,
    caption=lambda comparison, **_: band_caption(*comparison.measurements.values()),
    pgfplots=True,
)
def compared_curve(comparison: Comparison, metric: str, *, theme: Theme, selected: str | None = None) -> Drawn:
    """One metric of every side at the embedding, every block and, set apart, the final norm and the fusion.

    A side with another number of blocks has its own block axis above the chart. Several texts give their mean, with its
    bootstrap band (:func:`oversmooth.core.resampling.band`). A missing value is a gap, with a hollow marker at the
    bottom that has the reason on hover; a value below the states' resolution is a hollow marker. A side that does not
    have the metric is not drawn. Where no side has the metric, the figure is blank and says why. ``selected`` is a
    point of the baseline to mark.
    """
    why = absent(comparison, metric)
    if why:
        return blank(why, theme, height=HEIGHT)
    every = {side: comparison.measurements[side.label] for side in sides(comparison, theme)}
    found = {side: Series.of(each, metric) for side, each in every.items() if metric in each.metrics}
    drawn = {side: series for side, series in found.items() if series.values}
    depths = Depths.of(comparison.baseline.main_points, [series.points for series in drawn.values()])
    lines = [_line(side, series, depths) for side, series in drawn.items()]
    canvas = Canvas(theme)
    first = lines[0].series
    values = [value for line in lines for value in line.series.reach]
    canvas.value_axis.update(value_axis(min(values), max(values), ticks=6, from_zero=first.from_zero))
    canvas.title_values(first.axis_title, means([line.series for line in lines]))
    empty = {side.name: every[side].reason(metric, found[side].points[0]) for side in found if side not in drawn}
    return figure_of(canvas, lines, depths, remarks=by_reason(empty), selected=selected)


def _line(side: NamedSide, series: Series, depths: Depths) -> Line:
    series = replace(series, positions=depths.positions(series.points))
    words = {point: f"{side.hover}<br>{series.hover(point)}" for point in series.points}
    return Line(side, series, words, depths.axis(depth_of(series.points)))


def means(drawn: Sequence[Series]) -> str:
    """What is drawn of several texts, for the title of an axis; empty where each side has one."""
    told = {series.means for series in drawn}
    if len(told) < 2:
        return "".join(told)
    return f"mean over texts, {BAND}" if any(BAND in words for words in told) else "mean over texts"
