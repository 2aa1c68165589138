"""The way of a metric from the embedding to the last block, as numbers; what to know where values are missing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from oversmooth import metrics as metric_registry
from oversmooth.core import points
from oversmooth.core.points import title
from oversmooth.core.resampling import band
from oversmooth.core.wording import count
from oversmooth.report.findings.spread import Spread, at_the_end
from oversmooth.results.measurement import Measurement

TIE = 1e-9
"""Relative difference below which two steps are of one size."""
MAIN_METRIC = "token_cosine"
FLAT_COSINE = 0.02
"""A mean cosine that changes by less than this has not changed, as the headline says it, unless it comes near 1."""
FLAT_SHARE = 0.02
"""Of any other metric: a change of less than this share of the larger end."""
APART = 2.0
"""Of a metric that ends at 1: a distance to 1 that becomes as many times smaller or larger has changed."""
AT_ONE = 1e-12
"""A distance to 1 that float32 states do not tell from 0: their rounding turns a token by 6e-8, a pass by some times
as much, and 1 − cosine goes with the square."""


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


@dataclass(frozen=True)
class Change:
    """How one metric goes from the embedding to the output of the last block."""

    metric: str
    first: float
    """Value at ``first_point``, as the mean over the texts that have one at both ends; NaN where none has any."""
    last: float
    """Value at ``last_point``, over the same texts."""
    first_point: str
    """The embedding, or the first point after it that has a value."""
    last_point: str
    """The last block that has a value. The final norm is not a block and not counted."""
    block: str | None
    """The block with the largest change, whatever its sign, the first of several; None where no two neighbouring
    points have values."""
    size: float
    """That change, signed."""

    @property
    def total(self) -> float:
        """Last minus first."""
        return self.last - self.first

    @property
    def flat(self) -> bool:
        """Whether first and last are the same for a reader: by their difference, and near 1 by their distances to 1."""
        return self.small and parted(self.metric, self.first, self.last) == 1.0

    @property
    def small(self) -> bool:
        """Whether their difference is of no account, wherever they lie."""
        if self.metric == MAIN_METRIC:
            return abs(self.total) < FLAT_COSINE
        return abs(self.total) <= FLAT_SHARE * max(abs(self.first), abs(self.last))


def parted(metric: str, first: float, last: float) -> float:
    """(1 − last)/(1 − first) of a metric that ends at 1, where it is at most ``1/APART`` or at least ``APART``; else 1.

    Distances to 1 below ``AT_ONE`` count as that.
    """
    if metric_registry.get(metric).upper != 1:
        return 1.0
    before, after = (max(1 - value, AT_ONE) for value in (first, last))
    ratio = after / before
    return ratio if ratio >= APART or ratio <= 1 / APART else 1.0


def changes(measurement: Measurement, metrics: Sequence[str]) -> tuple[Change, ...]:
    """First and last value of each metric, and the block of its largest change."""
    return tuple(_change(measurement, metric) for metric in metrics)


def caveats(measurement: Measurement, metric: str) -> list[str]:
    """A sentence on the points where the metric is missing, and one on those where it is not resolved."""
    values = measurement.curve(metric)
    missing = [point for point, value in values.items() if not math.isfinite(value)]
    unresolved = [point for point in values if measurement.missing(metric, point, "unresolved")]
    sentences = []
    if missing:
        sentences.append(f"No value at {points.places(missing)}: {measurement.reason(metric, missing[0])}.")
    if unresolved:
        why = measurement.reason(metric, unresolved[0], "unresolved")
        sentences.append(f"Below resolution at {points.places(unresolved)}: {why}.")
    return sentences


def _change(measurement: Measurement, metric: str) -> Change:
    found = course(measurement, metric)
    if found is None:
        path = [point for point in measurement.main_points if point != points.FINAL_NORM]
        return Change(metric, math.nan, math.nan, path[0], path[-1], None, math.nan)
    means, steps = found.means, found.steps
    first_point, last_point = found.points[0], found.points[-1]
    block = found.largest[0] if found.largest else None
    size = math.nan if block is None else steps[block]
    return Change(metric, means[first_point], means[last_point], first_point, last_point, block, size)


def missing(measurement: Measurement) -> list[str]:
    """A sentence for each reason and place: ``No value for token_cosine at any point: needs at least two tokens.``."""
    places: dict[tuple[str, str], list[str]] = {}
    for note in measurement.notes:
        if note.kind == "missing":
            points = places.setdefault((note.reason, note.metric), [])
            if note.point not in points:
                points.append(note.point)
    metrics: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (reason, metric), points in places.items():
        metrics.setdefault((reason, tuple(points)), []).append(metric)
    everywhere = measurement.curves.sizes["point"]
    return [
        f"No value for {', '.join(names)} at {_place(points, everywhere)}: {reason}."
        for (reason, points), names in metrics.items()
    ]


def _place(points: Sequence[str], everywhere: int) -> str:
    if len(points) == 1:
        return title(points[0])
    return "any point" if len(points) == everywhere else count(len(points), "point")
