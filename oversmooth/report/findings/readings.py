"""Why tokens grow alike: four readings of the literature, each with its condition and its caveat."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from oversmooth.core import points
from oversmooth.core.numerals import arrow, number
from oversmooth.report.findings.changes import Change, changes
from oversmooth.report.findings.collapse import massive
from oversmooth.report.findings.mechanisms import (
    attention_gain_sentence,
    bound_sentence,
    circuits_sentence,
    contraction_sentence,
    gain_sentence,
    mixing_sentence,
    norms_sentence,
)
from oversmooth.results.explanation import Reading as Part
from oversmooth.results.measurement import Measurement

Name = Literal["attention", "norms", "circuits", "spectrum"]
FEW: Final = 0.5
"""Effective share of tokens that carry the energy, below which a few long tokens make the spectrum."""
_NEEDED: Final = ("mean_norm", "distance_to_mean", "mean_token_norm")


@dataclass(frozen=True)
class Reading:
    """One way to read why tokens grow alike, each part in a sentence."""

    name: Name
    title: str
    condition: str
    """When it would predict that tokens grow alike."""
    found: str
    """What it says of this model and text, or why it says nothing."""
    measured: str
    """What was measured beside it; empty where nothing was."""
    caveat: str
    """What it cannot tell."""
    warning: str = ""
    """What makes it misleading here; empty where nothing does."""

    @property
    def labelled(self) -> tuple[tuple[str, str], ...]:
        """All that it says but its warning, in order, each with what it is in a word."""
        said = {"When": self.condition, "Here": self.found, "Measured": self.measured, "But": self.caveat}
        return tuple((label, sentence) for label, sentence in said.items() if sentence)


_CONDITIONS: Final[Mapping[Name, str]] = {
    "attention": "A head draws tokens together, whatever they are, where √λ = ‖RA‖₂ of its attention matrix is below "
    "1: mixing multiplies their distance to the mean by no more than that.",
    "norms": "A post-norm block must smooth where the bound v = (1 + s²)(1 + √λ h s)/(σ₁σ₂) is below 1: where its "
    "norms divide by more than its branches can add.",
    "circuits": "Repeated as X + A X H, an update smooths where the largest |1 + λᴴλᴬ| is that of λᴬ = 1, the mode in "
    "which all tokens are equal.",
    "spectrum": "Tokens are uniform where few singular values carry them: the skewness of the spectrum is high and "
    "the first explains most (EV₁ near 1).",
}
_CAVEATS: Final[Mapping[Name, str]] = {
    "attention": "√λ is a worst case of one head's mixing alone: above 1 it says nothing, and it does not know the "
    "value and output weights, the other heads or the residual stream.",
    "norms": "v multiplies worst cases, so that it lies far above what trained models do; the gains γ are an addition "
    "to the theorem, and the measured ratio keeps the scale of the states.",
    "circuits": "One head at a time, applied again and again to itself: no MLP, no division by a norm, and heads add "
    "up to one update only where they attend alike.",
    "spectrum": "One massive token or dimension gives the same spectrum without any smoothing, and a direction that "
    "all texts share is anisotropy.",
}


def readings(measurement: Measurement) -> tuple[Reading, ...]:
    """The four readings of why, in order."""
    return (
        _reading(
            measurement, "attention", "Attention as a graph", mixing_sentence(measurement),
            attention_gain_sentence(measurement), ("attention",),
        ),
        _reading(
            measurement, "norms", "LayerNorm",
            " ".join(filter(None, (bound_sentence(measurement), norms_sentence(measurement)))),
            contraction_sentence(measurement), ("bound", "norms"),
        ),
        _reading(
            measurement, "circuits", "Eigenspectrum of the update", circuits_sentence(measurement),
            gain_sentence(measurement), ("circuits", "dominance"),
        ),
        _reading(
            measurement, "spectrum", "Token uniformity", spectrum_found(measurement), _ranks(measurement), (),
            outlier_warning(measurement),
        ),
    )  # fmt: skip


def found_by(measurement: Measurement, name: Name) -> str:
    """What one reading says of this model and text."""
    return next(each.found for each in readings(measurement) if each.name == name)


def _reading(
    measurement: Measurement,
    name: Name,
    title: str,
    found: str,
    measured: str,
    parts: tuple[Part, ...],
    warning: str = "",
) -> Reading:
    """One reading, with the reasons of what is missing of it."""
    reasons = {} if measurement.explanation is None else measurement.explanation.reasons
    told = dict.fromkeys(filter(None, [found, *(reasons.get(part, "") for part in parts)]))
    found = " ".join(told) or "Nothing is known of it here."
    return Reading(name, title, _CONDITIONS[name], found, measured, _CAVEATS[name], warning)


def _ranks(measurement: Measurement) -> str:
    """How many directions are left, in a sentence."""
    if "effective_rank" not in measurement.metrics:
        return ""
    (change,) = changes(measurement, ["effective_rank"])
    if math.isnan(change.first):
        return ""
    return f"The effective rank goes {arrow(change.first, change.last)} from {_way(change)}."


def _way(change: Change) -> str:
    return f"{points.title(change.first_point)} to {points.title(change.last_point)}"


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
