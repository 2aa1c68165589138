"""Dashes and markers with the very measures that plotly gives them on screen."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np
from matplotlib.path import Path

from oversmooth.report.figures.identity import dash_lengths

_LENGTHS = re.compile(r"\d+(\.\d+)?px([\s,]+\d+(\.\d+)?px)*")

_QUARTERS = ((1, 0), (0, -1), (-1, 0), (0, 1))
"""Cosine and sine of turns by right angles, clockwise."""
_ARC = 8
"""Corners of a bent side."""

LineStyle = Literal["solid"] | tuple[float, Sequence[float]]


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


def _hollow_diamond(tip: float, radius: float) -> Path:
    """Four tips, and between them arcs of that radius that bend inwards."""
    half = tip / math.sqrt(2)
    centre = (half + math.sqrt(radius**2 - half**2)) / math.sqrt(2)
    lean = math.atan2(centre - tip, centre)
    turns = [lean + (math.pi / 2 - 2 * lean) * step / _ARC for step in range(_ARC)]
    arc = [(radius * math.cos(turn) - centre, radius * math.sin(turn) - centre) for turn in turns]
    return _polygon(*((x * c - y * s, x * s + y * c) for c, s in _QUARTERS for x, y in arc))


def _cross() -> Path:
    near, far = 0.4, 1.2
    arm = [(near, far), (near, near), (far, near)]
    return _polygon(*((x * c - y * s, x * s + y * c) for c, s in _QUARTERS for x, y in arm))


_WIDE = 2 / math.sqrt(3)
MARKERS: Final[Mapping[str, Path]] = {
    "circle": Path.unit_circle(),
    "square": _polygon((-1, -1), (1, -1), (1, 1), (-1, 1)),
    "diamond": _polygon((0, 1.3), (1.3, 0), (0, -1.3), (-1.3, 0)),
    "cross": _cross(),
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
