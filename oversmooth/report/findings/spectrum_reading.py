"""Whether few directions carry the tokens, and whether it is outliers that carry them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from oversmooth.core import points
from oversmooth.core.numerals import arrow, number
from oversmooth.report.findings.changes import changes
from oversmooth.report.findings.outlying import massive
from oversmooth.results.measurement import Measurement

FEW: Final = 0.5
"""Effective share of tokens that carry the energy, below which a few long tokens make the spectrum."""
_NEEDED: Final = ("mean_norm", "distance_to_mean", "mean_token_norm")


@dataclass(frozen=True)
class Outliers:
    """Where one dimension or few tokens carry the spectrum."""

    activations: dict[str, float]
    """Largest over median activation of any text, at the main points where it is massive."""
    tokens: dict[str, float]
    """Effective share of tokens that carry the energy, at the main points where it is below ``FEW``."""


def outliers(measurement: Measurement) -> Outliers:
    """Where the spectrum is that of an outlier; empty where nothing is, or the metrics were not measured."""
    return Outliers(
        massive(measurement),
        {point: share for point, share in carrying_share(measurement).items() if share < FEW},
    )


def carrying_share(measurement: Measurement) -> dict[str, float]:
    """(Σ‖x_i‖)² / (n Σ‖x_i‖²) at every main point, in [1/n, 1], as the mean over texts: 1 for tokens of equal lengths.

    n times it is the effective number of tokens that carry the energy. Empty where what it takes was not measured.
    """
    if not set(_NEEDED) <= set(measurement.metrics):
        return {}
    sizes = np.array([len(tokens.measured) for tokens in measurement.tokens], dtype=float)[:, np.newaxis]
    lengths, away, mean = (measurement.curves[name].transpose("input", "point").values for name in _NEEDED)
    with np.errstate(invalid="ignore", divide="ignore"):
        # ‖X‖_F² = d_M² + n‖x̄‖².
        shares = sizes * lengths**2 / (away**2 + sizes * mean**2)
    found = {}
    for point in measurement.main_points:
        values = shares[:, measurement.points.index(point)]
        if np.isfinite(values).any():
            found[point] = float(values[np.isfinite(values)].mean())
    return found


def spectrum_found(measurement: Measurement) -> str:
    """Skewness and explained variance from first to last, in a sentence; empty where neither was measured."""
    by_ends: dict[tuple[str, str], list[str]] = {}
    for metric, words in (("spectrum_skewness", "skewness"), ("explained_variance_1", "EV₁")):
        if metric in measurement.metrics:
            (change,) = changes(measurement, [metric])
            if math.isfinite(change.first):
                told = f"{words} {arrow(change.first, change.last)}"
                by_ends.setdefault((change.first_point, change.last_point), []).append(told)
    return " ".join(
        f"From {points.title(first)} to {points.title(last)}: {', '.join(parts)}."
        for (first, last), parts in by_ends.items()
    )


def outlier_warning(measurement: Measurement) -> str:
    """That an outlier carries the spectrum, in a sentence; empty where none does."""
    found = outliers(measurement)
    said = []
    if found.activations:
        worst = max(found.activations, key=lambda point: found.activations[point])
        said.append(
            f"one activation is {number(found.activations[worst], 2)} times the median at {points.title(worst)}"
        )
    if found.tokens:
        worst = min(found.tokens, key=lambda point: found.tokens[point])
        said.append(
            f"the energy of {points.title(worst)} is effectively that of {100 * found.tokens[worst]:.0f} % of its "
            "tokens"
        )
    if not said:
        return ""
    return f"Massive activations: {' and '.join(said)}, so the spectrum there describes outliers, not smoothing."
