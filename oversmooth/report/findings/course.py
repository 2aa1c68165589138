"""The way of a metric from the embedding to the last block, over the same texts from one end to the other."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from oversmooth.core import points
from oversmooth.core.resampling import band
from oversmooth.report.findings.spread import Spread, at_the_end
from oversmooth.results.measurement import Measurement

TIE = 1e-9
"""Relative difference below which two steps are of one size."""


@dataclass(frozen=True)
class Course:
    """One metric at the points from the first to the last that have a value; the final norm is none of them."""

    points: tuple[str, ...]
    values: NDArray[np.float64]
    """(text, point); NaN where a text has no value, and everywhere of a text that lacks one at either end."""

    @property
    def count(self) -> int:
        """Texts that have a value at both ends."""
        return int(np.isfinite(self.values[:, 0]).sum())

    @property
    def means(self) -> dict[str, float]:
        """The mean at each point that has a value."""
        known = np.isfinite(self.values).any(axis=0)
        means = np.nanmean(self.values[:, known], axis=0)
        return dict(zip(np.array(self.points)[known].tolist(), means.tolist(), strict=True))

    @property
    def steps(self) -> dict[str, float]:
        """The mean change of each text from one point to the next, by the latter; only where there is one."""
        found = {}
        for column, (_, point) in enumerate(pairwise(self.points)):
            change = self.values[:, column + 1] - self.values[:, column]
            if np.isfinite(change).any():
                found[point] = float(np.nanmean(change))
        return found

    @property
    def largest(self) -> tuple[str, ...]:
        """The points with the largest step, of either sign; several where they are of one size."""
        steps = self.steps
        most = max(map(abs, steps.values()), default=0.0)
        return tuple(point for point, step in steps.items() if abs(step) >= most * (1 - TIE))

    @property
    def mean_of(self) -> str:
        """``mean of 64 texts, 95 % band at the end 0.34 to 0.38``; empty of one text."""
        if len(self.values) < 2:
            return ""
        found = band(self.values[:, -1])
        return at_the_end(len(self.values), Spread(float(found.low), float(found.high), int(found.count)))


def course(measurement: Measurement, metric: str) -> Course | None:
    """The way of a metric; None where no text has a value anywhere.

    A value that is not resolved is none: nothing is ranked by what may be noise.

    It goes from the first to the last point at which a text has a value. Where no text has one at both, it is that of
    the texts which reach furthest.
    """
    names = [point for point in measurement.main_points if point != points.FINAL_NORM]
    columns = [measurement.points.index(point) for point in names]
    values = measurement.resolved(metric).transpose("input", "point").values[:, columns]
    known = np.isfinite(values)
    if not known.any():
        return None
    first, last = known.argmax(axis=1), len(names) - 1 - known[:, ::-1].argmax(axis=1)
    some = known.any(axis=1)
    start, end = int(first[some].min()), int(last[some].max())
    if not (known[:, start] & known[:, end]).any():
        furthest = int(np.argmax(np.where(some, last - first, -1)))
        start, end = int(first[furthest]), int(last[furthest])
    both = known[:, [start]] & known[:, [end]]
    return Course(tuple(names[start : end + 1]), np.where(both & known, values, np.nan)[:, start : end + 1])
