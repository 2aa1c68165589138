"""How alike every pair of tokens is at one point."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from oversmooth import points, tokens
from oversmooth.analysis import averaged
from oversmooth.figures.theme import MAP_SCALE, Theme, blank, template
from oversmooth.findings import reason

if TYPE_CHECKING:
    import xarray as xr

    from oversmooth.measurement import Measurement

HEIGHT = 520
MOST_ROWS = 256
"""Rows that are drawn; beyond them a cell is smaller than a pixel of most screens, and the page grows heavy."""
MOST_LABELS = 40


def similarity_map(measurement: Measurement, point: str, *, theme: Theme) -> go.Figure:
    """Cosine of every pair of measured tokens of the first text, as a square map whose diagonal runs down.

    All points of a measurement share one colour scale, so that maps of two layers can be compared. Above
    ``MOST_ROWS`` rows, neighbouring tokens are averaged, and the map says how many.

    Args:
        measurement: what to draw.
        point: where.
        theme: colours.
    """
    if measurement.similarity is None:
        return blank("No similarity maps were kept in this measurement.", theme, height=HEIGHT)
    cosines = measurement.similarity.sel(point=point).values
    if not np.isfinite(cosines).all():
        why = reason(measurement, "similarity", point)
        return blank(f"No similarity at {points.title(point)}: {why}.", theme, height=HEIGHT)
    further = -(-len(cosines) // MOST_ROWS)
    factor = measurement.similarity_factor * further
    axis = tokens.axis(measurement.tokens[0].measured, factor, max_ticks=MOST_LABELS)
    low, high = colour_range(measurement.similarity)
    figure = go.Figure(
        go.Heatmap(
            x=axis.categories,
            y=axis.categories,
            z=averaged(cosines, further).astype(np.float32),
            zmin=low,
            zmax=high,
            colorscale=MAP_SCALE,
            # Above the map: beside it, a phone would have no room for the map.
            colorbar={
                "title": {"text": "cosine", "side": "right"},
                "orientation": "h",
                "thickness": 8,
                "lenmode": "pixels",
                "len": 220,
                "x": 0,
                "xanchor": "left",
                "y": 1,
                "yanchor": "bottom",
                "outlinewidth": 0,
                "tickformat": ".1f",
                "nticks": 4,
                "tickfont": {"size": 11},
            },
            hovertemplate="%{y} × %{x}: <b>%{z:.2f}</b><extra></extra>",
        ),
        layout={"template": template(theme), "height": HEIGHT, "margin": {"t": 64}},
    )
    shared = {
        "type": "category",
        "tickvals": axis.tick_values,
        "ticktext": axis.tick_labels,
        "showline": False,
        "showgrid": False,
        "ticks": "",
        "constrain": "domain",
        "tickfont": {"size": 12 if len(axis.tick_values) <= 24 else 9},
    }
    figure.update_xaxes(shared, constraintoward="left", tickangle=-90 if len(axis.tick_values) > 8 else 0)
    figure.update_yaxes(shared, autorange="reversed", scaleanchor="x", constraintoward="top")
    if factor > 1:
        figure.update_layout(title=_title(factor, theme))
    return figure


def colour_range(maps: xr.DataArray) -> tuple[float, float]:
    """Lowest and highest cosine over all points of a measurement, rounded outward to a tenth."""
    cosines = maps.values[np.isfinite(maps.values)]
    # One part in a million keeps a float32 0.9 from being rounded to 1.0.
    low, high = float(cosines.min()) + 1e-6, float(cosines.max()) - 1e-6
    top = math.ceil(10 * high) / 10
    # Of cosines that are all 1, the scale would have no extent.
    return min(math.floor(10 * low) / 10, round(top - 0.1, 1)), top


def _title(factor: int, theme: Theme) -> dict[str, object]:
    return {
        "text": f"Each cell is the mean over {factor} × {factor} neighbouring tokens",
        "font": {"size": 12, "color": theme.muted},
        "x": 0,
        "xref": "paper",
        "xanchor": "left",
    }
