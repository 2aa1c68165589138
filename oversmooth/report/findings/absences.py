"""The kept similarity maps and singular values, and why a side of a comparison has nothing to show."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from oversmooth import metrics as metric_registry
from oversmooth.core import points
from oversmooth.core.wording import enumerated
from oversmooth.results.comparison import Comparison
from oversmooth.results.explanation import Reading
from oversmooth.results.measurement import Measurement

Map = NDArray[np.float32]
Float64 = NDArray[np.float64]


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


def singular_values(measurement: Measurement, point: str, *, centred: bool) -> Float64:
    """Singular values of the text shown, at a point, descending; empty where it has none."""
    name = "centred" if centred else "raw"
    if name not in measurement.spectra:
        return np.empty(0)
    values = measurement.spectra[name].sel(point=point).values[measurement.settings.shown]
    kept: Float64 = values[np.isfinite(values)]
    return kept


def cumulative_shares(values: Float64) -> Float64:
    """Share of the energy Σσ² in the first k directions, rising to 1."""
    energy = np.cumsum(values**2)
    shares: Float64 = energy / energy[-1]
    return shares


def spectrum_reason(measurement: Measurement, point: str, *, centred: bool) -> str:
    """Why a point has no singular values."""
    if not centred and "raw" not in measurement.spectra:
        return "no metric that is made of singular values was asked for"
    if centred and "centred" not in measurement.spectra:
        return "the spectra of the centred tokens were not asked for"
    if centred and singular_values(measurement, point, centred=False).size == 1:
        return "one token less its mean leaves nothing"
    place = measurement.settings.shown, point, "missing"
    notes = [note for note in measurement.notes if (note.input, note.point, note.kind) == place]
    return notes[0].reason if notes else "no reason was recorded"


def absent(comparison: Comparison, metric: str) -> str:
    """Why no side has a value of a metric, in a sentence; empty where one has."""
    owners = [each for each in comparison.measurements.values() if metric in each.metrics]
    if not owners:
        return f"{unmeasured(metric)}."
    if any(math.isfinite(value) for each in owners for value in each.curve(metric).values()):
        return ""
    return f"{metric_registry.get(metric).title}: {owners[0].reason(metric, owners[0].main_points[0])}."


def no_deltas(comparison: Comparison, metric: str) -> dict[str, str]:
    """The variants without any difference to the baseline in a metric, by label, each with the reason in a clause."""
    return {label: why for label in comparison.variants if (why := _no_delta(comparison, metric, label))}


def by_reason(reasons: Mapping[str, str]) -> list[str]:
    """``a and b: it has 3 blocks, the baseline 6.``: one sentence for each reason, with the names that share it."""
    grouped: dict[str, list[str]] = {}
    for name, why in reasons.items():
        grouped.setdefault(why, []).append(name)
    return [f"{enumerated(names)}: {why}." for why, names in grouped.items()]


def _no_delta(comparison: Comparison, metric: str, label: str) -> str:
    for side in (comparison.measurements[label], comparison.baseline):
        if metric not in side.metrics:
            return unmeasured(metric)
    if comparison.incomparable(label):
        return comparison.incomparable(label)
    deltas = comparison.deltas(metric, label)
    if any(map(math.isfinite, deltas.values())):
        return ""
    return absence(comparison, metric, label, next(iter(deltas)))


def absence(comparison: Comparison, metric: str, label: str, point: str) -> str:
    """Why a variant has no difference to the baseline at a point, in a clause."""
    for side, whose in ((comparison.measurements[label], ""), (comparison.baseline, " in the baseline")):
        at = beside(comparison, point) if whose else point
        if at not in side.main_points:
            return f"no such point{whose}"
        if not math.isfinite(side.curve(metric)[at]):
            return f"{side.reason(metric, at)}{whose}"
    return "no text has a value in both"


def unmeasured(metric: str) -> str:
    """Why a measurement does not have a metric, in a clause."""
    title = metric_registry.get(metric).title
    if metric in metric_registry.names():
        return f"{title} was not measured"
    return f"{title} is measured on variants with mitigations, against the states of the same model without them"


def elsewhere(comparison: Comparison, label: str) -> str:
    """What a variant was measured on that the baseline was not, in a clause; empty where on the same."""
    ours, theirs = comparison.measurements[label].settings, comparison.baseline.settings
    if (ours.model, ours.revision) != (theirs.model, theirs.revision):
        return "it is another model"
    if ours.texts != theirs.texts:
        return "it reads another text"
    return ""


def no_spectrum(measurement: Measurement, point: str, *, centred: bool) -> str:
    """Why a measurement has no singular values to draw at a point, in a clause; empty where it has."""
    if point not in measurement.points:
        return "it has no such point"
    values = singular_values(measurement, point, centred=centred)
    if values.size == 0:
        return spectrum_reason(measurement, point, centred=centred)
    return "all its values are 0" if values[0] == 0 else ""


def explained(measurement: Measurement, part: Reading, name: str) -> xr.Dataset | None:
    """A part of an explanation, where it has an array of that name; else None."""
    found = None if measurement.explanation is None else measurement.explanation.parts[part]
    return found if found is not None and name in found else None


def unexplained(measurement: Measurement, part: Reading, otherwise: str = "it was not measured.") -> str:
    """Why a part of an explanation is missing, in a sentence; ``otherwise`` where no reason was kept."""
    explanation = measurement.explanation
    return "no explanation was measured." if explanation is None else explanation.reasons.get(part, otherwise)
