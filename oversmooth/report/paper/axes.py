"""Axes of a plotly figure on matplotlib's: scale, range, ticks, grid and titles; and the colour scale above a map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, NullLocator
from matplotlib.transforms import Bbox

from oversmooth.report.figures.theme import Theme, round_step
from oversmooth.report.paper.chart import Chart, Values, title_of
from oversmooth.report.paper.presets import Preset
from oversmooth.report.paper.symbols import colour, shaded
from oversmooth.report.paper.typefaces import Typefaces
from oversmooth.report.paper.words import plain

Ticks = list[tuple[float, str]]

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_DEFAULT = 6
_STEPS = (2, 5, 10)
"""Round steps, as plotly takes them: the smallest that is no less than what the number of ticks asks for."""
_ZERO = 1.0
"""Order of depth of the line at zero: above the grid, below the traces."""
GAP = 3.0
"""Pixels between an axis and its labels."""
_COLOURS = 256
_ABOVE, _BESIDE = 8.0, 6.0
"""Pixels between the map and the words above it, and between the name and the colours."""


def ticks(settings: Values, low: float, high: float, categories: dict[Any, int]) -> Ticks:
    """Positions within the range, with their labels as markup.

    Settings are those of an axis or a colour bar; ``categories`` are the positions of the axis's categories.
    """
    if settings.get("tickvals") is not None:
        places = [float(categories.get(each, each)) for each in settings["tickvals"]]
        labels = settings.get("ticktext")
        found = list(zip(places, map(str, labels) if labels is not None else map(_plain, places), strict=True))
    elif settings.get("type") == "log":
        found = _powers(int(settings.get("dtick") or 1), low, high)
    else:
        found = [(place, formatted(place, settings.get("tickformat", ""))) for place in _even(settings, low, high)]
    room = 1e-9 * (high - low)
    return [(place, label) for place, label in found if low - room <= place <= high + room]


def _powers(step: int, low: float, high: float) -> Ticks:
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    shown = [power for power in range(first, last + 1) if power % step == 0]
    plain = {0: "1", 1: "10"}
    return [(10.0**power, plain.get(power, f"10{str(power).translate(_SUPERSCRIPTS)}")) for power in shown]


def _even(settings: Values, low: float, high: float) -> Sequence[float]:
    start = float(settings.get("tick0") or 0)
    step = float(settings.get("dtick") or round_step((high - low) / (settings.get("nticks") or _DEFAULT), _STEPS))
    counts = np.arange(math.ceil((low - start) / step - 1e-9), math.floor((high - start) / step + 1e-9) + 1)
    return [float(start + step * count) for count in counts]


def formatted(value: float, form: str) -> str:
    """A number in a form of d3, which is Python's but for a tilde that drops zeros."""
    if abs(value) < 1e-12:
        value = 0.0
    if not form or form == "~g":
        return _plain(value)
    return format(value, form).replace("-", "−")


def _plain(value: float) -> str:
    return f"{value:g}".replace("-", "−")


def set_up(axes: Axes, name: str, chart: Chart, preset: Preset, typefaces: Typefaces, *, decorate: bool) -> None:
    """Give one side of the axes the scale and range of the screen figure, and its ticks, grid and title.

    Without ``decorate``, other axes draw the same plotly axis already.
    """
    settings = chart.axes[name]
    axis = axes.xaxis if name[0] == "x" else axes.yaxis
    _range(axes, name, chart)
    low, high = sorted(axis.get_view_interval())
    shown = decorate and settings.get("visible", True)
    found = ticks(settings, low, high, chart.categories(name)) if shown else []
    label(axis, found if settings.get("showticklabels", True) else [(place, "") for place, _ in found], typefaces)
    for spine in axes.spines.values():
        if spine.spine_type in ("left", "right") if name[0] == "y" else spine.spine_type in ("top", "bottom"):
            spine.set_visible(False)
    if not shown:
        return
    side = str(settings.get("side", "bottom" if name[0] == "x" else "left"))
    if side == "top":
        axes.xaxis.set_ticks_position("top")
        axes.xaxis.set_label_position("top")
    _style(axis, settings, preset)
    _line(axes, side, settings, preset)
    if settings.get("showgrid", False):
        width = settings.get("gridwidth", 1) * preset.points_per_pixel
        axis.grid(color=colour(settings["gridcolor"]), linewidth=width, linestyle="solid")
    if settings.get("zeroline", False) and low <= 0 <= high:
        across = axes.axvline if name[0] == "x" else axes.axhline
        width = settings.get("zerolinewidth", 1) * preset.points_per_pixel
        across(0, color=colour(settings["zerolinecolor"]), linewidth=width, zorder=_ZERO)
    _title(axis, settings, preset, typefaces)


def label(axis: Axis, found: Ticks, typefaces: Typefaces) -> None:
    """Put ticks there and nowhere else."""
    axis.set_major_locator(FixedLocator([place for place, _ in found]))
    axis.set_minor_locator(NullLocator())
    axis.set_ticklabels([typefaces.shown(plain(words)) for _, words in found])


def _range(axes: Axes, name: str, chart: Chart) -> None:
    settings = chart.axes[name]
    across = name[0] == "x"
    if chart.is_log(name):
        (axes.set_xscale if across else axes.set_yscale)("log")
    categories = chart.categories(name)
    low, high = (-0.5, len(categories) - 0.5) if categories else map(float, settings.get("range", (0, 1)))
    if chart.is_log(name):
        low, high = 10**low, 10**high
    if settings.get("autorange") == "reversed":
        low, high = high, low
    (axes.set_xlim if across else axes.set_ylim)(low, high)


def _style(axis: Axis, settings: Values, preset: Preset) -> None:
    unit = preset.points_per_pixel
    words = settings.get("tickfont", {})
    outside = settings.get("ticks") == "outside"
    axis.set_tick_params(
        length=settings.get("ticklen", 5) * unit if outside else 0,
        width=unit,
        color=colour(settings["tickcolor"]),
        labelsize=preset.size(words["size"]),
        labelcolor=colour(words["color"]),
        labelrotation=-float(settings.get("tickangle") or 0),
        pad=(GAP + settings.get("ticklabelstandoff", 0)) * unit,
    )


def _line(axes: Axes, side: str, settings: Values, preset: Preset) -> None:
    if settings.get("showline", False):
        axes.spines[side].set(
            visible=True,
            color=colour(settings["linecolor"]),
            linewidth=settings.get("linewidth", 1) * preset.points_per_pixel,
        )


def _title(axis: Axis, settings: Values, preset: Preset, typefaces: Typefaces) -> None:
    text = title_of(settings)
    if not text:
        return
    font = settings["title"]["font"]
    axis.set_label_text(
        typefaces.shown(plain(text)),
        fontsize=preset.size(font["size"]),
        color=colour(font["color"]),
    )
    axis.labelpad = settings["title"].get("standoff", 8) * preset.points_per_pixel / 2


@dataclass(frozen=True)
class ColourBar:
    """A colour scale, to be placed when its map has found its own place."""

    axes: Axes
    map: Axes
    long: float
    """Points."""
    thick: float
    unit: float
    """Points of one pixel of the screen."""

    @classmethod
    def of(cls, axes: Axes, trace: Values, theme: Theme, preset: Preset, typefaces: Typefaces) -> ColourBar:
        """Of the map on these axes."""
        settings = trace["colorbar"]
        unit = preset.points_per_pixel
        below, axes = axes, axes.figure.add_axes((0, 0, 0.1, 0.1), label="colour bar")
        low, high = trace["zmin"], trace["zmax"]
        pixels = shaded(np.linspace(low, high, _COLOURS)[None], low, high, trace["colorscale"])
        axes.imshow(pixels, aspect="auto", extent=(low, high, 0, 1), interpolation="none")
        for spine in axes.spines.values():
            spine.set_visible(False)
        size, words = preset.size(settings["tickfont"]["size"]), colour(theme.text)
        label(axes.xaxis, ticks(settings, low, high, {}), typefaces)
        label(axes.yaxis, [], typefaces)
        axes.tick_params(length=0, pad=3 * unit, labelsize=size, labelcolor=words)
        axes.set_ylabel(
            typefaces.shown(plain(title_of(settings))),
            rotation=0, ha="right", va="center", size=preset.size(12), color=words, labelpad=_BESIDE * unit,
        )  # fmt: skip
        return cls(axes, below, settings["len"] * unit, settings["thickness"] * unit, unit)

    def arrange(self, page: Bbox, top: float) -> None:
        """Stand above the chart, the name at the left edge of the map.

        The page is in points; ``top`` is the upper end of the chart, as a share of it.
        """
        self.map.apply_aspect()
        box = self.map.get_position()
        name, numbers = self._words()
        left = box.x0 + name / page.width
        bottom = top + (numbers + _ABOVE * self.unit) / page.height
        long = min(self.long, box.x1 * page.width - left * page.width)
        self.axes.set_position((left, bottom, max(long, 1.0) / page.width, self.thick / page.height))

    def _words(self) -> tuple[float, float]:
        """Points that the name takes on the left, and the numbers below."""
        inner, whole = self.axes.get_window_extent(), self.axes.get_tightbbox()
        points = 72 / self.axes.get_figure(root=True).dpi  # type: ignore[union-attr]
        assert whole is not None  # noqa: S101  the axes are visible
        return (inner.x0 - whole.x0) * points, (inner.y0 - whole.y0) * points
