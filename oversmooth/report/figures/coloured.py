"""Coloured cells: what their colours stand for, and axes on which they are square."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from oversmooth.core.numerals import signed
from oversmooth.report.figures.theme import MAP_SCALE, value_axis

BAR: Final = 46
"""Pixels above a map that the scale of its colours takes."""
DIVERGING = ((0.0, "#250b58"), (0.25, "#6548a0"), (0.5, "#a8a8a8"), (0.75, "#eeb04e"), (1.0, "#ffe49c"))
"""Violet below zero, grey at zero, amber above: dark to light, so that the sign survives a print in grey."""


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
