"""What a person asks a figure for (a layer, a metric, a side, a theme), checked against what a result has.

Each raises a :class:`~oversmooth.core.errors.SettingsError` for what there is none of.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import get_args

from oversmooth import metrics as metric_registry
from oversmooth.core import points
from oversmooth.core.errors import SettingsError
from oversmooth.core.wording import count, did_you_mean, enumerated
from oversmooth.report.figures.theme import DARK, LIGHT, Theme
from oversmooth.report.findings.absences import unmeasured
from oversmooth.results.comparison import Comparison
from oversmooth.results.files.tables import sides_of
from oversmooth.results.measurement import Measurement
from oversmooth.results.plotting import Layer, ThemeName

_MOST_LISTED = 24


def chosen_point(result: Measurement | Comparison, layer: Layer) -> str:
    """The point that a person names; of a comparison, one that at least one side has.

    Negative numbers count from the end, in a comparison from that of the baseline.
    """
    known = _points_of(result)
    number = _number(layer)
    if number is None:
        return _known(str(layer), known, "point")
    most = sum(map(points.is_block, known))
    from_end = result.baseline.points if isinstance(result, Comparison) else known
    found = number + sum(map(points.is_block, from_end)) if number < 0 else number
    if not 0 <= found < most:
        raise SettingsError(
            f"There is no block {number} in this result: it has {count(most, 'block')}, counted from 0."
        )
    return points.block(found)


def chosen_metric(result: Measurement | Comparison, name: str) -> str:
    """A metric that the result has."""
    measured = metrics_of(result)
    if name not in measured and name in (*metric_registry.names(), *metric_registry.fidelity_names()):
        raise SettingsError(f"{unmeasured(name)}. This result has {enumerated(_few(measured))}.")
    return _known(name, measured, "metric")


def chosen_variant(comparison: Comparison, label: str | None) -> str:
    """A variant of a comparison; None is the first."""
    if label is None and not comparison.variants:
        raise SettingsError("There is no variant to set against the baseline.")
    label = next(iter(comparison.variants)) if label is None else chosen_side(comparison, label)
    if label == comparison.baseline_label:
        raise SettingsError(f"“{label}” is what the others are set against: name a variant.")
    return label


def chosen_side(comparison: Comparison, label: str | None) -> str:
    """The baseline or a variant of a comparison; None is the baseline."""
    if label is None:
        return comparison.baseline_label
    if label in comparison.failures:
        raise SettingsError(f"The variant “{label}” was left out. {comparison.failures[label]}")
    return _known(label, comparison.measurements, "side")


def chosen_theme(name: ThemeName) -> Theme:
    """The theme of that name."""
    return {"light": LIGHT, "dark": DARK}[_known(name, get_args(ThemeName), "theme")]


def metrics_of(result: Measurement | Comparison) -> tuple[str, ...]:
    """Everything that was measured, on one side at least."""
    return tuple(dict.fromkeys(name for each in sides_of(result).values() for name in each.metrics))


def _points_of(result: Measurement | Comparison) -> tuple[str, ...]:
    deepest_first = sorted(sides_of(result).values(), key=lambda each: -len(each.points))
    return tuple(dict.fromkeys(point for each in deepest_first for point in each.points))


def _number(layer: Layer) -> int | None:
    """The number of a block that is meant; None for the name of another point."""
    try:
        return int(layer) if isinstance(layer, str) else operator.index(layer)
    except (TypeError, ValueError):
        return None


def _known(name: str, known: Iterable[str], noun: str) -> str:
    known = list(known)
    if name in known:
        return name
    near = did_you_mean(name, known) if isinstance(name, str) else ""
    what_to_do = "" if near else f" Choose from {enumerated(_few(known))}."
    raise SettingsError(f"There is no {noun} “{name}”{near}.{what_to_do}")


def _few(names: Sequence[str]) -> Sequence[str]:
    return names if len(names) <= _MOST_LISTED else [*names[:_MOST_LISTED], "others"]
