"""Eigenvalues of the update: which heads read as smoothing, beside what the attention branch did."""

from __future__ import annotations

from collections import Counter
from typing import Final

import numpy as np

from oversmooth.core.wording import count, enumerated
from oversmooth.report.findings.absences import explained
from oversmooth.report.findings.whether import places
from oversmooth.results.gains import branch_gains
from oversmooth.results.measurement import Measurement

SMOOTHING: Final = "smoothing"
_KINDS: Final = (SMOOTHING, "sharpening", "neutral", "tied")


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
