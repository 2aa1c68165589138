"""Coloured cells and what their colours stand for; charts below each other over one depth axis, and axes of blocks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from oversmooth.core import points
from oversmooth.core.numerals import number, signed
from oversmooth.core.tokens import escape
from oversmooth.report.figures.canvas import Canvas, Pane
from oversmooth.report.figures.series import ticks
from oversmooth.report.figures.theme import MAP_SCALE, round_step, value_axis

BAR: Final = 46
"""Pixels above a map that the scale of its colours takes."""
DIVERGING = ((0.0, "#250b58"), (0.25, "#6548a0"), (0.5, "#a8a8a8"), (0.75, "#eeb04e"), (1.0, "#ffe49c"))
"""Violet below zero, grey at zero, amber above: dark to light, so that the sign survives a print in grey."""
MOST_TICKS = 13
_HEADING = 20
"""Pixels above each chart for its name."""
BELOW: Final = 48
"""Pixels that the axis of blocks takes below it."""
MOST_HEADS: Final = 8
"""Numbered heads."""


@dataclass(frozen=True)
class Scale:
    """Colours of a map and what they stand for."""

    low: float
    high: float
    title: str = "cosine"
    colours: str | tuple[tuple[float, str], ...] = MAP_SCALE
    number: str = ".2f"
    """Format of a value on hover, as of d3."""
    ticks: Mapping[float, str] | None = None
    """Values on the colour bar and their labels; None leaves them to plotly."""


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


def scale_around_zero(size: float, title: str, number: str = "") -> Scale:
    """As far below zero as above, to the next number of one digit; of 0, one part in a thousand.

    ``number`` is their format on hover, as of d3; without it, two decimals more than the ends have.
    """
    # Of maps that are the same, the scale would have no extent; below a thousandth, a cosine of float32 is rounding.
    size = max(size, 1e-3)
    power = 10.0 ** math.floor(math.log10(size))
    limit = math.ceil(size / power - 1e-6) * power
    marks = {-limit: signed(-limit, 1), 0.0: "0", limit: signed(limit, 1)}
    number = number or f"+.{max(0, -math.floor(math.log10(limit) + 1e-9)) + 2}f"
    return Scale(-limit, limit, title=title, colours=DIVERGING, number=number, ticks=marks)


def heat(
    values: NDArray[np.floating], x: Sequence[Any], y: Sequence[Any], scale: Scale, hover: str, *, bar: bool = True
) -> dict[str, Any]:
    """A trace of one coloured cell for each value, (row, column), at these positions or of these categories.

    Cells that are not finite stay empty. ``hover`` are words before a value, as a template of plotly's; ``bar`` says
    whether the scale stands above the figure.
    """
    return {
        "type": "heatmap", "x": list(x), "y": list(y), "z": values.astype(np.float32), "zmin": scale.low,
        "zmax": scale.high, "colorscale": scale.colours,
        "hovertemplate": f"{hover}<b>%{{z:{scale.number}}}</b><extra></extra>",
        **({"colorbar": _colour_bar(scale)} if bar else {"showscale": False}),
    }  # fmt: skip


def _colour_bar(scale: Scale) -> dict[str, Any]:
    """Above the map: beside it, a phone would have no room for the map."""
    ticks: dict[str, Any] = {"tickformat": ".1f", "nticks": 4}
    if scale.ticks is not None:
        ticks = {"tickvals": list(scale.ticks), "ticktext": list(scale.ticks.values())}
    return {
        "title": {"text": scale.title, "side": "right"}, "orientation": "h", "thickness": 8, "lenmode": "pixels",
        "len": 220, "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom", "outlinewidth": 0,
        "tickfont": {"size": 11}, **ticks,
    }  # fmt: skip


def square_axes(values: Sequence[str], labels: Sequence[str], angle: int, size: int = 11) -> dict[str, dict[str, Any]]:
    """Two axes of the same categories for a square map whose diagonal runs down.

    Only ``values`` are labelled; ``angle`` is that of the labels across, in degrees.
    """
    shared = {
        "type": "category", "tickvals": values, "ticktext": labels, "tickfont": {"size": size}, "showline": False,
        "showgrid": False, "ticks": "",
        # Not “domain”: the browser would keep the domain of a wider screen when the chart is small again.
        "constrain": "range",
    }  # fmt: skip
    across = {"constraintoward": "left", "tickangle": angle}
    down = {"autorange": "reversed", "scaleanchor": "x", "constraintoward": "top"}
    return {"xaxis": shared | across, "yaxis": shared | down}


def block_axis(blocks: int, *, room: float = 0.5) -> dict[str, Any]:
    """An axis that numbers the blocks, with so much room at its ends."""
    values, labels = ticks({points.block(index): float(index) for index in range(blocks)}, most=MOST_TICKS)
    title = {"text": "block"}
    return {"tickvals": values, "ticktext": labels, "tickangle": 0, "range": [-room, blocks - 1 + room], "title": title}


def stacked(
    canvas: Canvas, headings: Sequence[str], across: Mapping[str, Any], up: Sequence[Mapping[str, Any]], height: int
) -> list[Pane]:
    """Give a canvas as many charts below each other as there are headings; only the last has words on its depth axis.

    ``across`` are settings of the depth axis that all share, ``up`` those of the value axis of each; the height is that
    of all charts with their headings, in pixels.
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
