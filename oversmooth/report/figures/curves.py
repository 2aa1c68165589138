"""A metric over depth, as a large chart or a small one."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from oversmooth import metrics
from oversmooth.core import points
from oversmooth.core.numerals import between
from oversmooth.core.tokens import escape
from oversmooth.report.figures.canvas import Canvas, Drawn, blank
from oversmooth.report.figures.registry import Arguments, Asked, figure
from oversmooth.report.figures.series import APART, Series, draw_band, over_depth, ticks
from oversmooth.report.figures.theme import Theme, translucent, value_axis
from oversmooth.report.findings import caveats, number
from oversmooth.report.findings.collapse import outlier_sentence
from oversmooth.report.findings.spread import BAND, band_caption, mean_of, spreads
from oversmooth.results.measurement import Measurement

ORDER = 10
HEIGHT = 340
SMALL_HEIGHT = 140
HEADING = 50
"""Pixels above a small chart, for two lines of words."""
MOST_TICKS = 13
_TEXT = 0.5
"""Opacity of the lines of single texts, behind which the mean must not get lost."""


def _needs(_: Measurement, asked: Asked) -> list[Arguments]:
    return [{"metric": name, "lines": asked.lines} for name in asked.metrics]


def _alternative(measurement: Measurement, metric: str, **_: bool) -> str:
    declared = metrics.get(metric)
    values = {point: value for point, value in measurement.curve(metric).items() if math.isfinite(value)}
    over, means = spreads(measurement, metric), mean_of(len(measurement.tokens))
    banded = f" with a {BAND}" if any(spread.defined for spread in over.values()) else ""
    opening = f"{over_depth(metric)}, a line chart{means and f', {means}{banded}'}"
    if not values:
        return f"{opening}, empty. {' '.join(caveats(measurement, metric))}"
    unit = f" {declared.unit}" if declared.unit else ""
    path = [point for point in values if point not in APART] or list(values)
    bands = {point: f" ({between(spread.low, spread.high)})" for point, spread in over.items() if spread.defined}
    course = ", ".join(
        f"{number(values[point])}{unit}{bands.get(point, '')} at {points.title(point)}"
        for point in dict.fromkeys([path[0], path[-1], *(point for point in APART if point in values)])
    )
    low, high = min(values, key=lambda point: values[point]), max(values, key=lambda point: values[point])
    lowest = f"Lowest {number(values[low])} at {points.title(low)}"
    highest = f"highest {number(values[high])} at {points.title(high)}"
    told = [f"{opening}: {course}.", f"{lowest}, {highest}.", outlier_sentence(measurement)]
    return " ".join(filter(None, [*told, *caveats(measurement, metric)]))


@figure(
    of=Measurement,
    title=lambda _, metric, **__: over_depth(metric),
    alternative=_alternative,
    file="{metric}",
    needs=_needs,
    caption=lambda measurement, lines, **_: band_caption(measurement, lines=lines),
    pgfplots=True,
)
def curve(
    measurement: Measurement, metric: str, *, theme: Theme, selected: str | None = None, lines: bool = False
) -> Drawn:
    """One metric at the embedding, every block and, set apart, the final norm.

    Several texts give their mean as a line with its bootstrap band (:func:`oversmooth.core.resampling.band`) behind it.
    A missing value is a gap with a word and its reason on hover; a value below the states' resolution is a hollow
    marker. ``selected`` is a point to mark with its value; with ``lines``, each of several texts has a thin line of its
    own.
    """
    series = Series.of(measurement, metric)
    if not series.values:
        return blank(f"{series.title}: {measurement.reason(metric, series.points[0])}.", theme, height=HEIGHT)
    panel = _Panel(theme, lines=lines)
    panel.draw(series, selected)
    panel.title_values(series.axis_title, series.means)
    panel.depth_axis["title"] = {"text": "block"}
    return panel.figure(HEIGHT)


def small_curve(
    measurement: Measurement, metric: str, *, theme: Theme, selected: str | None = None, lines: bool = False
) -> Drawn:
    """The same as :func:`curve` at a third of the size, under the metric's name and its value at ``selected``."""
    panel = _Panel(theme, small=True, lines=lines)
    panel.draw(Series.of(measurement, metric), selected)
    return panel.figure(SMALL_HEIGHT + HEADING, over=HEADING - 10)


@dataclass
class _Panel(Canvas):
    """One metric of one measurement, large or small."""

    small: bool = False
    lines: bool = False

    def draw(self, series: Series, selected: str | None) -> None:
        """Everything there is to see of one metric."""
        self._axes(series)
        if self.lines:
            self._each_text(series)
        draw_band(self, series, self.theme.accent, opacity=self.theme.band)
        self._set_apart(series)
        self._line(series, series.path, "lines+markers")
        self._missing(series)
        if self.small:
            self._heading(series, selected)
        if selected in series.positions:
            self._selected(series, selected)

    def _axes(self, series: Series) -> None:
        values, labels = ticks(series.positions, most=5 if self.small else MOST_TICKS)
        ends = series.positions.values()
        self.depth_axis.update(tickvals=values, ticktext=labels, tickangle=0, range=[min(ends) - 0.5, max(ends) + 0.5])
        texts = (value for row in series.texts for value in row if math.isfinite(value)) if self.lines else ()
        drawn = [*series.reach, *texts]
        if drawn:
            most = 4 if self.small else 6
            self.value_axis.update(value_axis(min(drawn), max(drawn), ticks=most, from_zero=series.from_zero))
        else:
            self.value_axis.update(showticklabels=False, showgrid=False)
        if self.small:
            self.depth_axis["tickfont"] = self.value_axis["tickfont"] = {"size": 10}

    def _line(self, series: Series, names: Sequence[str], mode: str) -> None:
        solid = {points.FINAL_NORM: "diamond", points.EMBEDDING: "square", points.FUSION: "star-diamond"}
        self.add(
            x=[series.positions[point] for point in names],
            y=[series.values.get(point) for point in names],
            mode=mode,
            line={"color": self.theme.accent, "width": 1.5 if self.small else 2},
            marker={
                "size": 4 if self.small or len(series.points) > 40 else 7,
                "symbol": [solid.get(point, "circle") for point in names],
                "color": [self.theme.paper if point in series.unresolved else self.theme.accent for point in names],
                "line": {"color": self.theme.accent, "width": 1.5},
            },
            text=[series.hover(point) for point in names],
        )

    def _set_apart(self, series: Series) -> None:
        for point in APART:
            if point not in series.values:
                continue
            pair = [series.path[-1], point]
            if pair[0] in series.values:
                self.add(
                    x=[series.positions[each] for each in pair],
                    y=[series.values[each] for each in pair],
                    mode="lines",
                    line={"color": self.theme.muted, "width": 1, "dash": "dot"},
                )
            self._line(series, [point], "markers")

    def _each_text(self, series: Series) -> None:
        """All texts in one trace with gaps between: a thousand traces would take seconds to draw."""
        x: list[float | None] = []
        y: list[float | None] = []
        words: list[str] = []
        for index, values in enumerate(series.texts):
            for point, value in zip(series.path, values, strict=False):
                x.append(series.positions[point])
                y.append(value if math.isfinite(value) else None)
                # Without markup, which would be most of the figure where there are a thousand texts.
                words.append(f"text {index + 1}, {points.title(point)}: {number(value, 4)}")
            x.append(None)
            y.append(None)
            words.append("")
        if x:
            line = {"color": translucent(self.theme.muted, _TEXT), "width": 0.75}
            self.add(x=x, y=y, mode="lines", line=line, text=words)

    def _missing(self, series: Series) -> None:
        for run, why in series.gaps():
            first, last = series.positions[run[0]], series.positions[run[-1]]
            place = points.title(run[0]) if len(run) == 1 else f"{points.title(run[0])} to {points.title(run[-1])}"
            narrow = last - first < 0.2 * max(series.positions.values())
            self.gap(first - 0.4, last + 0.4, f"{place}: missing<br>{escape(why)}", upright=narrow)

    def _selected(self, series: Series, selected: str) -> None:
        position = series.positions[selected]
        value = number(series.values.get(selected, math.nan))
        self.select(position, "" if self.small else f"{points.title(selected)}: <b>{value}</b>")
        if selected in series.values:
            size = 8 if self.small else 13
            ring = {"size": size, "symbol": "circle-open", "color": self.theme.text, "line": {"width": 1.5}}
            self.add(x=[position], y=[series.values[selected]], mode="markers", marker=ring)

    def _heading(self, series: Series, selected: str | None) -> None:
        """The metric above a small chart, with its value at the selected point."""
        words = [escape(line) for line in textwrap.wrap(series.axis_title, 24)]
        value = f" <b>{number(series.values[selected])}</b>" if selected in series.values else ""
        self.name_above("<br>".join(words) + value, 11, x=0, xref="x domain", xanchor="left", align="left")
