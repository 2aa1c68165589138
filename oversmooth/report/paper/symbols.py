"""Colours as plotly writes them; dashes and markers with the very measures that plotly gives them on screen."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np
import plotly.colors
from matplotlib.colors import to_rgba
from matplotlib.path import Path
from numpy.typing import NDArray

from oversmooth.report.figures.identity import dash_lengths

Colour = tuple[float, float, float, float]
"""Red, green, blue and opacity in [0, 1]."""

_FUNCTION = re.compile(r"rgba?\(([^)]*)\)")
_LENGTHS = re.compile(r"\d+(\.\d+)?px([\s,]+\d+(\.\d+)?px)*")

_QUARTERS = ((1, 0), (0, -1), (-1, 0), (0, 1))
"""Cosine and sine of turns by right angles, clockwise."""
_ARC = 8
"""Corners of a bent side."""

LineStyle = Literal["solid"] | tuple[float, Sequence[float]]


def colour(written: str) -> Colour:
    """``#rrggbb`` and names as they are; ``rgb(…)`` and ``rgba(…)`` as shares."""
    function = _FUNCTION.fullmatch(written.strip())
    if function is None:
        return to_rgba(written)
    red, green, blue, *alpha = (float(part) for part in function[1].split(","))
    return to_rgba((red / 255, green / 255, blue / 255), *alpha)


def shaded(values: NDArray[np.float64], low: float, high: float, name: Any) -> NDArray[np.uint8]:  # noqa: ANN401
    """Values as pixels: red, green, blue and opacity, mixed between the colours of a scale as plotly does.

    Those that are not finite are transparent. ``low`` has the first colour, ``high`` the last; ``name`` is plotly's of
    the scale, or pairs of share and colour.
    """
    pairs = plotly.colors.get_colorscale(name) if isinstance(name, str) else name
    stops, colours = [float(stop) for stop, _ in pairs], np.asarray([colour(each) for _, each in pairs])
    shares = (values - low) / (high - low)
    pixels = np.stack([np.interp(shares, stops, channel) for channel in colours.T], axis=-1)
    pixels[~np.isfinite(values)] = 0.0
    return np.round(255 * pixels).astype(np.uint8)


def is_dash(key: str, value: Any) -> bool:  # noqa: ANN401  whatever a figure holds
    """Whether a value of a figure is a dash given by its lengths, as ``8px 2px``."""
    return key == "dash" and isinstance(value, str) and _LENGTHS.fullmatch(value) is not None


def line_style(dash: str, width: float) -> LineStyle:
    """A dash of plotly for a line of so many pixels, in multiples of that width."""
    lengths = dash_lengths(dash, width)
    return (0, [length / width for length in lengths]) if lengths else "solid"


def _polygon(*corners: tuple[float, float]) -> Path:
    return Path([*corners, corners[0]], closed=True)


def _star(points: int, outer: float, inner: float) -> Path:
    turns = [math.pi * (0.5 + index / points) for index in range(2 * points)]
    reach = (outer, inner)
    corners = [(reach[n % 2] * math.cos(turn), reach[n % 2] * math.sin(turn)) for n, turn in enumerate(turns)]
    return _polygon(*corners)


def _turned(corners: Sequence[tuple[float, float]]) -> Path:
    """The corners in each quarter."""
    return _polygon(*((x * c - y * s, x * s + y * c) for c, s in _QUARTERS for x, y in corners))


def _hollow_diamond(tip: float, radius: float) -> Path:
    """Four tips, and between them arcs of that radius that bend inwards."""
    half = tip / math.sqrt(2)
    centre = (half + math.sqrt(radius**2 - half**2)) / math.sqrt(2)
    lean = math.atan2(centre - tip, centre)
    turns = [lean + (math.pi / 2 - 2 * lean) * step / _ARC for step in range(_ARC)]
    arc = [(radius * math.cos(turn) - centre, radius * math.sin(turn) - centre) for turn in turns]
    return _turned(arc)


_WIDE = 2 / math.sqrt(3)
MARKERS: Final[Mapping[str, Path]] = {
    "circle": Path.unit_circle(),
    "square": _polygon((-1, -1), (1, -1), (1, 1), (-1, 1)),
    "diamond": _polygon((0, 1.3), (1.3, 0), (0, -1.3), (-1.3, 0)),
    "cross": _turned([(0.4, 1.2), (0.4, 0.4), (1.2, 0.4)]),
    "triangle-up": _polygon((-_WIDE, -0.5), (_WIDE, -0.5), (0, 1)),
    "triangle-down": _polygon((-_WIDE, 0.5), (_WIDE, 0.5), (0, -1)),
    "star": _star(5, 1.4, 1.4 * math.cos(0.4 * math.pi) / math.cos(0.2 * math.pi)),
    "star-diamond": _hollow_diamond(1.4, 1.9),
}
"""Outlines in radii of the marker."""
SYMBOLS: Final = frozenset(f"{name}{end}" for name in MARKERS for end in ("", "-open"))


def reach(marker: Path) -> float:
    """How far an outline reaches: matplotlib scales it so that twice this is the size."""
    return float(np.abs(marker.vertices).max())
