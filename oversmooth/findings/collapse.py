"""Whether the tokens of a text collapse into one vector."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from oversmooth import points
from oversmooth.findings.numerals import number

if TYPE_CHECKING:
    from oversmooth.measurement import Measurement

COLLAPSED_SHARE: Final = 1e-4
"""High-frequency share at which tokens have collapsed: their distances to the mean token are 1 % of their lengths, in
the root mean square. A cosine of 0.99 is a hundred times as much, which models with a strong common offset reach."""
KEPT: Final = 0.5
"""Of the distance to the mean token: what collapses with more of it left was outgrown rather than drawn together."""


def collapsed_by(measurement: Measurement) -> str | None:
    """The first block from which, up to the last, the tokens of a text are one vector but for 1 %; None without one.

    Read from the mean high-frequency share over texts, where it was measured: below ``COLLAPSED_SHARE``.
    """
    first = None
    for point, share in _shares(measurement).items():
        first = (first or point) if share <= COLLAPSED_SHARE else None
    return first


def _shares(measurement: Measurement) -> dict[str, float]:
    if "high_frequency_share" not in measurement.metrics:
        return {}
    shares = measurement.curve("high_frequency_share")
    return {point: share for point, share in shares.items() if points.is_block(point)}


def shrinkage(measurement: Measurement, block: str) -> tuple[float, float]:
    """What became of the distance to the mean token and of its norm: those at a block over those at the embedding.

    As geometric means over texts; NaN where they were not measured.
    """
    ratios = []
    for metric in ("distance_to_mean", "mean_token_norm"):
        if metric not in measurement.metrics or points.EMBEDDING not in measurement.points:
            return math.nan, math.nan
        before, after = (measurement.curves[metric].sel(point=point).values for point in (points.EMBEDDING, block))
        with np.errstate(divide="ignore", invalid="ignore"):
            logarithms = np.log(after) - np.log(before)
        known = logarithms[np.isfinite(logarithms)]
        ratios.append(float(np.exp(known.mean())) if known.size else math.nan)
    return ratios[0], ratios[1]


def collapse_sentence(measurement: Measurement) -> str:
    """Whether and where tokens collapse, in a sentence; empty where the share was not measured."""
    shares = {point: share for point, share in _shares(measurement).items() if math.isfinite(share)}
    if not shares:
        return ""
    block = collapsed_by(measurement)
    if block is not None:
        return (
            f"Tokens collapse by {points.title(block)}: from there on they differ from their mean by at most 1 % of "
            f"their length (high-frequency share {number(shares[block], 2)}, limit {COLLAPSED_SHARE:g})."
        )
    lowest = min(shares, key=lambda point: shares[point])
    return (
        f"No collapse: the high-frequency share is {number(shares[lowest], 2)} at its lowest ({points.title(lowest)}), "
        f"and tokens count as collapsed from {COLLAPSED_SHARE:g} down."
    )


def shrinkage_sentence(measurement: Measurement) -> str:
    """What became of tokens that collapsed, in a sentence; empty where they did not, or it was not measured."""
    block = collapsed_by(measurement)
    away, mean = (math.nan, math.nan) if block is None else shrinkage(measurement, block)
    if not math.isfinite(away + mean):
        return ""
    how = " An offset outgrew their differences." if away >= KEPT and mean > 1 / KEPT else ""
    return (
        f"Up to there the distance to the mean token became {number(away, 2)} times what it was, and the mean "
        f"token {number(mean, 2)} times as long.{how}"
    )
