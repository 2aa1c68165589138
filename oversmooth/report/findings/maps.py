"""The kept similarity maps, as charts and their descriptions read them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oversmooth.core import points
from oversmooth.results.comparison import Comparison
from oversmooth.results.measurement import Measurement

Map = NDArray[np.float32]


def kept_map(measurement: Measurement, point: str) -> tuple[Map | None, str]:
    """The cosines (tokens × tokens) at a point, or None and the reason in a sentence."""
    if measurement.similarity is None:
        return None, "No similarity maps were kept in this measurement."
    place = points.title(point)
    if point not in measurement.points:
        return None, f"No similarity at {place}: the model has no such point."
    cosines: Map = measurement.similarity.sel(point=point).values
    if not np.isfinite(cosines).all():
        return None, f"No similarity at {place}: {measurement.reason('similarity', point)}."
    return cosines, ""


def difference_of_maps(comparison: Comparison, label: str, point: str) -> tuple[Map | None, str]:
    """Variant minus baseline at a point (tokens × tokens), or None and the reason in a sentence.

    The fusion of all blocks is set against the baseline's last block.
    """
    why = incomparable_maps(comparison, label)
    if why:
        return None, f"No difference to the baseline: {why}."
    ours, why = kept_map(comparison.measurements[label], point)
    if ours is None:
        return None, why
    theirs, why = kept_map(comparison.baseline, beside(comparison, point))
    if theirs is None:
        return None, f"{why.removesuffix('.')} (in the baseline)."
    return ours - theirs, ""


def largest_difference(comparison: Comparison) -> float:
    """The largest difference of cosines to the baseline, of either sign, over all variants and points; 0 for none."""
    largest = 0.0
    rows = {point: index for index, point in enumerate(comparison.baseline.points)}
    for label, variant in comparison.variants.items():
        theirs, ours = comparison.baseline.similarity, variant.similarity
        if theirs is None or ours is None or incomparable_maps(comparison, label):
            continue
        for index, point in enumerate(variant.points):
            row = rows.get(beside(comparison, point))
            if row is not None:
                difference = ours.values[index] - theirs.values[row]
                # NaN, the only value that is not finite, is skipped without a copy of the rest.
                ends = np.fmin.reduce(difference, axis=None), np.fmax.reduce(difference, axis=None)
                largest = max([largest, *(abs(float(end)) for end in ends if np.isfinite(end))])
    return largest


def beside(comparison: Comparison, point: str) -> str:
    """The baseline's point that a variant's is set against."""
    return comparison.end(comparison.baseline_label) if point == points.FUSION else point


def incomparable_maps(comparison: Comparison, label: str) -> str:
    """Why no map of a variant can be set against the baseline's, in a clause; empty where they can."""
    if comparison.incomparable(label):
        return comparison.incomparable(label)
    ours, theirs = comparison.measurements[label], comparison.baseline
    if [token.text for token in ours.shown.measured] != [token.text for token in theirs.shown.measured]:
        return "its tokens are not the same"
    if ours.similarity_factor != theirs.similarity_factor:
        return "their maps are averaged over other numbers of tokens"
    return ""
