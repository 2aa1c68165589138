"""Charts below each other over one depth axis, axes that number blocks and heads, and maps of one value for each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from oversmooth.core import points
from oversmooth.core.numerals import number
from oversmooth.core.tokens import escape
from oversmooth.report.figures.canvas import Canvas, Pane
from oversmooth.report.figures.coloured import BAR, Scale, heat
from oversmooth.report.figures.series import ticks
from oversmooth.report.figures.theme import round_step

MOST_TICKS = 13
_HEADING = 20
"""Pixels above each chart for its name."""
BELOW: Final = 48
"""Pixels that the axis of blocks takes below it."""
MOST_HEADS: Final = 8
"""Numbered heads."""


def block_axis(blocks: int, *, room: float = 0.5) -> dict[str, Any]:
    """An axis that numbers the blocks, with so much room at its ends."""
    values, labels = ticks({points.block(index): float(index) for index in range(blocks)}, most=MOST_TICKS)
    title = {"text": "block"}
    return {"tickvals": values, "ticktext": labels, "tickangle": 0, "range": [-room, blocks - 1 + room], "title": title}


def stacked(
    canvas: Canvas, headings: Sequence[str], across: Mapping[str, Any], up: Sequence[Mapping[str, Any]], height: int
) -> list[Pane]:
    """Give a canvas as many charts below each other as there are headings; only the last has words on its depth axis.

    Args:
        canvas: gets axes and headings.
        headings: of each chart, not yet escaped.
        across: settings of the depth axis that all share.
        up: settings of the value axis of each.
        height: of all charts together with their headings, in pixels.
    """
    share, gap = 1 / len(headings), _HEADING / height
    panes = []
    for place, (heading, settings) in enumerate(zip(headings, up, strict=True)):
        number_of = "" if place == 0 else str(place + 1)
        pane = Pane(f"x{number_of}", f"y{number_of}")
        low = 1 - (place + 1) * share
        high = 1 - place * share - gap
        # The lowest ends at 0; each heading stands in the gap above its chart.
        domain = [low + (0 if place == len(headings) - 1 else 0.3 * gap), high]
        last = place == len(headings) - 1
        ours = dict(across) if last else {**across, "showticklabels": False, "title": {"text": ""}}
        link = {} if place == 0 else {"matches": "x"}
        horizontal, vertical = {**ours, **link, "anchor": pane.y}, {**settings, "anchor": pane.x, "domain": domain}
        canvas.axes[f"xaxis{number_of}"], canvas.axes[f"yaxis{number_of}"] = horizontal, vertical
        font = {"size": 11, "color": canvas.theme.text}
        corner = {"x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom", **pane.inside}
        canvas.note(text=f"<b>{escape(heading)}</b>", yshift=1, font=font, **corner)
        panes.append(pane)
    return panes


def log_axis(low: float, high: float, *, most: int = 7) -> dict[str, Any]:
    """Settings of a logarithmic value axis that holds both numbers, which are above 0."""
    span = max(math.log10(high / low), 0.3)
    ends = [math.log10(low) - 0.06 * span, math.log10(high) + 0.06 * span]
    first, last = math.floor(ends[0]), math.ceil(ends[1])
    if span < 0.5:
        values = _even(10 ** ends[0], 10 ** ends[1])
    elif span > 2:
        powers = range(first, last + 1, math.ceil((last - first) / most))
        values = [10.0**power for power in powers]
    else:
        factors = (1, 2, 5) if span > 0.8 else (1, 1.5, 2, 3, 5, 7)
        values = [factor * 10.0**power for power in range(first, last + 1) for factor in factors]
    shown = [value for value in values if ends[0] <= math.log10(value) <= ends[1]]
    return {"type": "log", "range": ends, "tickvals": shown, "ticktext": [_plain(value) for value in shown]}


def _even(low: float, high: float) -> list[float]:
    """About five round numbers with equal steps."""
    step = round_step((high - low) / 6)
    return [step * count for count in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _plain(value: float) -> str:
    return f"{value:g}" if 1e-3 <= value < 1e3 else number(value)


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
