"""Singular values of the tokens at one point, before the fan of all others."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from oversmooth import points
from oversmooth.figures.theme import Theme, blank, template, value_axis
from oversmooth.findings.numerals import number
from oversmooth.findings.spectra import Float64, cumulative_shares, singular_values, spectrum_reason

if TYPE_CHECKING:
    from oversmooth.measurement import Measurement

HEIGHT = 520
MOST_COMPONENTS = 400
"""Components drawn of one line; of more, evenly many per decade."""


def spectrum(measurement: Measurement, point: str, *, centred: bool, logarithmic: bool, theme: Theme) -> go.Figure:
    """Singular values of the first text's tokens, and below them the share of the energy in the first k.

    The point is drawn strongly, every other main point as a thin line whose colour is its depth. Values below the
    resolution of the stored states are grey, and the resolution is a dashed line where it is in view.

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
    figure = make_subplots(2, 1, shared_xaxes=True, row_heights=[0.66, 0.34], vertical_spacing=0.06)
    figure.layout.template = template(theme)
    figure.layout.height = HEIGHT
    _fan(figure, measurement, point, centred, theme)
    _selected(figure, values, _floor(measurement, point), points.title(point), theme)
    _axes(figure, measurement, centred, logarithmic)
    _resolution(figure, measurement, point, centred, logarithmic, theme)
    return figure


def _floor(measurement: Measurement, point: str) -> float:
    return float(measurement.spectra["floor"].sel(point=point).values[0])


def _drawn(count: int) -> NDArray[np.intp]:
    """Indices of the components that are drawn: all, or evenly many per decade."""
    if count <= MOST_COMPONENTS:
        return np.arange(count)
    return np.unique(np.round(np.geomspace(1, count, MOST_COMPONENTS)).astype(np.intp)) - 1


def _line(values: Float64, style: dict[str, Any]) -> tuple[go.Scatter, go.Scatter]:
    """A spectrum and its cumulative share, in the style given."""
    kept = _drawn(values.size)
    x = (kept + 1).astype(np.int32)
    return (
        # Zero has no place on a logarithmic axis, and plotly would join its neighbours across the gap.
        go.Scatter(x=x, y=values[kept], connectgaps=False, **style),
        go.Scatter(x=x, y=cumulative_shares(values)[kept], **style),
    )


def _fan(figure: go.Figure, measurement: Measurement, point: str, centred: bool, theme: Theme) -> None:
    names = measurement.main_points
    key = []
    for index, name in enumerate(names):
        colour = theme.depth_colour(index / max(1, len(names) - 1))
        if index % (1 + len(names) // 7) == 0 or index == len(names) - 1:
            key.append(f'<span style="color:{colour}"><b>━</b></span> {points.tick(name)}')
        values = singular_values(measurement, name, centred=centred)
        if name == point or values.size == 0 or values[0] == 0:
            continue
        style = {"mode": "lines", "line": {"color": colour, "width": 1}}
        above, below = _line(values, style)
        above.hovertemplate = f"{points.title(name)}, component %{{x}}: <b>%{{y:.3g}}</b><extra></extra>"
        below.hovertemplate = f"{points.title(name)}, first %{{x}}: <b>%{{y:.1%}}</b><extra></extra>"
        figure.add_trace(above, row=1, col=1)
        figure.add_trace(below, row=2, col=1)
    figure.add_annotation(
        text="   ".join(key), x=0, y=1, xref="x domain", yref="y domain", xanchor="left", yanchor="bottom", yshift=4
    )


def _selected(figure: go.Figure, values: Float64, floor: float, title: str, theme: Theme) -> None:
    kept = _drawn(values.size)
    few = kept.size <= 64
    grey = values[kept] <= floor
    above, below = _line(
        values, {"mode": "lines+markers" if few else "lines", "line": {"color": theme.accent, "width": 2.5}}
    )
    above.hovertemplate = f"{title}, component %{{x}}: <b>%{{y:.4g}}</b><extra></extra>"
    below.hovertemplate = f"{title}, first %{{x}}: <b>%{{y:.1%}}</b><extra></extra>"
    above.marker = below.marker = {"size": 5, "color": theme.accent}
    # The last value above the floor starts the grey part, so that the line does not break.
    above.y = np.where(grey, np.nan, above.y)
    figure.add_trace(above, row=1, col=1)
    figure.add_trace(below, row=2, col=1)
    if grey.any():
        unresolved = go.Scatter(
            x=above.x[grey],
            y=values[kept][grey],
            mode="markers",
            marker={"size": 4, "color": theme.paper, "line": {"color": theme.muted, "width": 1}},
            hovertemplate=f"{title}, component %{{x}}: %{{y:.2g}}<br>below the resolution of the states<extra></extra>",
        )
        figure.add_trace(unresolved, row=1, col=1)
    size = f"largest {number(float(values[0]))}, smallest {number(float(values[-1]))}"
    enough = int(np.searchsorted(cumulative_shares(values), 0.9)) + 1
    corner = {"x": 1, "xanchor": "right", "font": {"size": 12, "color": theme.text}}
    figure.add_annotation(
        text=f"<b>{title}</b>: {size}", xref="x domain", y=1, yref="y domain", yanchor="top", **corner
    )
    figure.add_annotation(
        text=f"90 % of the energy in {enough} of {values.size}", xref="x2 domain", y=0.06, yref="y2 domain",
        yanchor="bottom", **corner,
    )  # fmt: skip


def _axes(figure: go.Figure, measurement: Measurement, centred: bool, logarithmic: bool) -> None:
    low, high = _extent(measurement, centred)
    if logarithmic:
        span = [np.log10(low), np.log10(high)]
        margin = 0.05 * (span[1] - span[0])
        figure.update_yaxes(type="log", range=[span[0] - margin, span[1] + margin], row=1, col=1)
        figure.update_yaxes(_log_ticks(low, high), row=1, col=1)
    else:
        figure.update_yaxes(value_axis(0.0, high, ticks=6, from_zero=True), row=1, col=1)
    figure.update_yaxes(
        title_text="singular value σ of centred tokens" if centred else "singular value σ", row=1, col=1
    )
    figure.update_yaxes(title_text="share of Σσ²", range=[0, 1.06], tickformat=".0%", dtick=0.5, row=2, col=1)
    components = measurement.spectra.sizes["component"]
    figure.update_xaxes(range=[0.5 - 0.01 * components, 0.5 + 1.01 * components], nticks=8)
    figure.update_xaxes(title_text="component", row=2, col=1)


def _log_ticks(low: float, high: float) -> dict[str, object]:
    """Powers of ten, at most eight; below two decades 1, 2 and 5 times each as well."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    if math.log10(high / low) > 2:
        return {"dtick": math.ceil((last - first) / 8), "exponentformat": "power"}
    values = [factor * 10.0**power for power in range(first, last + 1) for factor in (1, 2, 5)]
    return {"tickvals": values, "ticktext": [number(value) for value in values]}


def _extent(measurement: Measurement, centred: bool) -> tuple[float, float]:
    """Smallest and largest value in view: the same for every point, so that the axis stays when the point changes."""
    every = measurement.spectra["centred" if centred else "raw"].sel(point=list(measurement.main_points)).values[0]
    floors = measurement.spectra["floor"].sel(point=list(measurement.main_points)).values[0]
    positive = every[np.isfinite(every) & (every > 0)]
    # Far below the floor there is only rounding, which would squeeze everything else.
    lowest = max(float(positive.min()), float(np.nanmin(floors)) / 10)
    return min(lowest, float(positive.max()) / 10), float(positive.max())


def _resolution(
    figure: go.Figure, measurement: Measurement, point: str, centred: bool, logarithmic: bool, theme: Theme
) -> None:
    """The dashed line below which a singular value is rounding, where it is in view."""
    floor = _floor(measurement, point)
    low, high = _extent(measurement, centred)
    if not (low <= floor if logarithmic else floor > 0.02 * high):
        return
    figure.add_shape(
        type="line", x0=0, x1=1, xref="x domain", y0=floor, y1=floor, yref="y", layer="below",
        line={"color": theme.muted, "width": 1, "dash": "dash"},
    )  # fmt: skip
    # Unlike a shape, an annotation on a logarithmic axis is placed by its exponent.
    place = float(np.log10(floor)) if logarithmic else floor
    figure.add_annotation(
        text=f"resolution of float32 states, {number(floor, 2)}", x=0, xref="x domain", y=place, yref="y",
        xanchor="left", yanchor="bottom",
    )  # fmt: skip
