"""Several measurements in the same axes: a baseline and its variants."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oversmooth import points
from oversmooth.wording import count

if TYPE_CHECKING:
    from oversmooth.measurement import Measurement

BASELINE = "baseline"
MOST_VARIANTS = 6
"""Beside the baseline: more lines cannot be told apart."""
SAME = 1e-9
"""Relative difference below which two values are the same: both sides run the same kernel on the same weights."""


@dataclass(frozen=True)
class Comparison:
    """A baseline and what was measured beside it."""

    measurements: Mapping[str, Measurement]
    """By label, in order; the first is the baseline."""
    failures: Mapping[str, str]
    """The reason, in a sentence, of each variant that could not be measured."""

    @property
    def baseline(self) -> Measurement:
        """What the others are set against."""
        return next(iter(self.measurements.values()))

    @property
    def baseline_label(self) -> str:
        """Its label."""
        return next(iter(self.measurements))

    @property
    def variants(self) -> dict[str, Measurement]:
        """All but the baseline, by label."""
        return {label: each for label, each in self.measurements.items() if label != self.baseline_label}

    def incomparable(self, label: str) -> str:
        """Why a variant has no differences to the baseline, in a clause; empty where it has."""
        depths = [sum(map(points.is_block, each.main_points)) for each in (self.baseline, self.measurements[label])]
        if depths[0] != depths[1]:
            return f"it has {count(depths[1], 'block')}, the baseline {depths[0]}"
        return ""

    def deltas(self, metric: str, label: str) -> dict[str, float]:
        """Variant minus baseline at every main point of the variant, of the means over texts; NaN where undefined.

        The fusion of all blocks is set against the baseline's last block.
        """
        if metric not in self.baseline.metrics or metric not in self.measurements[label].metrics:
            return {}
        theirs, ours = self.baseline.curve(metric), self.measurements[label].curve(metric)
        if self.incomparable(label):
            return dict.fromkeys(ours, math.nan)
        last = [point for point in theirs if points.is_block(point)][-1]
        theirs = {**theirs, points.FUSION: theirs[last]}
        return {point: value - theirs.get(point, math.nan) for point, value in ours.items()}

    def parting(self, metric: str, label: str) -> str | None:
        """The first main point at which a variant differs from the baseline; None where it nowhere does."""
        theirs = self.baseline.curve(metric)
        for point, delta in self.deltas(metric, label).items():
            if math.isfinite(delta) and abs(delta) > SAME * abs(theirs.get(point, 0.0)):
                return point
        return None

    def largest(self, metric: str, label: str) -> tuple[str, float] | None:
        """The main point with the largest difference to the baseline, and that difference."""
        found = {point: delta for point, delta in self.deltas(metric, label).items() if math.isfinite(delta)}
        return max(found.items(), key=lambda item: abs(item[1]), default=None)
