"""Lines, markers, maps and shapes of a canvas on matplotlib axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.transforms import Transform
from numpy.typing import NDArray

from oversmooth.report.paper.chart import Chart, Values, array, axes_of
from oversmooth.report.paper.symbols import MARKERS, Colour, colour, line_style, reach, shaded

_BEHIND, _LINES, _BEFORE = 0.5, 2.0, 3.0
"""Order of depth: shapes below, traces, shapes above."""

Points = NDArray[np.float64]


def draw_scatter(axes: Axes, trace: Values, chart: Chart, unit: float) -> None:
    """Draw what a trace fills, its line, then its markers; a missing value is a gap."""
    x, y = chart.positions(trace, "x"), chart.positions(trace, "y")
    if "fill" in trace:
        axes.add_artist(_area(x, y, colour(trace["fillcolor"])))
    if "lines" in trace["mode"]:
        # The label ties the artist to its trace, for whoever reads the drawing.
        axes.plot(x, y, label=trace.get("name", ""), zorder=_LINES, **line_of(trace, unit))
    if looks := looks_of(trace):
        shown = np.flatnonzero(np.isfinite(y)).tolist()
        alike: dict[Look, list[int]] = {}
        for index in shown[_thinned(trace, chart, len(shown))]:
            alike.setdefault(looks[index], []).append(index)
        # One artist for all that look the same, not one a point.
        for look, which in alike.items():
            axes.plot(x[which], y[which], linestyle="none", zorder=_LINES, **_marker(look, unit))


def _area(x: Points, y: Points, fill: Colour) -> PathPatch:
    """The areas that a line encloses between its gaps, as one path."""
    known = np.isfinite(x) & np.isfinite(y)
    runs = np.split(np.flatnonzero(known), np.flatnonzero(np.diff(np.flatnonzero(known)) > 1) + 1)
    outlines = [Path(np.column_stack([x[run], y[run]])[[*range(len(run)), 0]], closed=True) for run in runs]
    return PathPatch(Path.make_compound_path(*outlines), facecolor=fill, edgecolor="none", linewidth=0, zorder=_LINES)


def line_of(trace: Values, unit: float) -> dict[str, Any]:
    """Matplotlib's style of the line of a trace."""
    line = trace["line"]
    width = float(line.get("width", 2))
    return {
        "color": colour(line["color"]),
        "linewidth": width * unit,
        "linestyle": line_style(line.get("dash", "solid"), width),
        "solid_capstyle": "butt",
        "solid_joinstyle": "round",
        "dash_joinstyle": "round",
    }


@dataclass(frozen=True)
class Look:
    """How one marker looks."""

    symbol: str
    fill: str
    """Its colour; of a hollow one, that of its outline."""
    edge: str
    """Colour of the outline."""
    width: float
    """Of the outline, in pixels."""
    size: float
    """Pixels across."""

    @property
    def is_hollow(self) -> bool:
        """Whether what is behind it is seen."""
        return self.symbol.endswith("-open")


def looks_of(trace: Values) -> list[Look]:
    """The marker of each point of a trace; empty where it has none."""
    if "markers" not in trace["mode"]:
        return []
    marker, edge = trace["marker"], trace["marker"].get("line", {})
    count = len(trace["x"])
    found = []
    for symbol, fill, size in zip(
        _each(marker.get("symbol", "circle"), count),
        _each(marker["color"] if "color" in marker else trace["line"]["color"], count),
        _each(marker.get("size", 6), count),
        strict=True,
    ):
        hollow = symbol.endswith("-open")
        outline = fill if hollow else edge.get("color", fill)
        found.append(Look(symbol, fill, outline, float(edge.get("width", 1 if hollow else 0)), size))
    return found


def _each(value: Any, count: int) -> Sequence[Any]:  # noqa: ANN401  one for all, or one each
    return list(value) if isinstance(value, list | tuple | np.ndarray) else [value] * count


def _marker(look: Look, unit: float) -> dict[str, Any]:
    """Matplotlib's style of a marker."""
    path = MARKERS[look.symbol.removesuffix("-open")]
    return {
        "marker": path,
        "markersize": look.size * unit * reach(path),
        "markerfacecolor": "none" if look.is_hollow else colour(look.fill),
        "markeredgecolor": colour(look.edge),
        "markeredgewidth": look.width * unit,
    }


def legend_key(trace: Values, unit: float) -> Line2D:
    """The line and the marker that stand before a trace's name."""
    style = line_of(trace, unit) if "lines" in trace["mode"] else {"linestyle": "none"}
    for look in looks_of(trace)[:1]:
        # A marker without a filling says something about one point, not about the line.
        style |= _marker(replace(look, fill=look.edge), unit)
    return Line2D([], [], **style)


def _thinned(trace: Values, chart: Chart, count: int) -> slice:
    """Which markers plotly draws of a trace with a most number of them: every k-th, staggered from trace to trace."""
    most = trace.get("marker", {}).get("maxdisplayed", 0)
    if not most:
        return slice(None)
    step = math.ceil(count / most)
    beside = [other for other in chart.traces if axes_of(other) == axes_of(trace)]
    before = beside[: next(index for index, other in enumerate(beside) if other is trace)]
    rank = sum(other.get("marker", {}).get("maxdisplayed", 0) > 0 for other in before)
    # The last term keeps the third trace from standing on the first again.
    offset = round(rank * step / 3 + rank // 3 * step / 7.1)
    return slice(-offset % step, None, step)


def draw_bars(axes: Axes, trace: Values, unit: float) -> None:
    """Draw upright bars from their bases; one without a height is not drawn."""
    marker = trace["marker"]
    edge = marker.get("line", {})
    looks: dict[str, Any] = {
        "facecolor": colour(marker["color"]),
        "edgecolor": colour(edge["color"]) if "color" in edge else "none",
        "linewidth": float(edge.get("width", 0)) * unit,
        "zorder": _LINES,
    }
    columns = [array(trace[key]) for key in ("x", "base", "y")]
    for place, base, height in zip(*np.broadcast_arrays(*columns), strict=True):
        if np.isfinite(height):
            width = float(trace["width"])
            axes.add_artist(Rectangle((place - width / 2, base), width, height, **looks))


def draw_map(axes: Axes, trace: Values, *, square: bool) -> None:
    """Draw every cell of a map as one pixel of an image, not smoothed into its neighbours."""
    pixels = shaded(array(trace["z"]), trace["zmin"], trace["zmax"], trace["colorscale"])
    rows, columns, _ = pixels.shape
    aspect: Literal["equal", "auto"] = "equal" if square else "auto"
    axes.imshow(pixels, aspect=aspect, interpolation="none", extent=(-0.5, columns - 0.5, rows - 0.5, -0.5))


def draw_shape(axes: Axes, shape: Values, across: Transform, unit: float) -> None:
    """A line or a rectangle, in the coordinates of ``across``."""
    line = shape.get("line", {})
    x0, x1, y0, y1 = (float(shape[key]) for key in ("x0", "x1", "y0", "y1"))
    width = float(line.get("width", 2))
    common = {
        "transform": across,
        "clip_on": False,
        "zorder": _BEHIND if shape.get("layer") == "below" else _BEFORE,
        "alpha": shape.get("opacity", 1.0),
        "linewidth": width * unit,
    }
    if shape["type"] == "line":
        style = line_style(line.get("dash", "solid"), width)
        # Added as it is: axes.plot would stretch the axes to its ends.
        looks: dict[str, Any] = {"color": colour(line["color"]), "linestyle": style, "solid_capstyle": "butt"}
        axes.add_artist(Line2D([x0, x1], [y0, y1], **looks, **common))
        return
    fill = colour(shape["fillcolor"]) if "fillcolor" in shape else "none"
    edge = colour(line["color"]) if width and "color" in line else "none"
    axes.add_artist(Rectangle((x0, y0), x1 - x0, y1 - y0, facecolor=fill, edgecolor=edge, **common))
