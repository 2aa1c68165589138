"""How alike the states of every pair of layers are."""

from __future__ import annotations

from typing import Final

from oversmooth.core import points
from oversmooth.metrics.mechanisms import registry
from oversmooth.report.figures.canvas import Canvas, Drawn, blank
from oversmooth.report.figures.panes import BAR, MOST_TICKS, Scale, heat, square_axes
from oversmooth.report.figures.registry import explained_by, figure, over_texts
from oversmooth.report.figures.theme import Theme
from oversmooth.report.findings.absences import explained, unexplained
from oversmooth.results.measurement import Measurement

ORDER = 85
HEIGHT: Final = 400


@figure(
    of=Measurement,
    title=lambda _: registry.get("layer_cka").title,
    alternative=lambda _: f"{registry.get('layer_cka').title}. {registry.get('layer_cka').reads}",
    needs=explained_by("corpus", "layer_cka"),
    caption=over_texts,
    declared=lambda _: ("layer_cka",),
)
def layer_cka(measurement: Measurement, *, theme: Theme) -> Drawn:
    """Linear CKA of every pair of points, as a square map whose diagonal runs down."""
    title = registry.get("layer_cka").title
    corpus = explained(measurement, "corpus", "layer_cka")
    if corpus is None:
        return blank(f"{title}: {unexplained(measurement, 'corpus')}", theme, height=HEIGHT)
    found = corpus["layer_cka"].transpose("point", "other")
    names = [str(point) for point in found["point"].values]
    shown = names[:: -(-len(names) // MOST_TICKS)]
    scale = Scale(0.0, 1.0, title="CKA", number=".3f", ticks={0.0: "0", 0.5: "0.5", 1.0: "1"})
    canvas = Canvas(theme, axes=square_axes(shown, [points.tick(name) for name in shown], -90), above=BAR)
    canvas.traces.append(heat(found.values, names, names, scale, "%{y} × %{x}: "))
    canvas.remarks(over_texts(measurement).removesuffix(".").replace("Over", "Over the tokens of"))
    return canvas.figure(HEIGHT, over=0)
