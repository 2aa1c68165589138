"""Massive activations: where one outlier makes what is said of all tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from oversmooth.core import points
from oversmooth.core.numerals import number
from oversmooth.core.wording import count, enumerated
from oversmooth.metrics.scale import MASSIVE, TOLD_MASSIVE
from oversmooth.results.comparison import Comparison
from oversmooth.results.measurement import Measurement

_RATIO: Final = "max_activation_ratio"
_DESCRIBED: Final = "cosines, ranks and spectra there describe that outlier, not smoothing"


def activation_ratios(measurement: Measurement) -> NDArray[np.float64]:
    """Largest over median activation, (input, point); NaN where it is not known."""
    if measurement.activation_ratios is not None:
        values: NDArray[np.float64] = measurement.activation_ratios.transpose("input", "point").values
        return values
    if _RATIO in measurement.metrics:
        values = measurement.curves[_RATIO].transpose("input", "point").values
        return values
    return np.full((len(measurement.tokens), len(measurement.points)), np.nan)


def massive(measurement: Measurement) -> dict[str, float]:
    """The main points at which a text has a massive activation, each with the largest ratio of any text."""
    reached = np.nan_to_num(activation_ratios(measurement)).max(axis=0, initial=0.0)
    found = dict(zip(measurement.points, reached.tolist(), strict=True))
    return {point: found[point] for point in measurement.main_points if found[point] >= MASSIVE}


def outlier_sentence(measurement: Measurement, at: Sequence[str] | None = None) -> str:
    """That an outlier makes other numbers, in a sentence; empty where there is none.

    It speaks of the points ``at``; of all main points without them.
    """
    found = {point: ratio for point, ratio in massive(measurement).items() if at is None or point in at}
    if not found:
        return ""
    worst = max(found, key=lambda point: found[point])
    texts, most = len(measurement.tokens), f"{number(found[worst], 3)} times the median"
    ratios = activation_ratios(measurement)[:, measurement.points.index(worst)]
    some = int((np.nan_to_num(ratios) >= MASSIVE).sum())
    of_texts = f" in {some} of {count(texts, 'text')}" if texts > 1 else ""
    if len(found) == 1:
        return f"A massive activation, {most} at {points.title(worst)}{of_texts}: {_DESCRIBED}."
    where = f"{points.places(list(found))}, up to {most} at {points.title(worst)}{of_texts}"
    return f"Massive activations at {where}: {_DESCRIBED}."


def warnings_beside(measurement: Measurement) -> tuple[str, ...]:
    """What the record warns of, less the massive activations that every headline tells."""
    told = bool(massive(measurement))
    return tuple(each for each in measurement.record.warnings if not (told and each.startswith(TOLD_MASSIVE)))


def compared_outliers(comparison: Comparison) -> str:
    """Which sides have massive activations, in a sentence; empty where none has."""
    found = {label: massive(each) for label, each in comparison.measurements.items()}
    found = {label: ratios for label, ratios in found.items() if ratios}
    if not found:
        return ""
    worst = max(found, key=lambda label: max(found[label].values()))
    point = max(found[worst], key=lambda each: found[worst][each])
    who = "every side" if len(found) == len(comparison.measurements) > 1 else _few(found)
    most = f"{number(found[worst][point], 3)} times the median"
    whose = f" of {worst}" if len(found) > 1 else ""
    return f"Massive activations in {who}, up to {most} at {points.title(point)}{whose}: {_DESCRIBED}."


def _few(labels: Mapping[str, object]) -> str:
    return enumerated(list(labels)) if len(labels) <= 3 else count(len(labels), "side")
