"""Every figure of an explanation, by a name that can be that of a file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from oversmooth import metrics as metric_registry
from oversmooth.core import points
from oversmooth.core.wording import count
from oversmooth.metrics.mechanisms import registry
from oversmooth.metrics.mechanisms.declared_attention import NULL
from oversmooth.report.figures.bound import smoothing_bound
from oversmooth.report.figures.dominance import dominance
from oversmooth.report.figures.drawable import Build, Drawable, Named
from oversmooth.report.figures.eigenvalues import circuit_eigenvalues
from oversmooth.report.figures.gains import branch_gains
from oversmooth.report.figures.heads import ADJACENT, attention_adjacent, attention_map, quantities
from oversmooth.report.figures.layer_cka import layer_cka
from oversmooth.report.figures.norms import norm_deviation
from oversmooth.report.figures.spectrum_cdf import spectrum_cdf
from oversmooth.report.figures.waterfall import waterfall
from oversmooth.report.figures.within_between import within_between
from oversmooth.results import gains

if TYPE_CHECKING:
    from oversmooth.report.figures.theme import Theme
    from oversmooth.results.measurement import Measurement


def explained(measurement: Measurement, point: str, metrics: Sequence[str], theme: Theme) -> Named:
    """The figures of an explanation, in the order of the page; none where there is no explanation.

    Parts that are missing as a whole are left out.

    Args:
        measurement: what was measured.
        point: the block whose circuits are drawn; of a point outside the blocks, the last.
        metrics: of the waterfalls.
        theme: colours.

    Returns:
        ``waterfall_token_cosine``, ``branch_gains``, ``attention_entropy`` and the other quantities of attention,
        ``attention_adjacent_cosine``, ``norm_deviation``, ``smoothing_bound``, ``circuit_eigenvalues_5``,
        ``dominance``, ``spectrum_cdf``, ``within_between``, ``layer_cka``.
    """
    if measurement.explanation is None:
        return
    for name in metrics:
        title = f"{metric_registry.get(name).title} over the parts of each block"
        build = partial(waterfall, measurement, name, theme=theme)
        yield f"waterfall_{name}", Drawable(title, (name,), None, build, pgfplots=False)
    if any(values.notnull().any() for values in gains.branch_gains(measurement).values()):
        title = "Gains of each branch: of the mean token and of the rest"
        yield "branch_gains", _of(title, partial(branch_gains, measurement, theme=theme))
    yield from _attention(measurement, theme)
    yield from _mechanisms(measurement, point, theme)
    title = "Distribution of the singular values at every point"
    yield "spectrum_cdf", _of(title, partial(spectrum_cdf, measurement, theme=theme))
    yield from _corpus(measurement, theme)


def _attention(measurement: Measurement, theme: Theme) -> Named:
    for name in quantities(measurement):
        build = partial(attention_map, measurement, name, theme=theme)
        shuffled = (
            (name + NULL,) if measurement.explanation and name + NULL in measurement.explanation.attention else ()
        )
        yield name, _of(f"{registry.get(name).title} of each head", build, name, *shuffled)
    if measurement.explanation and ADJACENT in measurement.explanation.attention:
        yield (
            ADJACENT,
            _of(registry.get(ADJACENT).title, partial(attention_adjacent, measurement, theme=theme), ADJACENT),
        )


def _mechanisms(measurement: Measurement, point: str, theme: Theme) -> Named:
    explanation = measurement.explanation
    if explanation is None:
        return
    if "deviation" in explanation.norms:
        build = partial(norm_deviation, measurement, theme=theme)
        title = "Deviation of the tokens before each norm"
        yield "norm_deviation", _of(title, build, "norm_deviation", "negative_gains", drawn=_SHOWN)
    bound = ("smoothing_bound",) if "smoothing_bound" in explanation.bound else ()
    title = (
        "Bound on the contraction of each block, and the contraction measured" if bound else "Contraction of each block"
    )
    yield "smoothing_bound", _of(title, partial(smoothing_bound, measurement, theme=theme), *bound, "contraction")
    if "eigenvalues" in explanation.circuits:
        layer = _layer(measurement, point)
        build = partial(circuit_eigenvalues, measurement, layer, theme=theme)
        title = f"Eigenvalues of the value–output circuits of block {layer}"
        drawn = "Eigenvalues are of the weights alone; which of them dominate is of the text shown."
        figure = _of(title, build, "circuit_eigenvalues", drawn=drawn, point=points.block(layer))
        yield f"circuit_eigenvalues_{layer}", figure
    if "dominant_gain" in explanation.dominance:
        title = "Dominating gain of each head, and the kind of pair that attains it"
        yield "dominance", _of(title, partial(dominance, measurement, theme=theme), "dominant_gain", drawn=_SHOWN)


def _corpus(measurement: Measurement, theme: Theme) -> Named:
    explanation = measurement.explanation
    if explanation is None:
        return
    drawn = f"Over {count(explanation.texts, 'text')}."
    if "within" in explanation.corpus:
        build = partial(within_between, measurement, theme=theme)
        title = "Cosine within texts and between them"
        names = ("within_cosine", "between_cosine", "within_minus_between")
        yield "within_between", _of(title, build, *names, drawn=drawn)
    if "layer_cka" in explanation.corpus:
        title = registry.get("layer_cka").title
        yield "layer_cka", _of(title, partial(layer_cka, measurement, theme=theme), "layer_cka", drawn=drawn)


_SHOWN: Final = "Drawn is the text shown alone."


def _layer(measurement: Measurement, point: str) -> int:
    """The block that a point belongs to; the last for one outside the blocks."""
    block = point.partition(".")[0]
    return int(block) if block.isdecimal() else sum(map(points.is_block, measurement.points)) - 1


def _of(title: str, build: Build, *names: str, drawn: str = "", point: str | None = None) -> Drawable:
    return Drawable(title, (), point, build, drawn, quantities=names, pgfplots=False)
