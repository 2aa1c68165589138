"""Alternative text of the charts of an explanation: their findings with numbers, for readers who do not see them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from oversmooth import gains, points
from oversmooth import metrics as metric_registry
from oversmooth.contraction import BOUND, contraction, vacuous
from oversmooth.findings.numerals import arrow, number, signed
from oversmooth.findings.spectra import singular_values
from oversmooth.mechanisms import registry
from oversmooth.mechanisms.declared_attention import NULL
from oversmooth.waterfall import Detail, finest, largest_steps, steps, whole_blocks
from oversmooth.wording import count, enumerated

if TYPE_CHECKING:
    from oversmooth.explanation import Explanation, Reading
    from oversmooth.measurement import Measurement

_UNMEASURED = "no explanation was measured."
_LARGEST = 3


def waterfall(measurement: Measurement, metric: str, *, detail: Detail | None = None) -> str:
    """Of :func:`oversmooth.figures.waterfall.waterfall`."""
    chosen = finest(measurement) if detail is None else detail
    found = steps(measurement, metric, chosen)
    opening = f"{metric_registry.get(metric).title} over the steps of each block, a waterfall chart"
    known = [step for step in found if not step.reason]
    if not known:
        return f"{opening}, empty: {found[0].reason if found else 'the model has no block'}."
    way = f"from {points.title(known[0].start_point)} to {points.title(known[-1].end_point)}"
    largest = [f"{step.title} {signed(step.change)}" for step in largest_steps(measurement, metric, _LARGEST, chosen)]
    sentences = [f"{opening}: {arrow(known[0].start, known[-1].end)} {way} in {count(len(found), 'step')}."]
    sentences.append(f"The largest: {enumerated(largest)}.")
    if len(known) < len(found):
        sentences.append(f"{count(len(found) - len(known), 'step')} without a value.")
    return " ".join([*sentences, *filter(None, [whole_blocks(measurement)])])


def branch_gains(measurement: Measurement) -> str:
    """Of :func:`oversmooth.figures.gains.branch_gains`."""
    opening = "Gains of the mean token and of the rest in each branch over depth, line charts"
    found = gains.branch_gains(measurement)
    told = []
    for branch, title in (("attention", "attention"), ("mlp", "MLP")):
        for form, words in (("branch", "branch alone"), ("stream", "branch with its residual add")):
            values = [
                f"{name} {_range(found[f'{part}_{form}'].sel(branch=branch).mean('input').values)}"
                for part, name in (("constant", "mean token"), ("rest", "rest"))
                if found[f"{part}_{form}"].sel(branch=branch).notnull().any()
            ]
            told += [f"The {title} {words}: {enumerated(values)}."] if values else []
    why = gains.missing_gains(measurement)
    return " ".join([f"{opening}{'' if told else ', empty'}.", *told, *filter(None, [why])])


def attention_map(measurement: Measurement, quantity: str, *, difference: bool = False) -> str:
    """Of :func:`oversmooth.figures.heads.attention_map`."""
    declared = registry.get(quantity)
    opening = f"{declared.title} of each head, heat maps over blocks and heads"
    found, why = _part(measurement, "attention")
    if found is None or quantity not in found.attention:
        return f"{opening}, empty: {why}"
    values = found.attention[quantity].mean("input").transpose("layer", "head").values
    shuffled = found.attention.get(quantity + NULL)
    null = None if shuffled is None else shuffled.mean("input").transpose("layer", "head").values
    if difference and null is None:
        return f"{opening}, empty: there is no counterpart of shuffled attention."
    if difference:
        return f"{opening}, heads minus shuffled attention: {_extremes(values - null)}."
    beside = "" if null is None else f" Of shuffled attention: {_extremes(null)}."
    return f"{opening}: {_extremes(values)}.{beside}"


def attention_adjacent(measurement: Measurement) -> str:
    """Of :func:`oversmooth.figures.heads.attention_adjacent`."""
    name = "attention_adjacent_cosine"
    opening = f"{registry.get(name).title} over depth, a line chart"
    found, why = _part(measurement, "attention")
    if found is None or name not in found.attention:
        return f"{opening}, empty: {why}"
    means = found.attention[name].mean("input").values
    return f"{opening}: {_range(means)}."


def norm_deviation(measurement: Measurement) -> str:
    """Of :func:`oversmooth.figures.norms.norm_deviation`."""
    opening = "Deviations of the tokens before both norms of each block, histograms"
    found, why = _part(measurement, "norms")
    if found is None or "deviation" not in found.norms:
        return f"{opening}, empty: {why}"
    told = []
    for norm, title in (("attention", "attention"), ("mlp", "MLP")):
        values = found.norms["deviation"].sel(norm=norm).transpose("layer", "token").values
        if np.isfinite(values).any():
            layer = int(np.nanargmin(np.nanmin(np.where(np.isfinite(values), values, np.inf), axis=1)))
            told.append(f"Norm of the {title} branch: {_range(values.ravel())}, the smallest in block {layer}.")
    return " ".join([f"{opening}.", *told])


def smoothing_bound(measurement: Measurement) -> str:
    """Of :func:`oversmooth.figures.bound.smoothing_bound`."""
    opening = "Bound on the contraction of each block beside the contraction measured, a line chart"
    ratio = _range(_means(contraction(measurement)))
    found, why = _part(measurement, "bound")
    if found is None or BOUND not in found.bound:
        return f"{opening}. Measured: {ratio}. No bound: {why}"
    bound = _range(found.bound[BOUND].mean("input").values)
    return f"{opening}. Bound: {bound}. Measured: {ratio}. {vacuous(measurement)}"


def circuit_eigenvalues(measurement: Measurement, layer: int | None = None) -> str:
    """Of :func:`oversmooth.figures.eigenvalues.circuit_eigenvalues`."""
    place = "all blocks" if layer is None else f"block {layer}"
    opening = f"Eigenvalues of the value–output circuits of {place} in the complex plane"
    found, why = _part(measurement, "circuits")
    if found is None or "eigenvalues" not in found.circuits:
        return f"{opening}, empty: {why}"
    values = found.circuits["eigenvalues"].values
    known = (values if layer is None else values[layer]).ravel()
    known = known[np.isfinite(known)]
    if not known.size:
        return f"{opening}, empty: there are none."
    shares = [
        f"{_percent(known.real > 0)} have a positive real part",
        f"{_percent((known.real < 0) & (np.abs(1 + known) < 1))} lie where |1 + λ| is below 1",
    ]
    return f"{opening}: {count(len(known), 'value')}, the largest modulus {number(float(np.abs(known).max()))}; " + (
        f"{enumerated(shares)}."
    )


def dominance(measurement: Measurement) -> str:
    """Of :func:`oversmooth.figures.dominance.dominance`."""
    opening = "Dominating gain of each head and the kind of pair that attains it, a map and symbols"
    found, why = _part(measurement, "dominance")
    if found is None or "dominant_gain" not in found.dominance:
        return f"{opening}, empty: {why}"
    kinds = Counter(str(kind) for kind in found.dominance["dominant_kind"].values.ravel() if str(kind))
    told = enumerated([f"{amount} {kind}" for kind, amount in kinds.most_common()]) if kinds else "none"
    gain = _extremes(found.dominance["dominant_gain"].transpose("layer", "head").values)
    return f"{opening}. Gain: {gain}. Heads: {told}."


def spectrum_cdf(measurement: Measurement) -> str:
    """Of :func:`oversmooth.figures.spectrum_cdf.spectrum_cdf`."""
    opening = "Distribution of the singular values, divided by the largest, at every point, line charts"
    medians = {}
    for point in measurement.main_points:
        values = singular_values(measurement, point, centred=False)
        if values.size and values[0] > 0:
            medians[point] = float(np.median(values / values[0]))
    if not medians:
        return f"{opening}, empty."
    first, *_, last = [*medians, *medians]
    way = f"{arrow(medians[first], medians[last])} from {points.title(first)} to {points.title(last)}"
    return f"{opening}. The median: {way}."


def within_between(measurement: Measurement) -> str:
    """Of :func:`oversmooth.figures.within_between.within_between`."""
    opening = "Cosine within texts, between texts and their difference over depth, line charts"
    found, why = _part(measurement, "corpus")
    if found is None or "within" not in found.corpus:
        return f"{opening}, empty: {why}"
    told = []
    for form in map(str, found.corpus["form"].values):
        part = found.corpus.sel(form=form)
        last = next((p for p in measurement.main_points[::-1] if p in part["point"].values), None)
        if last is None:
            continue
        within, between = (float(part[name].sel(point=last)) for name in ("within", "between"))
        told.append(
            f"{form.capitalize()}, at {points.title(last)}: within {number(within)}, between {number(between)}, "
            f"difference {signed(within - between)}."
        )
    return " ".join([f"{opening}, over {count(found.texts, 'text')}.", *told])


def layer_cka(measurement: Measurement) -> str:
    """Of :func:`oversmooth.figures.layer_cka.layer_cka`."""
    opening = "Linear CKA of every pair of points, a heat map"
    found, why = _part(measurement, "corpus")
    if found is None or "layer_cka" not in found.corpus:
        return f"{opening}, empty: {why}"
    values = found.corpus["layer_cka"].transpose("point", "other")
    names = [points.title(str(point)) for point in values["point"].values]
    apart = np.where(np.eye(len(names), dtype=bool), np.nan, values.values)
    if not np.isfinite(apart).any():
        return f"{opening}: there is no pair to compare."
    row, column = divmod(int(np.nanargmin(apart)), len(names))
    return f"{opening}: the least alike are {names[row]} and {names[column]}, {number(float(apart[row, column]))}."


def _part(measurement: Measurement, part: Reading) -> tuple[Explanation | None, str]:
    """The explanation, and why a part of it is missing, should it be."""
    explanation = measurement.explanation
    if explanation is None:
        return None, _UNMEASURED
    return explanation, explanation.reasons.get(part, "it was not measured.")


def _means(values: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.isfinite(values)
    sums, counts = np.where(known, values, 0.0).sum(axis=0), known.sum(axis=0)
    means: NDArray[np.float64] = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
    return means


def _range(values: NDArray[np.float64]) -> str:
    known = values[np.isfinite(values)]
    return f"{number(float(known.min()))} to {number(float(known.max()))}" if known.size else "no value"


def _extremes(values: NDArray[np.float64]) -> str:
    """Smallest and largest of a map (layer, head), with their places."""
    if not np.isfinite(values).any():
        return "no value"

    def told(flat: int) -> str:
        layer, head = divmod(flat, values.shape[1])
        return f"{number(float(values[layer, head]))} (block {layer}, head {head})"

    return f"from {told(int(np.nanargmin(values)))} to {told(int(np.nanargmax(values)))}"


def _percent(which: NDArray[np.bool_]) -> str:
    return f"{100 * float(which.mean()):.0f} %"
