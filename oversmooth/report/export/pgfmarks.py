"""Lines and markers of a plotly trace for pgfplots: the same colours, dashes and outlines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.colors import to_hex
from matplotlib.path import Path

from oversmooth.report.paper.chart import Values, array, merged
from oversmooth.report.paper.colours import colour
from oversmooth.report.paper.symbols import MARKERS, line_style

_WIDTH: Final = 2.0
_SIZE: Final = 6.0
"""Pixels, where a trace says nothing."""


@dataclass(frozen=True)
class Look:
    """One kind of marker of a trace."""

    symbol: str
    fill: str
    """A colour's name; empty for an open marker."""
    edge: str
    width: float
    """Of its outline, in points."""
    size: float
    """Its radius in points."""

    @property
    def options(self) -> str:
        """For ``mark options`` or a class of ``scatter``."""
        fill = f"fill={self.fill}, " if self.fill else ""
        return f"solid, draw={self.edge}, {fill}line width={self.width:g}bp"

    @property
    def mark(self) -> str:
        """Name of the declared marker."""
        return f"oversmooth-{self.symbol}"


def name_of(written: str) -> str:
    """What a colour is called in the file."""
    return f"oversmooth{to_hex(colour(written))[1:]}"


def opacity_of(written: str) -> str:
    """Of a colour, which its name does not hold."""
    return f"{colour(written)[3]:.3g}"


def colours(sources: Iterable[str]) -> list[str]:
    """Definitions of the colours by these names."""
    names = sorted(set(sources))
    return [rf"\definecolor{{{name}}}{{HTML}}{{{name.removeprefix('oversmooth').upper()}}}" for name in names]


def declaration(mark: str) -> str:
    """An outline in radii of the marker, filled unless it is open."""
    symbol = mark.removeprefix("oversmooth-")
    draw = r"\pgfusepathqstroke" if symbol.endswith("-open") else r"\pgfusepathqfillstroke"
    outline = _outline(symbol.removesuffix("-open"))
    return f"\\pgfdeclareplotmark{{{mark}}}{{%\n{outline}  {draw}}}"


def _outline(symbol: str) -> str:
    if symbol == "circle":
        return "  \\pgfpathcircle{\\pgfpointorigin}{\\pgfplotmarksize}%\n"
    corners: Path = MARKERS[symbol]
    places = [
        rf"\pgfqpoint{{{x:.4f}\pgfplotmarksize}}{{{y:.4f}\pgfplotmarksize}}"
        for x, y in np.asarray(corners.vertices)[:-1].tolist()
    ]
    steps = [rf"\pgfpathmoveto{{{places[0]}}}", *(rf"\pgfpathlineto{{{place}}}" for place in places[1:])]
    return "".join(f"  {step}%\n" for step in [*steps, r"\pgfpathclose"])


def line_options(trace: Values, unit: float) -> list[str]:
    """Colour, width and dash of a trace's line, or of its area; ``unit`` is what a pixel becomes, in points."""
    if "fill" in trace:
        # Filling closes each piece of the path; \closedcycle would draw it down to the axis.
        return ["draw=none", f"fill={name_of(trace['fillcolor'])}", f"fill opacity={opacity_of(trace['fillcolor'])}"]
    if "lines" not in trace["mode"]:
        return ["only marks"]
    line = trace.get("line", {})
    width = line.get("width", _WIDTH)
    style = line_style(line.get("dash", "solid"), width)
    found = [f"color={name_of(line['color'])}", f"line width={width * unit:.3g}bp"]
    if opacity_of(line["color"]) != "1":
        found.append(f"draw opacity={opacity_of(line['color'])}")
    if style != "solid":
        lengths = [f"{length * width * unit:.3g}bp" for length in style[1]]
        pairs = zip(lengths[::2], lengths[1::2], strict=True)
        found.append(f"dash pattern={' '.join(f'on {on} off {off}' for on, off in pairs)}")
    return found


def looks(trace: Values, unit: float) -> list[Look]:
    """The marker of each point of a trace; empty where it has none."""
    if "markers" not in trace["mode"]:
        return []
    marker = merged({"size": _SIZE, "symbol": "circle", "line": {}}, trace.get("marker", {}))
    count = len(array(trace["x"]))
    symbols, fills = (_each(marker.get(key), count) for key in ("symbol", "color"))
    found = []
    for symbol, fill in zip(symbols, fills, strict=True):
        is_open = str(symbol).endswith("-open")
        edge = fill if is_open else marker["line"].get("color", fill)
        width = marker["line"].get("width", 1.0 if is_open else 0.0)
        found.append(
            Look(symbol, "" if is_open else name_of(fill), name_of(edge), width * unit, marker["size"] * unit / 2)
        )
    return found


def _each(value: Any, count: int) -> Sequence[Any]:  # noqa: ANN401  one for all, or one each
    return list(value) if isinstance(value, list | tuple | np.ndarray) else [value] * count
