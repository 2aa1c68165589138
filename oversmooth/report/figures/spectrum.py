"""Singular values of the tokens at one point, before the fan of all others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from oversmooth.core import points
from oversmooth.core.numerals import number
from oversmooth.report.figures.theme import Theme, blank, template, value_axis
from oversmooth.report.findings.spectra import Float64, cumulative_shares, singular_values, spectrum_reason

if TYPE_CHECKING:
    from oversmooth.results.measurement import Measurement

HEIGHT = 520
MOST_COMPONENTS = 400
"""Components drawn of one line; of more, evenly many per decade."""

MOST_MARKERS = 64
"""Components up to which each has a marker."""

# Names are filled in as data: within a template, a label such as %{x} would be a command.
_VALUE = "%{fullData.text}, component %{x}: <b>%{y:.4g}</b><extra></extra>"
_SHARE = "%{fullData.text}, first %{x}: <b>%{y:.1%}</b><extra></extra>"
_UNRESOLVED = "%{fullData.text}, component %{x}: %{y:.2g}<br>below the resolution of the pass<extra></extra>"

Trace = dict[str, Any]
"""One plotly trace: as a plain dictionary it is checked once, with its figure, not by itself as well."""


def spectrum(measurement: Measurement, point: str, *, centred: bool, logarithmic: bool, theme: Theme) -> go.Figure:
    """Singular values of the tokens of the text shown, and below them the share of the energy in the first k.

    The point is drawn strongly, every other main point as a thin line whose colour is its depth. Values below the
    resolution of the pass are grey, and the resolution is a dashed line where it is in view.

    Args:
        measurement: what to draw.
        point: the one to look at.
        centred: whether the mean token is removed first.
        logarithmic: whether the value axis is; values of exactly 0 are then left out.
        theme: colours.
    """
    values = singular_values(measurement, point, centred=centred)
    if values.size == 0 or values[0] == 0:
        why = spectrum_reason(measurement, point, centred=centred) if values.size == 0 else "all its values are 0"
        return blank(f"No spectrum at {points.title(point)}: {why}.", theme, height=HEIGHT)
    floor = float(measurement.spectra["floor"].sel(point=point).values[measurement.settings.shown])
    extent = extent_of([measurement], centred)
    shapes, notes = resolution([floor], measurement.settings.precision, extent, logarithmic, theme)
    layout = {
        "template": template(theme),
        "height": HEIGHT,
        "shapes": shapes,
        "annotations": [*notes, depth_key(measurement, theme), *_words(values, points.title(point), theme)],
    }
    traces = [
        *_fan(measurement, point, centred, theme),
        *strong_line(values, floor, points.title(point), theme, line={"color": theme.accent, "width": 2.5}),
    ]
    axes = axes_of(extent, values.size, centred, logarithmic)
    return go.Figure(traces, layout | axes)


def _line(values: Float64, title: str, **style: Any) -> list[Trace]:  # noqa: ANN401  plotly's own keywords
    """A spectrum, and its cumulative share in the lower chart."""
    kept = _drawn(values.size)
    common = {"type": "scatter", "mode": "lines", "x": (kept + 1).astype(np.int32), "text": title, **style}
    return [
        {**common, "y": values[kept], "hovertemplate": _VALUE},
        {**common, "y": cumulative_shares(values)[kept], "hovertemplate": _SHARE, "xaxis": "x2", "yaxis": "y2"},
    ]


def _drawn(count: int) -> NDArray[np.intp]:
    """Indices of the components that are drawn: all, or evenly many per decade."""
    if count <= MOST_COMPONENTS:
        return np.arange(count)
    return np.unique(np.round(np.geomspace(1, count, MOST_COMPONENTS)).astype(np.intp)) - 1


def depth_shares(measurement: Measurement) -> dict[str, float]:
    """How deep each main point lies, from 0 to 1."""
    names = measurement.main_points
    return {name: index / max(1, len(names) - 1) for index, name in enumerate(names)}


def _fan(measurement: Measurement, point: str, centred: bool, theme: Theme) -> list[Trace]:
    traces = []
    for name, depth in depth_shares(measurement).items():
        values = singular_values(measurement, name, centred=centred)
        if name != point and values.size and values[0] > 0:
            traces += _line(values, points.title(name), line={"color": theme.depth_colour(depth), "width": 1})
    return traces


def depth_key(measurement: Measurement, theme: Theme) -> dict[str, Any]:
    """A line of words above the chart that names the colours of the fan."""
    depths = depth_shares(measurement)
    step = 1 + len(depths) // 7
    named = [name for index, name in enumerate(depths) if index % step == 0 or index == len(depths) - 1]
    words = [
        f'<span style="color:{theme.depth_colour(depths[name])}"><b>━</b></span> {points.tick(name)}' for name in named
    ]
    return {
        "text": "   ".join(words), "x": 0, "y": 1, "xref": "x domain", "yref": "y domain",
        "xanchor": "left", "yanchor": "bottom", "yshift": 4,
    }  # fmt: skip


def strong_line(values: Float64, floor: float, title: str, theme: Theme, **style: Any) -> list[Trace]:  # noqa: ANN401
    """A spectrum and its cumulative share as strong lines; in the first, values below the resolution are grey.

    Args:
        values: descending.
        floor: the resolution of the pass.
        title: what hover calls it, as markup.
        theme: colours.
        style: plotly's ``line``, and what else the traces are given.
    """
    mode = "lines+markers" if values.size <= MOST_MARKERS else "lines"
    style = {"mode": mode, "marker": {"size": 5, "color": style["line"]["color"]}, **style}
    above, below = _line(values, title, **style)
    below["showlegend"] = False
    grey = above["y"] <= floor
    if not grey.any():
        return [above, below]
    # From the last value above the floor on, so that the line does not break.
    tail = slice(max(0, int(np.argmax(grey)) - 1), None)
    marker = {"size": 4, "color": theme.paper, "line": {"color": theme.muted, "width": 1}}
    unresolved = {
        "type": "scatter",
        "x": above["x"][tail],
        "y": above["y"][tail],
        "mode": "lines+markers",
        "line": {"color": theme.muted, "width": 1},
        "marker": marker | {"symbol": style["marker"].get("symbol", "circle")},
        "text": title,
        "hovertemplate": _UNRESOLVED,
        "showlegend": False,
    }
    return [unresolved, {**above, "y": np.where(grey, np.nan, above["y"])}, below]


def _words(values: Float64, title: str, theme: Theme) -> list[dict[str, Any]]:
    size = f"largest {number(float(values[0]))}, smallest {number(float(values[-1]))}"
    enough = int(np.searchsorted(cumulative_shares(values), 0.9)) + 1
    corner = {"x": 1, "xanchor": "right", "font": {"size": 12, "color": theme.text}}
    top = {"text": f"<b>{title}</b>: {size}", "y": 1, "yanchor": "top", "xref": "x domain", "yref": "y domain"}
    energy = f"90 % of the energy in {enough} of {values.size}"
    bottom = {"text": energy, "y": 0.06, "yanchor": "bottom", "xref": "x2 domain", "yref": "y2 domain"}
    return [top | corner, bottom | corner]


def axes_of(extent: tuple[float, float], components: int, centred: bool, logarithmic: bool) -> dict[str, Any]:
    """Two charts over one axis of components: singular values with this extent, and shares of the energy."""
    low, high = extent
    if logarithmic:
        span = math.log10(high / low)
        ends = [math.log10(low) - 0.05 * span, math.log10(high) + 0.05 * span]
        values = {"type": "log", "range": ends, **_log_ticks(low, high)}
    else:
        values = value_axis(0.0, high, ticks=6, from_zero=True)
    across = {"range": [0.5 - 0.01 * components, 0.5 + 1.01 * components], "nticks": 8}
    title = "singular value σ of centred tokens" if centred else "singular value σ"
    share = {"range": [0, 1.06], "tickformat": ".0%", "dtick": 0.5, "title": {"text": "share of Σσ²"}}
    return {
        "xaxis": {**across, "anchor": "y", "matches": "x2", "showticklabels": False},
        "xaxis2": {**across, "anchor": "y2", "title": {"text": "component"}},
        "yaxis": {**values, "anchor": "x", "domain": [0.38, 1], "title": {"text": title}},
        "yaxis2": {**share, "anchor": "x2", "domain": [0, 0.32]},
    }


def _log_ticks(low: float, high: float) -> dict[str, object]:
    """Powers of ten, at most eight; below two decades 1, 2 and 5 times each as well."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    if math.log10(high / low) > 2:
        return {"dtick": math.ceil((last - first) / 8), "exponentformat": "power"}
    values = [factor * 10.0**power for power in range(first, last + 1) for factor in (1, 2, 5)]
    return {"tickvals": values, "ticktext": [number(value) for value in values]}


def extent_of(measurements: Sequence[Measurement], centred: bool) -> tuple[float, float]:
    """Smallest and largest value in view: the same for every point, so that the axis stays when the point changes."""
    ends = [_ends(each, centred) for each in measurements]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    return min(low, high / 10), high


def _ends(measurement: Measurement, centred: bool) -> tuple[float, float]:
    shown = measurement.settings.shown
    every = measurement.spectra["centred" if centred else "raw"].sel(point=list(measurement.main_points)).values[shown]
    floors = measurement.spectra["floor"].sel(point=list(measurement.main_points)).values[shown]
    positive = every[np.isfinite(every) & (every > 0)]
    # Far below the floor there is only rounding, which would squeeze everything else.
    return max(float(positive.min()), float(np.nanmin(floors)) / 10), float(positive.max())


def resolution(
    floors: Sequence[float], precision: str, extent: tuple[float, float], logarithmic: bool, theme: Theme
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Dashed lines below which singular values are rounding, and one label, where they are in view."""
    low, high = extent
    floors = sorted(floor for floor in floors if (low <= floor if logarithmic else floor > 0.02 * high))
    if not floors:
        return [], []
    dashed = {"color": theme.muted, "width": 1, "dash": "dash"}
    across = {"type": "line", "x0": 0, "x1": 1, "xref": "x domain", "yref": "y", "layer": "below", "line": dashed}
    numbers = " to ".join(dict.fromkeys(number(floor, 2) for floor in (floors[0], floors[-1])))
    label = {
        "text": f"resolution of a {precision} pass, {numbers}",
        # Unlike a shape, an annotation on a logarithmic axis is placed by its exponent.
        "y": math.log10(floors[-1]) if logarithmic else floors[-1],
        "x": 0, "xref": "x domain", "yref": "y", "xanchor": "left", "yanchor": "bottom",
    }  # fmt: skip
    return [across | {"y0": floor, "y1": floor} for floor in floors], [label]
