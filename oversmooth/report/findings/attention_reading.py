"""Attention matrices as graphs: whether mixing alone would draw tokens together, and what the branch did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import xarray as xr

from oversmooth.core.numerals import number
from oversmooth.core.wording import count
from oversmooth.metrics.mechanisms.declared_attention import NULL
from oversmooth.report.findings.absences import explained
from oversmooth.report.findings.norms_reading import Extremes, over_layers, span
from oversmooth.results.gains import branch_gains
from oversmooth.results.measurement import Measurement

ROOT_LAMBDA: Final = "attention_root_lambda"


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


def attention_gains(measurement: Measurement, *, stream: bool = False) -> Extremes | None:
    """What the attention branch multiplies the distance to the mean token by, over blocks.

    With ``stream`` of the residual stream, the branch added; else of the branch alone.
    """
    gains = branch_gains(measurement)["rest_stream" if stream else "rest_branch"].sel(branch="attention")
    return over_layers(gains)


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
    alone, added = (attention_gains(measurement, stream=stream) for stream in (False, True))
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
