"""How alike every pair of tokens is at one point."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from oversmooth.core import tokens
from oversmooth.metrics.similarity import averaged
from oversmooth.report.figures.theme import MAP_SCALE, Theme, blank, template
from oversmooth.report.findings.maps import Map, kept_map

if TYPE_CHECKING:
    from oversmooth.results.measurement import Measurement

HEIGHT = 520
MOST_ROWS = 256
"""Rows that are drawn; beyond them a cell is smaller than a pixel of most screens, and the page grows heavy."""
MOST_LABELS = 40


@dataclass(frozen=True)
class Scale:
    """Colours of a map and what they stand for."""

    low: float
    high: float
    title: str = "cosine"
    colours: str | tuple[tuple[float, str], ...] = MAP_SCALE
    number: str = ".2f"
    """Format of a value on hover, as of d3."""
    ticks: Mapping[float, str] | None = None
    """Values on the colour bar and their labels; None leaves them to plotly."""


def similarity_map(measurement: Measurement, point: str, *, theme: Theme) -> go.Figure:
    """Cosine of every pair of measured tokens of the text shown, as a square map whose diagonal runs down.

    All points of a measurement share one colour scale, so that maps of two layers can be compared. Above
    ``MOST_ROWS`` rows, neighbouring tokens are averaged, and the map says how many.

    Args:
        measurement: what to draw.
        point: where.
        theme: colours.
    """
    cosines, why = kept_map(measurement, point)
    if cosines is None:
        return blank(why, theme, height=HEIGHT)
    return token_map(measurement, cosines, Scale(*colour_range([measurement])), theme=theme, height=HEIGHT)


def token_map(
    measurement: Measurement,
    values: Map,
    scale: Scale,
    *,
    theme: Theme,
    height: int,
    heading: Sequence[str] = (),
) -> go.Figure:
    """A square map of one value for every pair of a measurement's tokens.

    Args:
        measurement: whose tokens they are.
        values: all finite, one row for every ``similarity_factor`` tokens.
        scale: of the colours.
        theme: colours of the rest.
        height: of the figure.
        heading: short lines above the map, as markup.
    """
    further = -(-len(values) // MOST_ROWS)
    factor = measurement.similarity_factor * further
    axis = tokens.axis(measurement.shown, factor, max_ticks=MOST_LABELS)
    heat = {
        "type": "heatmap",
        "x": axis.categories,
        "y": axis.categories,
        "z": averaged(values.astype(np.float64), further).astype(np.float32),
        "zmin": scale.low,
        "zmax": scale.high,
        "colorscale": scale.colours,
        "colorbar": colour_bar(scale),
        "hovertemplate": f"%{{y}} × %{{x}}: <b>%{{z:{scale.number}}}</b><extra></extra>",
    }
    lines = list(heading)
    if factor > 1:
        words = f"Each cell is the mean over {factor} × {factor} neighbouring tokens"
        lines += textwrap.wrap(words, 36) if heading else [words]
    layout = {
        "template": template(theme),
        "height": height,
        "margin": {"t": 46 + 18 * max(1, len(lines))},
        **_axes(axis),
        "annotations": [_words(lines, theme)] if lines else [],
    }
    return go.Figure([heat], layout)


def colour_range(measurements: Iterable[Measurement]) -> tuple[float, float]:
    """Lowest and highest cosine over all points of all of them, rounded outward to a tenth."""
    maps = [each.similarity.values for each in measurements if each.similarity is not None]
    # NaN, the only value that is not finite, is skipped without a copy of the rest.
    lowest = np.fmin.reduce([np.fmin.reduce(each, axis=None) for each in maps])
    highest = np.fmax.reduce([np.fmax.reduce(each, axis=None) for each in maps])
    # One part in a million keeps a float32 0.9 from being rounded to 1.0.
    low, high = float(lowest) + 1e-6, float(highest) - 1e-6
    top = math.ceil(10 * high) / 10
    # Of cosines that are all 1, the scale would have no extent.
    return min(math.floor(10 * low) / 10, round(top - 0.1, 1)), top


def colour_bar(scale: Scale) -> dict[str, Any]:
    """Above the map: beside it, a phone would have no room for the map."""
    ticks: dict[str, Any] = {"tickformat": ".1f", "nticks": 4}
    if scale.ticks is not None:
        ticks = {"tickvals": list(scale.ticks), "ticktext": list(scale.ticks.values())}
    return {
        "title": {"text": scale.title, "side": "right"},
        "orientation": "h",
        "thickness": 8,
        "lenmode": "pixels",
        "len": 220,
        "x": 0,
        "xanchor": "left",
        "y": 1,
        "yanchor": "bottom",
        "outlinewidth": 0,
        "tickfont": {"size": 11},
        **ticks,
    }


def _axes(axis: tokens.Axis) -> dict[str, Any]:
    shared = {
        "type": "category",
        "tickvals": axis.tick_values,
        "ticktext": axis.tick_labels,
        "showline": False,
        "showgrid": False,
        "ticks": "",
        # Not “domain”: the browser would keep the domain of a wider screen when the chart is small again.
        "constrain": "range",
        "tickfont": {"size": 12 if len(axis.tick_values) <= 24 else 9},
    }
    across = {"constraintoward": "left", "tickangle": -90 if len(axis.tick_values) > 8 else 0}
    down = {"autorange": "reversed", "scaleanchor": "x", "constraintoward": "top"}
    return {"xaxis": shared | across, "yaxis": shared | down}


def _words(lines: Sequence[str], theme: Theme) -> dict[str, object]:
    """Above the colour bar."""
    corner = {"x": 0, "xref": "paper", "xanchor": "left", "align": "left", "y": 1, "yref": "paper", "yanchor": "bottom"}
    return {"text": "<br>".join(lines), "font": {"size": 12, "color": theme.muted}, "yshift": 38, **corner}
