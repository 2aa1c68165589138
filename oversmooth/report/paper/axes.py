"""Axes of a plotly figure on matplotlib's: scale, range, ticks, grid and titles."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, NullLocator

from oversmooth.report.paper import markup
from oversmooth.report.paper.chart import Chart, Values, title_of
from oversmooth.report.paper.colours import colour
from oversmooth.report.paper.presets import Preset
from oversmooth.report.paper.ticks import Ticks, ticks
from oversmooth.report.paper.typefaces import Typefaces

_ZERO = 1.0
"""Order of depth of the line at zero: above the grid, below the traces."""
GAP = 3.0
"""Pixels between an axis and its labels."""


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
    axis.set_ticklabels([typefaces.shown(markup.plain(words)) for _, words in found])


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
        typefaces.shown(markup.plain(text)),
        fontsize=preset.size(font["size"]),
        color=colour(font["color"]),
    )
    axis.labelpad = settings["title"].get("standoff", 8) * preset.points_per_pixel / 2
