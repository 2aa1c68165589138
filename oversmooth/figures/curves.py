"""Metrics over depth: one large chart, or a grid of small ones."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from oversmooth import points
from oversmooth.figures.series import Series, ticks
from oversmooth.figures.theme import Theme, blank, template, value_axis
from oversmooth.findings import number, reason
from oversmooth.tokens import escape
from oversmooth.wording import count

if TYPE_CHECKING:
    from oversmooth.measurement import Measurement

HEIGHT = 340
SMALL_HEIGHT = 140
HEADING = 50
"""Pixels between small charts, for two lines of words."""
MOST_TICKS = 13


def curve(measurement: Measurement, metric: str, *, theme: Theme, selected: str | None = None) -> go.Figure:
    """One metric at the embedding, every block and, set apart, the final norm.

    Several texts give their mean as a line and each text as a thin one. A missing value is a gap with a word and its
    reason on hover; a value below the states' resolution is a hollow marker.

    Args:
        measurement: what to draw.
        metric: one of ``measurement.metrics``.
        theme: colours.
        selected: a point to mark with its value.
    """
    series = Series.of(measurement, metric)
    if not series.defined:
        return blank(f"{series.title}: {reason(measurement, metric, series.points[0])}.", theme, height=HEIGHT)
    figure = _panels(1, 1, theme, HEIGHT)
    _Panel(figure, theme, 1, 1, small=False).draw(series, selected)
    texts = len(measurement.tokens)
    mean = f", mean of {count(texts, 'text')}" if texts > 1 else ""
    figure.update_yaxes(title_text=escape(series.axis_title + mean))
    figure.update_xaxes(title_text="block")
    return figure


def small_multiples(
    measurement: Measurement,
    metrics: Sequence[str],
    *,
    theme: Theme,
    selected: str | None = None,
    columns: int = 2,
) -> go.Figure:
    """Several metrics over the same depth, each with its own value axis.

    Args:
        measurement: what to draw.
        metrics: some of ``measurement.metrics``, in reading order.
        theme: colours.
        selected: a point to mark in each.
        columns: of the grid; more than two are too narrow for a phone.
    """
    rows = -(-len(metrics) // columns)
    figure = _panels(rows, columns, theme, rows * SMALL_HEIGHT + HEADING)
    figure.layout.margin.t = HEADING - 10
    for position, metric in enumerate(metrics):
        row, column = divmod(position, columns)
        panel = _Panel(figure, theme, row + 1, column + 1, small=True)
        panel.draw(Series.of(measurement, metric), selected)
        # The last panel of each column carries the block numbers.
        panel.axis("x").update(showticklabels=position + columns >= len(metrics))
    for position in range(len(metrics), rows * columns):
        row, column = divmod(position, columns)
        figure.update_xaxes(visible=False, row=row + 1, col=column + 1)
        figure.update_yaxes(visible=False, row=row + 1, col=column + 1)
    return figure


def _panels(rows: int, columns: int, theme: Theme, height: int) -> go.Figure:
    figure = make_subplots(
        rows, columns, vertical_spacing=HEADING / height, horizontal_spacing=0.22 / columns if columns > 1 else 0
    )
    figure.layout.template = template(theme)
    figure.layout.height = height
    return figure


@dataclass(frozen=True)
class _Panel:
    """One pair of axes of a figure."""

    figure: go.Figure
    theme: Theme
    row: int
    column: int
    small: bool

    def draw(self, series: Series, selected: str | None) -> None:
        self._axes(series)
        self._each_text(series)
        self._final_norm(series)
        self._line(series)
        self._missing(series)
        self._heading(series, selected)
        if selected in series.positions:
            self._selected(series, selected)

    def axis(self, letter: str) -> go.layout.XAxis | go.layout.YAxis:
        select = self.figure.select_xaxes if letter == "x" else self.figure.select_yaxes
        return next(select(row=self.row, col=self.column))

    def _add(self, trace: go.Scatter) -> None:
        self.figure.add_trace(trace, row=self.row, col=self.column)

    def _axes(self, series: Series) -> None:
        values, labels = ticks(series, most=5 if self.small else MOST_TICKS)
        ends = list(series.positions.values())
        self.axis("x").update(
            tickvals=values, ticktext=labels, tickangle=0, range=[min(ends) - 0.5, max(ends) + 0.5], ticklen=3
        )
        drawn = [value for row in (series.values.values(), *series.texts) for value in row if math.isfinite(value)]
        if not drawn:
            self.axis("y").update(showticklabels=False, showgrid=False)
        else:
            low, high = min(drawn), max(drawn)
            most = 4 if self.small else 6
            self.axis("y").update(value_axis(low, high, ticks=most, from_zero=series.from_zero))
        if self.small:
            self.axis("x").tickfont.size = self.axis("y").tickfont.size = 10

    def _line(self, series: Series) -> None:
        names = series.path
        self._add(
            go.Scatter(
                x=[series.positions[point] for point in names],
                y=[series.values.get(point) for point in names],
                mode="lines+markers",
                line={"color": self.theme.accent, "width": 1.5 if self.small else 2},
                marker=self._markers(series, names),
                **_hover(series, names),
            )
        )

    def _markers(self, series: Series, names: Sequence[str]) -> dict[str, Any]:
        solid = {points.FINAL_NORM: "diamond", points.EMBEDDING: "square"}
        size = 4 if self.small else 7 if len(series.points) <= 40 else 4
        return {
            "size": size,
            "symbol": [solid.get(point, "circle") for point in names],
            "color": [self.theme.paper if point in series.unresolved else self.theme.accent for point in names],
            "line": {"color": self.theme.accent, "width": 1.5},
        }

    def _final_norm(self, series: Series) -> None:
        if points.FINAL_NORM not in series.values:
            return
        last = series.path[-1]
        if last in series.values:
            self._add(
                go.Scatter(
                    x=[series.positions[last], series.positions[points.FINAL_NORM]],
                    y=[series.values[last], series.values[points.FINAL_NORM]],
                    mode="lines",
                    line={"color": self.theme.muted, "width": 1, "dash": "dot"},
                    hoverinfo="skip",
                )
            )
        self._add(
            go.Scatter(
                x=[series.positions[points.FINAL_NORM]],
                y=[series.values[points.FINAL_NORM]],
                mode="markers",
                marker=self._markers(series, [points.FINAL_NORM]),
                **_hover(series, [points.FINAL_NORM]),
            )
        )

    def _each_text(self, series: Series) -> None:
        """All texts in one trace with gaps between: a thousand traces would take seconds to draw."""
        x: list[float | None] = []
        y: list[float | None] = []
        words: list[str] = []
        length = len(series.path)
        for index, values in enumerate(series.texts):
            for point, value in zip(series.path, values[:length], strict=True):
                x.append(series.positions[point])
                y.append(value if math.isfinite(value) else None)
                words.append(f"text {index + 1}, {points.title(point)}<br><b>{number(value, 4)}</b>")
            x.append(None)
            y.append(None)
            words.append("")
        if x:
            style = {"color": self.theme.muted, "width": 0.75}
            self._add(go.Scatter(x=x, y=y, mode="lines", line=style, text=words, hovertemplate=_TEXT_ONLY))

    def _missing(self, series: Series) -> None:
        for run, why in series.gaps():
            first, last = series.positions[run[0]], series.positions[run[-1]]
            self.figure.add_shape(
                type="rect", x0=first - 0.4, x1=last + 0.4, y0=0, y1=1, yref="y domain", layer="below",
                line_width=0, fillcolor=self.theme.grid, row=self.row, col=self.column,
            )  # fmt: skip
            place = points.title(run[0]) if len(run) == 1 else f"{points.title(run[0])} to {points.title(run[-1])}"
            self.figure.add_annotation(
                text="missing", x=(first + last) / 2, y=0.5, yref="y domain", font={"size": 10},
                textangle=-90 if last - first < 0.2 * max(series.positions.values()) else 0,
                hovertext=f"{place}: missing<br>{escape(why)}", row=self.row, col=self.column,
            )  # fmt: skip

    def _selected(self, series: Series, selected: str) -> None:
        position = series.positions[selected]
        self.figure.add_shape(
            type="line", x0=position, x1=position, y0=0, y1=1, yref="y domain", layer="below",
            opacity=0.6, line={"color": self.theme.muted, "width": 1}, row=self.row, col=self.column,
        )  # fmt: skip
        if selected in series.values:
            size = 8 if self.small else 13
            ring = {"size": size, "symbol": "circle-open", "color": self.theme.text, "line": {"width": 1.5}}
            at = {"x": [position], "y": [series.values[selected]]}
            self._add(go.Scatter(at, mode="markers", marker=ring, hoverinfo="skip"))
        if not self.small:
            share = (position + 1) / (1 + max(series.positions.values()))
            anchor = "left" if share < 0.2 else "right" if share > 0.8 else "center"
            value = number(series.values.get(selected, math.nan))
            self._note(f"{points.title(selected)}: <b>{value}</b>", {"x": position, "xanchor": anchor})

    def _heading(self, series: Series, selected: str | None) -> None:
        """The metric above a small chart, with its value at the selected point."""
        if self.small:
            words = [escape(line) for line in textwrap.wrap(series.axis_title, 24)]
            value = f" <b>{number(series.values[selected])}</b>" if selected in series.values else ""
            self._note("<br>".join(words) + value, {"x": 0, "xref": "x domain", "xanchor": "left", "align": "left"})

    def _note(self, text: str, place: dict[str, Any]) -> None:
        """Words just above the chart, where no line runs."""
        font = {"size": 11 if self.small else 12, "color": self.theme.text}
        above = {"y": 1, "yref": "y domain", "yanchor": "bottom", "yshift": 2}
        self.figure.add_annotation({**above, "text": text, "font": font, **place}, row=self.row, col=self.column)


_TEXT_ONLY = "%{text}<extra></extra>"


def _hover(series: Series, names: Sequence[str]) -> dict[str, Any]:
    return {"text": [series.hover(point) for point in names], "hovertemplate": _TEXT_ONLY}
