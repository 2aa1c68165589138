"""What attention, norms and the eigenvalues of the update say of why tokens grow alike, beside what the blocks did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
import xarray as xr

from oversmooth.core.numerals import number, pair
from oversmooth.core.wording import count, enumerated
from oversmooth.metrics.mechanisms.declared_attention import NULL
from oversmooth.report.findings.absences import explained
from oversmooth.report.findings.whether import places
from oversmooth.results.gains import branch_gains
from oversmooth.results.measurement import Measurement

ROOT_LAMBDA: Final = "attention_root_lambda"
SMOOTHING: Final = "smoothing"
_KINDS: Final = (SMOOTHING, "sharpening", "neutral", "tied")


@dataclass(frozen=True)
class Extremes:
    """The smallest and the largest of one number over blocks, and where they are."""

    low: float
    high: float
    low_layer: int
    high_layer: int
    layers: int
    """How many have a value."""

    def in_words(self, *numbers: str) -> str:
        """``0.66 (block 5) to 1.21 (block 0)``; other ``numbers``, low and high, in the place of its own."""
        low, high = numbers or span(self.low, self.high)
        if self.low == self.high:
            return f"{low} in every block" if self.layers > 1 else f"{low} (block {self.low_layer})"
        return f"{low} (block {self.low_layer}) to {high} (block {self.high_layer})"


def span(low: float, high: float) -> tuple[str, str]:
    """Two numbers with the decimals that their difference needs, or each with its own where that would hide the low."""
    words = pair(low, high)
    return words if low == 0 or abs(low) >= 0.01 * abs(high) else (number(low, 2), number(high, 2))


def over_layers(values: xr.DataArray) -> Extremes | None:
    """Extremes over layers of the mean over all other dimensions; None where no layer has a finite value."""
    others = [dim for dim in values.dims if dim != "layer"]
    means = values.mean(others).values.astype(float)
    known = np.flatnonzero(np.isfinite(means))
    if not known.size:
        return None
    low, high = known[np.argmin(means[known])], known[np.argmax(means[known])]
    return Extremes(float(means[low]), float(means[high]), int(low), int(high), known.size)


def bounds(measurement: Measurement) -> Extremes | None:
    """v, of the block with the smallest and with the largest: the most that each can multiply d_M by."""
    return _of_bound(measurement, "smoothing_bound")


def contractions(measurement: Measurement) -> Extremes | None:
    """d_M(X_{l+1})/d_M(X_l) as measured, of the block that contracts most and of the one that widens most."""
    return _of_bound(measurement, "contraction")


def _of_bound(measurement: Measurement, name: str) -> Extremes | None:
    found = explained(measurement, "bound", name)
    return None if found is None else over_layers(found[name])


def is_vacuous(measurement: Measurement) -> bool:
    """Whether v is nowhere below 1, so that the bound says nothing of this model and text."""
    found = bounds(measurement)
    return found is not None and found.low >= 1


def bound_sentence(measurement: Measurement) -> str:
    """What v says, in a sentence; empty where there is none."""
    found = bounds(measurement)
    if found is None:
        return ""
    # Two digits of what is large; below 10, as near to 1 as it is.
    low, high = (number(float(f"{value:.2g}") if value >= 10 else value, 2) for value in (found.low, found.high))
    span = f"v is {found.in_words(low, high)}"
    if is_vacuous(measurement):
        return f"{span}, so the bound is vacuous here: v ≥ 1 says nothing."
    return f"{span}: where it is below 1, the block must smooth, and elsewhere it says nothing."


def contraction_sentence(measurement: Measurement) -> str:
    """What the blocks did to the distance to the mean token, in a sentence; empty where there is nothing."""
    found = contractions(measurement)
    if found is None:
        return ""
    return f"A block multiplies the distance to the mean token by {found.in_words()}."


def norms_sentence(measurement: Measurement) -> str:
    """The smallest deviation inside a norm and the signs of the gains, in a sentence; empty where norms are unknown."""
    norms = explained(measurement, "norms", "smallest_deviation")
    if norms is None:
        return ""
    smallest = norms["smallest_deviation"].min("input")
    if not np.isfinite(smallest.values).any():
        return ""
    layer, norm = np.unravel_index(int(np.nanargmin(smallest.values)), smallest.shape)
    names = {"attention": "attention", "mlp": "MLP"}
    place = f"block {layer}'s {names[str(smallest.coords['norm'].values[norm])]} norm"
    value = number(float(np.nanmin(smallest.values)), 2)
    size = "root mean square" if "RMSNorm" in norms["kind"].values else "deviation"
    return f"The smallest {size} of a token is {value}, in {place}; {_signs(norms)}."


def _signs(norms: xr.Dataset) -> str:
    negative = norms["negative_gains"]
    some = (negative > 0).any("norm")
    blocks = [f"block {layer}" for layer in negative.coords["layer"].values[some.values].tolist()]
    if not blocks:
        return "no gain γ is negative"
    most = float(negative.max())
    where = enumerated(blocks) if len(blocks) <= 3 else count(len(blocks), "block")
    return f"at most {100 * most:.2g} % of the gains γ of a norm are negative, in {where}"


@dataclass(frozen=True)
class Mixing:
    """√λ = ‖RA‖₂ of each head, as means over texts."""

    low: float
    median: float
    high: float
    heads: int
    """How many there are."""
    contracting: int
    """How many have √λ < 1: whatever they mix comes closer to its mean."""
    below_null: int | None
    """How many have a smaller √λ than their matrix with each row shuffled; None where that was not computed."""


def mixing(measurement: Measurement) -> Mixing | None:
    """What √λ says; None where attention was not seen."""
    attention = explained(measurement, "attention", ROOT_LAMBDA)
    if attention is None:
        return None
    roots = _means(attention[ROOT_LAMBDA])
    known = roots[np.isfinite(roots)]
    if not known.size:
        return None
    null = f"{ROOT_LAMBDA}{NULL}"
    return Mixing(
        low=float(known.min()),
        median=float(np.median(known)),
        high=float(known.max()),
        heads=known.size,
        contracting=int((known < 1).sum()),
        below_null=int((roots < _means(attention[null])).sum()) if null in attention else None,
    )


def mixing_sentence(measurement: Measurement) -> str:
    """What √λ says, in a sentence; empty where attention was not seen."""
    found = mixing(measurement)
    if found is None:
        return ""
    low, high = span(found.low, found.high)
    sentence = (
        f"√λ is {low} to {high} over {count(found.heads, 'head')} (median {number(found.median, 2)}), "
        f"below 1 in {_of(found.contracting, found.heads)}"
    )
    if found.below_null is not None:
        sentence += f", and below that of its own shuffled rows in {_of(found.below_null, found.heads)}"
    return f"{sentence}."


def attention_gain_sentence(measurement: Measurement) -> str:
    """What the attention branch did, in a sentence; empty where the branch was not measured."""
    gains = branch_gains(measurement).sel(branch="attention")
    alone, added = (over_layers(gains[f"rest_{form}"]) for form in ("branch", "stream"))
    if alone is None:
        return ""
    sentence = (
        "The attention branch alone, its value and output weights included, multiplies the distance to the "
        f"mean token by {alone.in_words()}"
    )
    return f"{sentence}; with its residual add it is {added.in_words()}." if added is not None else f"{sentence}."


def _means(values: xr.DataArray) -> np.ndarray:
    found: np.ndarray = values.mean("input").values
    return found


def _of(some: int, everyone: int) -> str:
    return "none" if some == 0 else "all" if some == everyone else f"{some:,}"


def kinds(measurement: Measurement) -> dict[str, int]:
    """How many heads read as what; empty where nothing is known of them."""
    found = _kinds(measurement)
    counted = Counter(found.ravel().tolist())
    return {kind: counted[kind] for kind in _KINDS if kind in counted}


def low_pass(measurement: Measurement) -> dict[int, bool]:
    """Whether each block reads as low-pass: more than half of its heads as smoothing. Empty where nothing is known."""
    return {layer: bool((row == SMOOTHING).mean() > 0.5) for layer, row in enumerate(_kinds(measurement))}


def measured_low_pass(measurement: Measurement) -> dict[int, bool]:
    """Whether attention with its residual add enlarged the mean token (DC) more than the rest (HC), by block.

    By the means of both gains over texts, as the chart beside it draws them; without blocks where they are not known.
    """
    means = branch_gains(measurement).sel(branch="attention").mean("input")
    constant, rest = means["constant_stream"].values, means["rest_stream"].values
    known = np.flatnonzero(np.isfinite(constant) & np.isfinite(rest)).tolist()
    return {layer: bool(constant[layer] > rest[layer]) for layer in known}


def circuits_sentence(measurement: Measurement) -> str:
    """How many heads read as what, and which blocks as low-pass, in a sentence; empty where nothing is known."""
    found = kinds(measurement)
    if not found:
        return ""
    heads = sum(found.values())
    (first, most), *rest = found.items()
    words = enumerated([f"{most:,} read as {first}", *(f"{number:,} as {kind}" for kind, number in rest)])
    words = f"Of {count(heads, 'head')}, {words}" if rest else f"All {count(heads, 'head')} read as {first}"
    low = [str(layer) for layer, is_low in low_pass(measurement).items() if is_low]
    blocks = f"{places(tuple(low))} low-pass by a majority of heads" if low else "no block is low-pass by a majority"
    return f"{words}; {blocks[0].lower()}{blocks[1:]}."


def gain_sentence(measurement: Measurement) -> str:
    """In which blocks attention did favour the mean token, and whether the reading agrees, in a sentence."""
    measured, read = measured_low_pass(measurement), low_pass(measurement)
    if not measured:
        return ""
    low = [str(layer) for layer, is_low in measured.items() if is_low]
    where = f"in {_blocks(low)}" if low else "in no block"
    sentence = f"Attention with its residual add favours the mean token (DC gain above HC gain) {where}"
    both = [layer for layer in read if layer in measured]
    if both:
        agreeing = sum(read[layer] == measured[layer] for layer in both)
        sentence += f"; the reading says the same of {agreeing} of {count(len(both), 'block')}"
    return f"{sentence}."


def _kinds(measurement: Measurement) -> np.ndarray:
    """(layer, head); empty where nothing is known."""
    found = explained(measurement, "dominance", "dominant_kind")
    if found is None:
        return np.empty((0, 0), dtype=str)
    kinds: np.ndarray = found["dominant_kind"].transpose("layer", "head").values.astype(str)
    return kinds


def _blocks(names: list[str]) -> str:
    """``block 3``, ``blocks 0–4``."""
    words = places(tuple(names))
    return words[0].lower() + words.rpartition(" ")[0][1:]
