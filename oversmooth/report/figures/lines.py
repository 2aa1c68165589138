"""Curves of several sides over depth, and the axes of models with different numbers of blocks, laid over each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from oversmooth.core import points
from oversmooth.core.wording import count
from oversmooth.report.figures.canvas import LINE, Canvas, Drawn
from oversmooth.report.figures.identity import NamedSide
from oversmooth.report.figures.labels import name_sides
from oversmooth.report.figures.series import APART, GAP, Series, draw_band, positions, ticks

MOST_TICKS = 8
"""Beside the names of lines, a phone has room for no more."""
_LEFT = 54
"""Pixels left of the chart in which “12 blocks” fits."""
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
class Depths:
    """Where the points of each side stand: the embedding, the last block and what follows it above each other."""

    blocks: tuple[int, ...]
    """The depths that occur, the baseline's first; each has its own axis."""
    apart: tuple[str, ...]
    """What is set apart behind the last block in any of the sides."""

    @classmethod
    def of(cls, baseline: Sequence[str], others: Sequence[Sequence[str]]) -> Depths:
        """For sides with these points, of which the baseline's numbers stand below the chart."""
        every = [baseline, *others]
        apart = tuple(point for point in APART if any(point in names for names in every))
        return cls(tuple(dict.fromkeys(map(depth_of, every))), apart)

    def axis(self, blocks: int) -> str:
        """Plotly's name for the axis of models of that depth."""
        number = self.blocks.index(blocks)
        return "x" if number == 0 else f"x{number + 1}"

    def positions(self, names: Sequence[str]) -> dict[str, float]:
        """Where each point of one side stands on its axis: block numbers, and what is apart in line with the others."""
        return positions(names, self.apart, GAP * self._unit(depth_of(names)))

    def draw(self, canvas: Canvas) -> None:
        """Put the axes on a canvas."""
        places = self.positions([points.EMBEDDING, *map(points.block, range(self.blocks[0])), *self.apart])
        values, labels = ticks(places, most=MOST_TICKS)
        canvas.depth_axis.update(tickvals=values, ticktext=labels, tickangle=0, range=self._range(self.blocks[0]))
        if len(self.apart) < 2:
            canvas.depth_axis["title"] = {"text": "block"}
        for row, blocks in enumerate(self.blocks[1:]):
            self._upper(canvas, blocks, row)
        if len(self.blocks) > 1:
            canvas.margin["l"] = _LEFT
            canvas.above += LINE * (len(self.blocks) - 1) + 8

    def _upper(self, canvas: Canvas, blocks: int, row: int) -> None:
        """One axis above the chart, with its number of blocks left of it, over the labels of the value axis."""
        values, labels = ticks(self.positions(list(map(points.block, range(blocks)))), most=MOST_TICKS)
        small = {"size": 10, "color": canvas.theme.muted}
        canvas.axes[f"xaxis{row + 2}"] = {
            "overlaying": "x",
            "side": "top",
            "range": self._range(blocks),
            "tickangle": 0,
            "tickvals": values,
            "ticktext": labels,
            "ticklabelstandoff": LINE * row,
            "tickfont": small,
        }
        place = {"x": 0, "xref": "paper", "xanchor": "right", "y": 1, "yanchor": "bottom", "yshift": 5 + LINE * row}
        canvas.note(text=count(blocks, "block"), font=small, **place)

    def _range(self, blocks: int) -> list[float]:
        unit = self._unit(blocks)
        return [-1 - 0.5 * unit, blocks - 1 + (GAP * len(self.apart) + 0.5) * unit]

    def _unit(self, blocks: int) -> float:
        """How many blocks of that depth take the room of one of the baseline's."""
        return blocks / self.blocks[0]


def depth_of(names: Sequence[str]) -> int:
    """How many blocks a model with these points has."""
    return sum(map(points.is_block, names))


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
    places = depths.positions([points.EMBEDDING, *map(points.block, range(depths.blocks[0])), *depths.apart])
    if selected in places:
        canvas.select(places[selected], points.title(selected), shift=canvas.above)
        canvas.above += LINE + 4
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
