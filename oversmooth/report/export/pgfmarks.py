"""Lines and markers of a canvas for pgfplots: the same colours, dashes and outlines."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from matplotlib.colors import to_hex
from matplotlib.path import Path

from oversmooth.report.paper.chart import Values
from oversmooth.report.paper.colours import colour
from oversmooth.report.paper.marks import Look
from oversmooth.report.paper.symbols import MARKERS, line_style


def mark_of(look: Look) -> str:
    """Name of a declared marker."""
    return f"oversmooth-{look.symbol}"


def options_of(look: Look, unit: float) -> str:
    """For ``mark options`` or a class of ``scatter``."""
    fill = "" if look.is_hollow else f"fill={name_of(look.fill)}, "
    return f"solid, draw={name_of(look.edge)}, {fill}line width={look.width * unit:g}bp"


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
    width = line.get("width", 2)
    style = line_style(line.get("dash", "solid"), width)
    found = [f"color={name_of(line['color'])}", f"line width={width * unit:.3g}bp"]
    if opacity_of(line["color"]) != "1":
        found.append(f"draw opacity={opacity_of(line['color'])}")
    if style != "solid":
        lengths = [f"{length * width * unit:.3g}bp" for length in style[1]]
        pairs = zip(lengths[::2], lengths[1::2], strict=True)
        found.append(f"dash pattern={' '.join(f'on {on} off {off}' for on, off in pairs)}")
    return found
