"""First to last, and the largest change, as numbers; what to know where values are missing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from oversmooth import metrics as metric_registry
from oversmooth.core import points
from oversmooth.report.findings.course import course
from oversmooth.results.measurement import Measurement

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
