"""The bound on the contraction of each block, beside the contraction that was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from oversmooth.core import points
from oversmooth.core.resampling import band
from oversmooth.core.wording import count
from oversmooth.metrics.mechanisms.bound import contraction as of_distances
from oversmooth.results.gains import REST

if TYPE_CHECKING:
    from oversmooth.results.measurement import Measurement

BOUND: Final = "smoothing_bound"
CONTRACTION: Final = "contraction"


def contraction(measurement: Measurement) -> NDArray[np.float64]:
    r"""What each block multiplied the tokens' distance to their mean by: d_M(X_{l+1}) / d_M(X_l), shape (input, layer).

    With an explanation over the tokens that its bound is over, all that are no padding; else over those that were
    measured. NaN where either distance is missing or not resolved, the first is 0, or there is no ``distance_to_mean``.
    """
    if measurement.explanation is not None and CONTRACTION in measurement.explanation.bound:
        known: NDArray[np.float64] = measurement.explanation.bound[CONTRACTION].transpose("input", "layer").values
        return known
    names = [point for point in measurement.points if point == points.EMBEDDING or points.is_block(point)]
    texts = measurement.curves.sizes["input"]
    if REST not in measurement.metrics:
        return np.full((texts, len(names) - 1), np.nan)
    distances = measurement.resolved(REST).sel(point=names).transpose("input", "point").values
    return of_distances(distances)


def bound_of(measurement: Measurement) -> NDArray[np.float64] | None:
    """The bound v of each block, shape (input, layer); None where there is none."""
    if measurement.explanation is None or BOUND not in measurement.explanation.bound:
        return None
    found: NDArray[np.float64] = measurement.explanation.bound[BOUND].transpose("input", "layer").values
    return found


def vacuous(measurement: Measurement) -> str:
    """Whether the bound says anything, in a sentence; empty where there is none."""
    bound = bound_of(measurement)
    if bound is None or not np.isfinite(bound).any():
        return ""
    means = band(bound).mean
    known = means[np.isfinite(means)]
    idle = int((known >= 1).sum())
    if idle == len(known):
        return "The bound is vacuous in every block: at 1 and above it promises nothing."
    if idle:
        return f"The bound is vacuous in {idle} of {count(len(known), 'block')}, where it is 1 or more."
    return "The bound lies below 1 in every block: each must draw the tokens together."
