"""Singular values of the tokens at one point, before the fan of all others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oversmooth.core import points
from oversmooth.core.numerals import number
from oversmooth.core.wording import count
from oversmooth.report.figures.canvas import WHOLE, Canvas, Drawn, Pane, blank
from oversmooth.report.figures.registry import Arguments, Asked, figure
from oversmooth.report.figures.theme import Theme, value_axis
from oversmooth.report.findings.absences import (
    Float64,
    cumulative_shares,
    no_spectrum,
    singular_values,
    spectrum_reason,
)
from oversmooth.report.findings.collapse import outlier_sentence
from oversmooth.results.comparison import Comparison
from oversmooth.results.files.tables import sides_of
from oversmooth.results.measurement import Measurement

ORDER = 30
HEIGHT = 520
SINGULAR_VALUES = "The singular values are those of the matrix whose rows are the states of the tokens."
MOST_COMPONENTS = 400
"""Components drawn of one line; of more, evenly many per decade."""

MOST_MARKERS = 64
"""Components up to which each has a marker."""

# Names are filled in as data: within a template, a label such as %{x} would be a command.
_VALUE = "%{fullData.text}, component %{x}: <b>%{y:.4g}</b><extra></extra>"
_SHARE = "%{fullData.text}, first %{x}: <b>%{y:.1%}</b><extra></extra>"
_UNRESOLVED = "%{fullData.text}, component %{x}: %{y:.2g}<br>below the resolution of the pass<extra></extra>"

_SHARES = Pane("x2", "y2")
"""The lower chart."""


def spectrum_title(point: str, centred: bool) -> str:
    """The heading of the spectra at one point."""
    return f"Singular values{' of the centred tokens' if centred else ''} at {points.title(point)}"


def needed_spectra(result: Measurement | Comparison, asked: Asked) -> list[Arguments]:
    """Those that were measured, of the tokens as they are and of the centred ones."""
    measured = {str(name) for each in sides_of(result).values() for name in each.spectra}
    forms = [name == "centred" for name in ("raw", "centred") if name in measured]
    return [{"point": asked.point, "centred": centred, "logarithmic": True} for centred in forms]


def spectrum_in_words(measurement: Measurement, point: str, *, centred: bool, **_: bool) -> str:
    """Sizes of the singular values and of the energy that few carry, or why there are none."""
    place = points.title(point)
    values = singular_values(measurement, point, centred=centred)
    kind = "centred tokens" if centred else "tokens"
    if values.size == 0:
        return f"No spectrum of the {kind} at {place}: {spectrum_reason(measurement, point, centred=centred)}."
    opening = f"Singular values of the {kind} at {place}: {count(values.size, 'value')}"
    if values[0] == 0:
        return f"{opening}, all 0."
    shares = cumulative_shares(values)
    enough = int(np.searchsorted(shares, 0.9)) + 1
    floor = float(measurement.spectra["floor"].sel(point=point).values[measurement.settings.shown])
    below = int(np.count_nonzero(values <= floor))
    sentences = [
        f"{opening} from {number(float(values[0]))} to {number(float(values[-1]))}.",
        f"The first carries {100 * shares[0]:.0f} % of the energy; 90 % take {enough} of {values.size}.",
    ]
    if below:
        sentences.append(f"{below} of them lie below the resolution of the pass.")
    return " ".join(filter(None, (*sentences, outlier_sentence(measurement, [point]))))


@figure(
    of=Measurement,
    title=lambda _, point, centred, **__: spectrum_title(point, centred),
    alternative=spectrum_in_words,
    file="spectrum_{point}{centred}",
    needs=needed_spectra,
    definition=SINGULAR_VALUES,
    of_the_text_shown=True,
)
def spectrum(measurement: Measurement, point: str, *, centred: bool, logarithmic: bool, theme: Theme) -> Drawn:
    """Singular values of the tokens of the text shown, and below them the share of the energy in the first k.

    The point is drawn strongly, every other main point as a thin line whose colour is its depth. Values below the
    resolution of the pass are grey, and the resolution is a dashed line where it is in view. On a logarithmic axis,
    values of exactly 0 are left out.
    """
    values = singular_values(measurement, point, centred=centred)
    if why := no_spectrum(measurement, point, centred=centred):
        return blank(f"No spectrum at {points.title(point)}: {why}.", theme, height=HEIGHT)
    floor = float(measurement.spectra["floor"].sel(point=point).values[measurement.settings.shown])
    extent = extent_of([measurement], centred)
    canvas = Canvas(theme, axes=axes_of(extent, values.size, centred, logarithmic))
    draw_resolution(canvas, [floor], measurement.settings.precision, extent, logarithmic)
    name_depths(canvas, measurement)
    _say(canvas, values, points.title(point))
    for name, depth in depth_shares(measurement).items():
        others = singular_values(measurement, name, centred=centred)
        if name != point and others.size and others[0] > 0:
            _draw(canvas, others, points.title(name), line={"color": theme.depth_colour(depth), "width": 1})
    draw_strongly(canvas, values, floor, points.title(point), line={"color": theme.accent, "width": 2.5})
    return canvas.figure(HEIGHT)


def _draw(canvas: Canvas, values: Float64, title: str, floor: float = -math.inf, **style: Any) -> None:  # noqa: ANN401
    """A spectrum, with a gap for what is not above the floor, and its cumulative share in the lower chart."""
    kept = _drawn(values.size)
    common = {"mode": "lines", "x": (kept + 1).astype(np.int32), "text": title, **style}
    above = np.where(values[kept] <= floor, np.nan, values[kept])
    canvas.add(y=above, hovertemplate=_VALUE, **common)
    below = {"y": cumulative_shares(values)[kept], "hovertemplate": _SHARE, "showlegend": False}
    canvas.add(_SHARES, **common | below)


def _drawn(count: int) -> NDArray[np.intp]:
    """Indices of the components that are drawn: all, or evenly many per decade."""
    if count <= MOST_COMPONENTS:
        return np.arange(count)
    return np.unique(np.round(np.geomspace(1, count, MOST_COMPONENTS)).astype(np.intp)) - 1


def depth_shares(measurement: Measurement) -> dict[str, float]:
    """How deep each main point lies, from 0 to 1."""
    names = measurement.main_points
    return {name: index / max(1, len(names) - 1) for index, name in enumerate(names)}


def name_depths(canvas: Canvas, measurement: Measurement) -> None:
    """A line of words above the chart that names the colours of the fan."""
    depths = depth_shares(measurement)
    step = 1 + len(depths) // 7
    words = [
        f'<span style="color:{canvas.theme.depth_colour(depth)}"><b>━</b></span> {points.tick(name)}'
        for index, (name, depth) in enumerate(depths.items())
        if index % step == 0 or index == len(depths) - 1
    ]
    place = {"x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom", "yshift": 4, **WHOLE.inside}
    canvas.note(text="   ".join(words), **place)


def draw_strongly(canvas: Canvas, values: Float64, floor: float, title: str, **style: Any) -> None:  # noqa: ANN401
    """A spectrum and its cumulative share as strong lines; in the first, values below the resolution are grey.

    Values descend; ``title`` is what hover calls them, as markup; ``style`` is plotly's ``line``, and what else the
    traces are given.
    """
    mode = "lines+markers" if values.size <= MOST_MARKERS else "lines"
    style = {"mode": mode, "marker": {"size": 5, "color": style["line"]["color"]}, **style}
    kept = _drawn(values.size)
    grey = values[kept] <= floor
    if grey.any():
        # From the last value above the floor on, so that the line does not break.
        tail = kept[max(0, int(np.argmax(grey)) - 1) :]
        outline = {"color": canvas.theme.muted, "width": 1}
        marker = {"size": 4, "color": canvas.theme.paper, "line": outline}
        canvas.add(
            x=(tail + 1).astype(np.int32), y=values[tail], mode="lines+markers", line=outline,
            marker=marker | {"symbol": style["marker"].get("symbol", "circle")}, text=title, hovertemplate=_UNRESOLVED,
        )  # fmt: skip
    _draw(canvas, values, title, floor, **style)


def _say(canvas: Canvas, values: Float64, title: str) -> None:
    """Sizes in words, at the right of both charts."""
    size = f"largest {number(float(values[0]))}, smallest {number(float(values[-1]))}"
    enough = int(np.searchsorted(cumulative_shares(values), 0.9)) + 1
    corner = {"x": 1, "xanchor": "right", "font": {"size": 12, "color": canvas.theme.text}}
    canvas.note(text=f"<b>{title}</b>: {size}", y=1, yanchor="top", **corner, **WHOLE.inside)
    energy = f"90 % of the energy in {enough} of {values.size}"
    canvas.note(text=energy, y=0.06, yanchor="bottom", **corner, **_SHARES.inside)


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


def draw_resolution(
    canvas: Canvas, floors: Sequence[float], precision: str, extent: tuple[float, float], logarithmic: bool
) -> None:
    """Dashed lines below which singular values are rounding, and one label, where they are in view."""
    low, high = extent
    floors = sorted(floor for floor in floors if (low <= floor if logarithmic else floor > 0.02 * high))
    if not floors:
        return
    for floor in floors:
        canvas.level(floor, color=canvas.theme.muted, width=1, dash="dash")
    numbers = " to ".join(dict.fromkeys(number(floor, 2) for floor in (floors[0], floors[-1])))
    # Unlike a shape, an annotation on a logarithmic axis is placed by its exponent.
    place = math.log10(floors[-1]) if logarithmic else floors[-1]
    corner = {"x": 0, "xref": "x domain", "y": place, "yref": "y", "xanchor": "left", "yanchor": "bottom"}
    canvas.note(text=f"resolution of a {precision} pass, {numbers}", **corner)
