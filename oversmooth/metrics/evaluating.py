"""Metrics of many texts at once: their numbers, why one is missing, and which are resolved."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from oversmooth.core.errors import UndefinedError
from oversmooth.core.plugins import what
from oversmooth.metrics.baseline import Baseline
from oversmooth.metrics.numerics import Array, Float64, on_host
from oversmooth.metrics.registry import BesideBaseline, Metric, plugin
from oversmooth.metrics.requirements import Requirement
from oversmooth.metrics.states import TokenStates

Sides: TypeAlias = tuple[TokenStates] | tuple[TokenStates, Baseline]


@dataclass(frozen=True)
class Evaluated:
    """What became of m metrics of s texts."""

    values: Float64
    """NaN where there is none (m × s)."""
    resolved: NDArray[np.bool_]
    """Whether each rises above what rounding makes (m × s)."""
    missing: Mapping[tuple[int, int], str]
    """Why there is none, in a clause, by the numbers of metric and text."""


def evaluate(
    metrics: Sequence[Metric | BesideBaseline], states: TokenStates, baseline: Baseline | None = None
) -> Evaluated:
    """Compute metrics where the states are; only their numbers travel.

    A metric of a plug-in whose code fails for a text has no number there, and all others have theirs.

    Args:
        metrics: of the states alone, or all beside a baseline.
        states: of s texts.
        baseline: what the same texts have at that point without a method.
    """
    sides = (states,) if baseline is None else (states, baseline)
    required = tuple(dict.fromkeys(each for metric in metrics for each in metric.requires))
    with np.errstate(all="ignore"):  # what a text does not define is computed with the others, and not read
        failures: dict[Requirement, str] = {}
        masks = _on_host([_met(each, metrics, sides, failures) for each in required], states)
        met = dict(zip(required, masks, strict=True))
        nowhere = {each for each, mask in met.items() if not mask.any()} if not masks.all() else set()
        computed = [
            _nothing(states) if nowhere.intersection(metric.requires) else _compute(metric, sides) for metric in metrics
        ]
        values = _on_host([each[0] for each in computed], states)
        resolved = _on_host([each[1] for each in computed], states)
    if masks.all() and np.isfinite(values).all():
        return Evaluated(values, resolved, {})
    missing: dict[tuple[int, int], str] = {}
    for number, metric in enumerate(metrics):
        for each in metric.requires:
            for text in np.flatnonzero(~met[each]).tolist():
                missing.setdefault((number, text), failures.get(each) or each.reason(states, text))
        for text in np.flatnonzero(~np.isfinite(values[number])).tolist():
            missing.setdefault((number, text), computed[number][2].get(text, "the result is infinite or not a number"))
    for at in missing:
        values[at] = math.nan
    return Evaluated(values, resolved, missing)


def number_of(metric: Metric | BesideBaseline, states: TokenStates, baseline: Baseline | None = None) -> float:
    """The number of a single text.

    Raises:
        UndefinedError: where it has none.
    """
    found = evaluate([metric], states, baseline)
    if found.missing:
        raise UndefinedError(found.missing[0, 0])
    return float(found.values[0, 0])


def _met(
    requirement: Requirement, metrics: Sequence[Metric | BesideBaseline], sides: Sides, failures: dict[Requirement, str]
) -> Array:
    """Whether each text meets it; none does where a plug-in's own fails, and why is added to the failures."""
    try:
        return sides[0].each(requirement.met(*sides))
    except Exception as error:
        if any(requirement in metric.requires and plugin(metric.name) is None for metric in metrics):
            raise
        failures[requirement] = f"the plug-in fails ({what(error)})"
        return sides[0].each(False)


_Computed: TypeAlias = tuple[Array, Array, Mapping[int, str]]
"""Numbers, whether they are resolved, and why the code failed for a text."""


def _compute(metric: Metric | BesideBaseline, sides: Sides) -> _Computed:
    compute: Any = metric.compute
    resolved: Any = metric.resolved
    states = sides[0]
    try:
        values = compute(*sides)
        if tuple(values.shape) != (states.texts,):
            raise TypeError(f"numbers of the shape {tuple(values.shape)} for {states.texts} texts")
        values = states.xp.astype(values, states.xp.float64, copy=False)
        return values, states.each(True) if resolved is None else resolved(*sides), {}
    except Exception as error:
        if plugin(metric.name) is None:
            raise
        if states.texts == 1:
            return *_nothing(states)[:2], {0: f"the plug-in fails ({what(error)})"}
    # One text's failure is no other's.
    alone = [_compute(metric, (states.text(number),)) for number in range(states.texts)]
    failures = {number: each[2][0] for number, each in enumerate(alone) if each[2]}
    return states.xp.concat([each[0] for each in alone]), states.xp.concat([each[1] for each in alone]), failures


def _nothing(states: TokenStates) -> _Computed:
    return states.each(math.nan), states.each(False), {}


def _on_host(arrays: Sequence[Array], states: TokenStates) -> NDArray[Any]:
    """Arrays (s each) as one on the host, in one transfer."""
    return on_host(states.xp.stack(arrays)) if arrays else np.empty((0, states.texts), dtype=bool)
