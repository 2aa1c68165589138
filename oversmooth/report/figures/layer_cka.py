"""How alike the states of every pair of layers are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import plotly.graph_objects as go

from oversmooth.core import points
from oversmooth.core.wording import count
from oversmooth.metrics.mechanisms import registry
from oversmooth.report.figures.canvas import Canvas
from oversmooth.report.figures.cells import BAR
from oversmooth.report.figures.panes import MOST_TICKS
from oversmooth.report.figures.similarity import Scale, colour_bar
from oversmooth.report.figures.theme import Theme, blank

if TYPE_CHECKING:
    from oversmooth.results.measurement import Measurement

HEIGHT: Final = 400


def layer_cka(measurement: Measurement, *, theme: Theme) -> go.Figure:
    """Linear CKA of every pair of points, as a square map whose diagonal runs down.

    Args:
        measurement: what to draw.
        theme: colours.
    """
    title = registry.get("layer_cka").title
    explanation = measurement.explanation
    if explanation is None or "layer_cka" not in explanation.corpus:
        why = "no explanation was measured." if explanation is None else explanation.reasons.get("corpus", "")
        return blank(f"{title}: {why or 'it was not measured.'}", theme, height=HEIGHT)
    found = explanation.corpus["layer_cka"].transpose("point", "other")
    names = [str(point) for point in found["point"].values]
    labels = [points.tick(name) for name in names]
    shown = names[:: -(-len(names) // MOST_TICKS)]
    scale = Scale(0.0, 1.0, title="CKA", number=".3f", ticks={0.0: "0", 0.5: "0.5", 1.0: "1"})
    canvas = Canvas(theme)
    canvas.traces.append(
        {
            "type": "heatmap", "x": names, "y": names, "z": found.values.astype(np.float32),
            "zmin": scale.low, "zmax": scale.high, "colorscale": scale.colours, "colorbar": colour_bar(scale),
            "hovertemplate": "%{y} × %{x}: <b>%{z:.3f}</b><extra></extra>",
        }
    )  # fmt: skip
    short = dict(zip(names, labels, strict=True))
    shared = {
        "type": "category", "tickvals": shown, "ticktext": [short[name] for name in shown], "showline": False,
        "showgrid": False, "ticks": "", "constrain": "range",
    }  # fmt: skip
    canvas.depth_axis.update(shared, constraintoward="left", tickangle=-90)
    canvas.value_axis.update(shared, autorange="reversed", scaleanchor="x", constraintoward="top")
    above = BAR + canvas.remarks([f"Over the tokens of {count(explanation.texts, 'text')}"], above=BAR)
    canvas.layout["margin"] = {"t": above}
    return canvas.figure(HEIGHT + above)
