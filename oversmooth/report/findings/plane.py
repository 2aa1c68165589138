"""Where the sides of a comparison stand between keeping the baseline's states and changing how alike tokens are."""

from __future__ import annotations

import math

from oversmooth.core import points
from oversmooth.report.findings.absences import elsewhere, unmeasured
from oversmooth.results.comparison import Comparison

KEPT = 1.0
"""The baseline's own fidelity to itself, where it was not measured."""


def plane_positions(
    comparison: Comparison, point: str, *, diversity: str, fidelity: str
) -> tuple[dict[str, tuple[float, float]], dict[str, str]]:
    """(fidelity, diversity) of each side that has both, and the reason, in a clause, of each that has not.

    Where ``point`` is the baseline's end, every side is read at its own: the last block or the fusion of all blocks.
    """
    found: dict[str, tuple[float, float]] = {}
    without: dict[str, str] = {}
    for label in comparison.measurements:
        at = read_at(comparison, label, point)
        up, why = _value(comparison, label, at, diversity)
        is_reference = label == comparison.baseline_label and fidelity not in comparison.baseline.metrics
        kept, no_fidelity = (KEPT, "") if is_reference else _value(comparison, label, at, fidelity)
        why = elsewhere(comparison, label) or why or no_fidelity
        if why:
            without[label] = why
        else:
            found[label] = (kept, up)
    return found, without


def read_at(comparison: Comparison, label: str, point: str) -> str:
    """The point at which a side is read when the baseline is read at ``point``."""
    return comparison.end(label) if point == comparison.end(comparison.baseline_label) else point


def known_texts(comparison: Comparison, label: str, point: str, metric: str) -> int:
    """Texts of which a side has a value of a metric where it is read; all where it was not measured with it."""
    measurement = comparison.measurements[label]
    if metric not in measurement.metrics:
        return len(measurement.tokens)
    return int(measurement.curves[metric].sel(point=read_at(comparison, label, point)).notnull().sum())


def _value(comparison: Comparison, label: str, point: str, metric: str) -> tuple[float, str]:
    """A metric of a side at a point, and the reason, in a clause, where it is missing."""
    measurement = comparison.measurements[label]
    if metric not in measurement.metrics:
        return math.nan, unmeasured(metric)
    if point not in measurement.main_points:
        return math.nan, f"it has no value at {points.title(point)}"
    value = measurement.curve(metric)[point]
    return value, "" if math.isfinite(value) else measurement.reason(metric, point)
