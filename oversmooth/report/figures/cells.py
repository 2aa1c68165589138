"""Maps of one value for each block and head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from oversmooth.report.figures.canvas import Canvas, Pane
from oversmooth.report.figures.coloured import BAR, Scale, heat
from oversmooth.report.figures.panes import block_axis, stacked
from oversmooth.report.figures.series import ticks

BELOW: Final = 48
"""Pixels that the axis of blocks takes below it."""
MOST_HEADS: Final = 8
"""Numbered heads."""


def cells(canvas: Canvas, values: NDArray[np.float64], scale: Scale, pane: Pane, *, hover: str) -> None:
    """A heat map; cells without a value stay empty. The first of a canvas shows the scale of its colours.

    Values are of (head, block), on axes that count both from 0; ``hover`` are words before one, as a template of
    plotly's.
    """
    rows, columns = values.shape
    first = not any(trace["type"] == "heatmap" for trace in canvas.traces)
    canvas.above += BAR if first else 0
    canvas.traces.append(heat(values, range(columns), range(rows), scale, hover, bar=first) | pane.trace)


def over_blocks(
    canvas: Canvas, headings: Sequence[str], up: Sequence[Mapping[str, Any]], blocks: int, height: int
) -> list[Pane]:
    """Charts below each other over an axis that numbers the blocks, as :func:`stacked` makes them, and room below.

    The axis is named in words below the lowest: plotly puts a title over the numbers beside a colour bar above.
    """
    across = {name: value for name, value in block_axis(blocks).items() if name != "title"}
    panes = stacked(canvas, headings, across, up, height)
    place = {"x": 0.5, "xanchor": "center", "y": 0, "yanchor": "top", "yshift": -20, **panes[-1].inside}
    canvas.note(text="block", font={"size": 12, "color": canvas.theme.text}, **place)
    canvas.margin["b"] = BELOW
    return panes


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
