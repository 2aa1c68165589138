"""Which pair of eigenvalues decides where each head's update leads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import xarray as xr

from oversmooth.core.numerals import number
from oversmooth.metrics.mechanisms import registry
from oversmooth.report.figures.canvas import Canvas, Drawn, Pane, blank
from oversmooth.report.figures.labels import draw_key
from oversmooth.report.figures.panes import BELOW, cells, even_scale, head_axis, height_of, over_blocks
from oversmooth.report.figures.registry import SHOWN, explained_by, figure
from oversmooth.report.figures.theme import Theme
from oversmooth.report.findings.absences import explained, unexplained
from oversmooth.report.findings.readings import found_by
from oversmooth.report.findings.spread import shown_text
from oversmooth.results.measurement import Measurement

ORDER = 70
_PAGE_HEADING: Final = "Which pair of eigenvalues dominates"
HEIGHT: Final = 320
_HEADING: Final = 20
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


@figure(
    of=Measurement,
    title=lambda _: "Dominating gain of each head, and the kind of pair that attains it",
    heading=lambda _: _PAGE_HEADING,
    alternative=lambda measurement: f"{_PAGE_HEADING}. {found_by(measurement, 'circuits')}",
    needs=explained_by("dominance", "dominant_gain"),
    caption=lambda _: SHOWN,
    declared=lambda _: ("dominant_gain",),
)
def dominance(measurement: Measurement, *, theme: Theme) -> Drawn:
    """The dominating gain of each head as a map, and below it what kind of pair attains it, in the text shown."""
    title = registry.get("dominant_gain").title
    found = explained(measurement, "dominance", "dominant_gain")
    if found is None:
        return blank(f"{title}: {unexplained(measurement, 'dominance')}", theme, height=HEIGHT)
    gains = found["dominant_gain"].transpose("head", "layer").values
    if not np.isfinite(gains).any():
        return blank(f"{title}: {unexplained(measurement, 'dominance', 'no head has one.')}", theme, height=HEIGHT)
    canvas = Canvas(theme)
    heads, blocks = gains.shape
    height = 2 * (height_of(heads) + _HEADING)
    axes = [head_axis(heads)] * 2
    headings = [title, "Kind of the pair that attains it"]
    gain, kinds = over_blocks(canvas, headings, axes, blocks, height)
    scale = even_scale(gains, "gain")
    cells(canvas, gains, scale, gain, hover="block %{x}, head %{y}<br>")
    present = [kind for kind in KINDS if _draw(canvas, kinds, found, kind, min(11, height_of(heads) / heads * 0.75))]
    draw_key(canvas, [(KINDS[kind][1], colour_of(theme, kind), kind) for kind in present])
    canvas.remarks(shown_text(measurement))
    return canvas.figure(height + BELOW, over=0)


def _draw(canvas: Canvas, pane: Pane, found: xr.Dataset, kind: str, size: float) -> bool:
    """The heads of one kind; says whether there is one."""
    kinds = found["dominant_kind"].transpose("layer", "head").values
    gains = found["dominant_gain"].transpose("layer", "head").values
    layers, heads = np.nonzero(kinds == kind)
    if not len(layers):
        return False
    symbol = KINDS[kind][0]
    canvas.add(
        pane,
        x=layers.tolist(),
        y=heads.tolist(),
        mode="markers",
        marker={"size": size, "symbol": symbol, "color": colour_of(canvas.theme, kind)},
        name=kind,
        text=[
            f"block {layer}, head {head}: {kind}<br>gain <b>{number(float(gains[layer, head]), 4)}</b>"
            for layer, head in zip(layers, heads, strict=True)
        ],
    )
    return True
