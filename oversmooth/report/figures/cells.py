"""Maps of one value for each block and head."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from oversmooth.report.figures.canvas import Canvas, Pane
from oversmooth.report.figures.panes import block_axis
from oversmooth.report.figures.series import ticks
from oversmooth.report.figures.similarity import Scale, heat
from oversmooth.report.figures.theme import value_axis

BAR: Final = 46
"""Pixels above a map that the scale of its colours takes."""
MOST_HEADS: Final = 8
"""Numbered heads."""


def cells(canvas: Canvas, values: NDArray[np.float64], scale: Scale, pane: Pane, *, hover: str) -> None:
    """A heat map; cells without a value stay empty. The first of a canvas shows the scale of its colours.

    Args:
        canvas: drawn upon.
        values: (head, block).
        scale: of the colours.
        pane: whose axes count heads and blocks from 0.
        hover: words before the value, as a template of plotly's.
    """
    rows, columns = values.shape
    first = not any(trace["type"] == "heatmap" for trace in canvas.traces)
    canvas.above += BAR if first else 0
    canvas.traces.append(heat(values, range(columns), range(rows), scale, hover, bar=first) | pane.trace)


def unnamed_block_axis(blocks: int) -> dict[str, Any]:
    """An axis that numbers the blocks without a title, which plotly puts over the numbers beside a colour bar above."""
    return {name: value for name, value in block_axis(blocks).items() if name != "title"}


def name_blocks(canvas: Canvas, pane: Pane) -> None:
    """The title of that axis, as words below the lowest chart."""
    place = {"x": 0.5, "xanchor": "center", "y": 0, "yanchor": "top", "yshift": -20, **pane.inside}
    canvas.note(text="block", font={"size": 12, "color": canvas.theme.text}, **place)


def head_axis(heads: int) -> dict[str, Any]:
    """A value axis that numbers the heads from below."""
    values, labels = ticks({str(index): float(index) for index in range(heads)}, most=MOST_HEADS)
    return {
        "tickvals": values, "ticktext": labels, "range": [-0.5, heads - 0.5], "showgrid": False,
        "title": {"text": "head"},
    }  # fmt: skip


def height_of(heads: int) -> int:
    """Pixels of a map with so many heads."""
    return min(max(13 * heads, 90), 300)


def even_scale(values: NDArray[np.float64], title: str) -> Scale:
    """From the smallest to the largest finite value, with round numbers between them marked."""
    known = values[np.isfinite(values)]
    low, high = float(known.min()), float(known.max())
    if high - low < 1e-9 * max(abs(high), 1e-300):
        # Of values that are all alike, the scale would have no extent.
        low, high = low - 0.5 * (abs(low) or 1.0), high + 0.5 * (abs(high) or 1.0)
    step = float(value_axis(low, high, ticks=5, from_zero=False)["dtick"])
    marks = [step * count for count in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return Scale(low, high, title=title, number=".4~g", ticks={mark: f"{mark:.6g}".replace("-", "−") for mark in marks})


def rounded_up(size: float) -> float:
    """The next number of one digit; of 0, one part in a thousand."""
    power = 10.0 ** math.floor(math.log10(max(size, 1e-3)))
    return math.ceil(max(size, 1e-3) / power - 1e-6) * power
