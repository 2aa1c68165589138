"""Depth axes of models with different numbers of blocks, laid over each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from oversmooth.core import points
from oversmooth.core.wording import count
from oversmooth.report.figures.canvas import LINE, Canvas
from oversmooth.report.figures.series import APART, GAP, positions, ticks

MOST_TICKS = 8
"""Beside the names of lines, a phone has room for no more."""
_LEFT = 54
"""Pixels left of the chart in which “12 blocks” fits."""


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
