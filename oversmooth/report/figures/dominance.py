"""Which pair of eigenvalues decides where each head's update leads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import plotly.graph_objects as go

from oversmooth.core.numerals import number
from oversmooth.core.wording import count
from oversmooth.metrics.mechanisms import registry
from oversmooth.report.figures.canvas import TEXT_ONLY, Canvas
from oversmooth.report.figures.cells import (
    BAR,
    cells,
    even_scale,
    head_axis,
    height_of,
    name_blocks,
    unnamed_block_axis,
)
from oversmooth.report.figures.keys import draw_key
from oversmooth.report.figures.panes import Pane, stacked
from oversmooth.report.figures.theme import Theme, blank

if TYPE_CHECKING:
    import xarray as xr

    from oversmooth.results.measurement import Measurement

HEIGHT: Final = 320
_HEADING: Final = 20
_BELOW: Final = 48
KINDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "smoothing": ("circle", "●", "○"),
    "sharpening": ("diamond", "◆", "◇"),
    "neutral": ("square", "■", "□"),
    "tied": ("triangle-up", "▲", "△"),
}
"""Plotly's symbol of each kind of dominating pair, and the same as a character, solid and hollow."""


def colour_of(theme: Theme, kind: str) -> str:
    """The colour of a kind of dominating pair, apart from that of the sharpening region."""
    return {
        "smoothing": theme.categories[1],
        "sharpening": theme.categories[2],
        "neutral": theme.muted,
        "tied": theme.categories[3],
    }[kind]


def dominance(measurement: Measurement, *, theme: Theme) -> go.Figure:
    """The dominating gain of each head as a map, and below it what kind of pair attains it, in the text shown.

    Args:
        measurement: what to draw.
        theme: colours.
    """
    title = registry.get("dominant_gain").title
    explanation = measurement.explanation
    if explanation is None or "dominant_gain" not in explanation.dominance:
        why = "no explanation was measured." if explanation is None else explanation.reasons.get("dominance", "")
        return blank(f"{title}: {why or 'it was not measured.'}", theme, height=HEIGHT)
    found = explanation.dominance
    gains = found["dominant_gain"].transpose("head", "layer").values
    if not np.isfinite(gains).any():
        return blank(f"{title}: {explanation.reasons.get('dominance', 'no head has one.')}", theme, height=HEIGHT)
    canvas = Canvas(theme)
    heads, blocks = gains.shape
    height = 2 * (height_of(heads) + _HEADING)
    axes = [head_axis(heads)] * 2
    headings = [title, "Kind of the pair that attains it"]
    gain, kinds = stacked(canvas, headings, unnamed_block_axis(blocks), axes, height)
    name_blocks(canvas, kinds)
    scale = even_scale(gains, "gain")
    canvas.traces.append(cells(gains, scale, gain, bar=True, hover="block %{x}, head %{y}<br>"))
    present = [kind for kind in KINDS if _draw(canvas, kinds, found, kind, min(11, height_of(heads) / heads * 0.75))]
    above = BAR + draw_key(canvas, [(KINDS[kind][1], colour_of(theme, kind), kind) for kind in present], above=BAR)
    if len(measurement.tokens) > 1:
        above += canvas.remarks(
            [f"Text {measurement.settings.shown + 1} of {count(len(measurement.tokens), 'text')}"], above=above
        )
    canvas.layout["margin"] = {"t": above, "b": _BELOW}
    return canvas.figure(height + _BELOW + above)


def _draw(canvas: Canvas, pane: Pane, found: xr.Dataset, kind: str, size: float) -> bool:
    """The heads of one kind; says whether there is one."""
    kinds = found["dominant_kind"].transpose("layer", "head").values
    gains = found["dominant_gain"].transpose("layer", "head").values
    layers, heads = np.nonzero(kinds == kind)
    if not len(layers):
        return False
    symbol = KINDS[kind][0]
    canvas.add(
        x=layers.tolist(),
        y=heads.tolist(),
        mode="markers",
        marker={"size": size, "symbol": symbol, "color": colour_of(canvas.theme, kind)},
        name=kind,
        text=[
            f"block {layer}, head {head}: {kind}<br>gain <b>{number(float(gains[layer, head]), 4)}</b>"
            for layer, head in zip(layers, heads, strict=True)
        ],
        hovertemplate=TEXT_ONLY,
        showlegend=False,
        **pane.trace,
    )
    return True
