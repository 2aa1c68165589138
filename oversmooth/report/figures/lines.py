"""Lines over depth, one a side of a comparison, in shared axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from oversmooth.core import points
from oversmooth.report.figures.bands import draw_band
from oversmooth.report.figures.canvas import LINE, Canvas, Drawn
from oversmooth.report.figures.depth import Depths, depth_of
from oversmooth.report.figures.identity import NamedSide
from oversmooth.report.figures.labels import name_sides
from oversmooth.report.figures.series import APART, Series

CHART = 270
"""Height of the chart between its axes, in pixels, whatever stands above and below."""
BELOW = 60
"""Pixels that the depth axis takes."""
_DENSE = 40
"""Points from which on markers are small."""
_FAINT = 0.6
"""Share of the opacity of a band that each of several over each other has."""
_BOTTOM_ROW, _ROW = 0.04, 0.05
"""Shares of the height at which the marks of missing values stand."""


@dataclass(frozen=True)
class Line:
    """One side's values over depth."""

    side: NamedSide
    series: Series
    words: Mapping[str, str]
    """What hover shows at each point."""
    axis: str

    def at(self, names: Sequence[str]) -> list[float]:
        """Positions of these points."""
        return [self.series.positions[point] for point in names]

    @property
    def end(self) -> float:
        """The value at the last point that has one."""
        return next(self.series.values[p] for p in (*APART[::-1], *self.series.path[::-1]) if p in self.series.values)


def figure_of(
    canvas: Canvas, lines: Sequence[Line], depths: Depths, *, remarks: Sequence[str], selected: str | None
) -> Drawn:
    """Axes, lines and their names as a figure whose chart is ``CHART`` pixels high.

    The canvas has its value axis; what it holds already is drawn below the lines, each of which has a value.
    ``selected`` is a point of the baseline's axis to mark.
    """
    depths.draw(canvas)
    for line in lines:
        draw_band(canvas, line.series, line.side.identity.colour, opacity=_FAINT * canvas.theme.band, axis=line.axis)
    for line in lines:
        _draw(canvas, line)
    _missing(canvas, [line for line in lines if line.series.missing])
    if selected is not None:
        _select(canvas, depths, selected)
    canvas.remarks(*remarks)
    low, high = canvas.value_axis["range"]
    heights = [(line.side, CHART * (line.end - low) / (high - low)) for line in lines]
    below = name_sides(canvas, heights, CHART)
    return canvas.figure(CHART + BELOW + 20 + below, over=20)


def _draw(canvas: Canvas, line: Line) -> None:
    series = line.series
    _markers(canvas, line, series.path, "lines+markers")
    last = series.path[-1]
    for point in APART:
        if point not in series.values:
            continue
        if last in series.values:
            canvas.add(
                x=line.at([last, point]),
                y=[series.values[last], series.values[point]],
                xaxis=line.axis,
                mode="lines",
                line={"color": line.side.identity.colour, "width": 1, "dash": "dot"},
            )
        _markers(canvas, line, [point], "markers")


def _markers(canvas: Canvas, line: Line, names: Sequence[str], mode: str) -> None:
    looks = line.side.identity
    canvas.add(
        x=line.at(names),
        y=[line.series.values.get(point) for point in names],
        xaxis=line.axis,
        mode=mode,
        name=line.side.markup,
        showlegend=mode != "markers",
        line=looks.line,
        marker={
            "size": 4 if depth_of(line.series.points) > _DENSE else 8,
            "symbol": looks.symbol,
            "color": [canvas.theme.paper if p in line.series.unresolved else looks.colour for p in names],
            "line": {"color": looks.colour, "width": 1.5},
        },
        text=[line.words[point] for point in names],
    )


def _missing(canvas: Canvas, broken: Sequence[Line]) -> None:
    """Hollow markers along the bottom where a line has a gap, one row a side, with the reason on hover."""
    if not broken:
        return
    canvas.axes["yaxis2"] = {"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True}
    for row, line in enumerate(broken):
        names = list(line.series.missing)
        looks = line.side.identity
        canvas.add(
            x=line.at(names),
            y=[_BOTTOM_ROW + _ROW * row] * len(names),
            xaxis=line.axis,
            yaxis="y2",
            mode="markers",
            marker={"size": 8, "symbol": f"{looks.symbol}-open", "color": looks.colour, "line": {"width": 1}},
            text=[line.words[point] for point in names],
        )
        place = {"x": line.at(names)[-1], "xref": line.axis, "xanchor": "left", "xshift": 6}
        canvas.note(text="missing", y=_BOTTOM_ROW + _ROW * row, yanchor="middle", font={"size": 10}, **place)


def _select(canvas: Canvas, depths: Depths, selected: str) -> None:
    """A line at a point of the baseline's axis, with its name, where that axis has such a point."""
    places = depths.positions([points.EMBEDDING, *map(points.block, range(depths.blocks[0])), *depths.apart])
    if selected in places:
        canvas.select(places[selected], points.title(selected), shift=canvas.above)
        canvas.above += LINE + 4
