"""Why a side of a comparison has nothing to show."""

from __future__ import annotations

import math
from collections.abc import Mapping

import xarray as xr

from oversmooth import metrics as metric_registry
from oversmooth.core.wording import enumerated
from oversmooth.report.findings.maps import beside
from oversmooth.report.findings.spectra import singular_values, spectrum_reason
from oversmooth.results.comparison import Comparison
from oversmooth.results.explanation import Reading
from oversmooth.results.measurement import Measurement


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


def no_spectrum(comparison: Comparison, label: str, point: str, *, centred: bool) -> str:
    """Why a side has no singular values to draw at a point, in a clause; empty where it has."""
    measurement = comparison.measurements[label]
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
