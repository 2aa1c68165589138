"""First to last, the largest change, and the one sentence that states it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from oversmooth import metrics as metric_registry
from oversmooth import points
from oversmooth.findings.numerals import arrow, decimals_for, fixed, number
from oversmooth.findings.spread import at_the_end, spreads
from oversmooth.wording import count, enumerated

if TYPE_CHECKING:
    from oversmooth.measurement import Measurement

MAIN_METRIC = "token_cosine"
FLAT_COSINE = 0.02
"""A mean cosine that changes by less than this has not changed, as the headline says it."""
FLAT_SHARE = 0.02
"""Of any other metric: a change of less than this share of the larger end."""


@dataclass(frozen=True)
class Change:
    """How one metric goes from the embedding to the output of the last block."""

    metric: str
    first: float
    """Value at ``first_point``; NaN where the metric has no value anywhere."""
    last: float
    first_point: str
    """The embedding, or the first point after it that has a value."""
    last_point: str
    """The last block that has a value. The final norm is not a block and not counted."""
    block: str | None
    """The block with the largest change, whatever its sign; None where no two neighbouring points have values."""
    size: float
    """That change, signed."""

    @property
    def total(self) -> float:
        """Last minus first."""
        return self.last - self.first

    @property
    def flat(self) -> bool:
        """Whether first and last are the same for a reader."""
        if self.metric == MAIN_METRIC:
            return abs(self.total) < FLAT_COSINE
        return abs(self.total) <= FLAT_SHARE * max(abs(self.first), abs(self.last))


def headline(measurement: Measurement) -> str:
    """The finding in one sentence, with a further one for values that are missing or not resolved.

    It speaks of the mean cosine where that was measured, else of the first metric that was, and goes from the
    embedding to the output of the last block.
    """
    metric = MAIN_METRIC if MAIN_METRIC in measurement.metrics else measurement.metrics[0]
    change = changes(measurement, [metric])[0]
    title = metric_registry.get(metric).title
    if math.isnan(change.first):
        where = "" if len(measurement.tokens) == 1 else " in any of the texts"
        return f"{title} has no value{where}: {reason(measurement, metric, change.first_point)}."
    if change.first_point == change.last_point:
        sentence = f"{title} is {number(change.first)} at {points.title(change.first_point)}."
    else:
        sentence = f"{_movement(measurement, change)}."
    return " ".join([sentence, *caveats(measurement, metric)])


def changes(measurement: Measurement, metrics: Sequence[str]) -> tuple[Change, ...]:
    """First and last value of each metric, and the block of its largest change."""
    return tuple(_change(measurement, metric) for metric in metrics)


def reason(
    measurement: Measurement, metric: str, point: str, kind: Literal["missing", "unresolved"] = "missing"
) -> str:
    """Why a value is missing, or what to know before it is read; empty for an unresolved value that is not one."""
    notes = measurement.missing(metric, point, kind)
    if not notes:
        return "no reason was recorded" if kind == "missing" else ""
    texts = len(measurement.tokens)
    return notes[0].reason if texts == 1 else f"{notes[0].reason} (in {len(notes)} of {texts} texts)"


def caveats(measurement: Measurement, metric: str) -> list[str]:
    """A sentence on the points where the metric is missing, and one on those where it is not resolved."""
    values = measurement.curve(metric)
    missing = [point for point, value in values.items() if not math.isfinite(value)]
    unresolved = [point for point in values if measurement.missing(metric, point, "unresolved")]
    sentences = []
    if missing:
        sentences.append(f"No value at {_places(missing)}: {reason(measurement, metric, missing[0])}.")
    if unresolved:
        why = reason(measurement, metric, unresolved[0], "unresolved")
        sentences.append(f"Below resolution at {_places(unresolved)}: {why}.")
    return sentences


def _change(measurement: Measurement, metric: str) -> Change:
    path = [(point, value) for point, value in measurement.curve(metric).items() if point != points.FINAL_NORM]
    defined = [(point, value) for point, value in path if math.isfinite(value)]
    if not defined:
        return Change(metric, math.nan, math.nan, path[0][0], path[-1][0], None, math.nan)
    (first_point, first), (last_point, last) = defined[0], defined[-1]
    steps = [(block, after - before) for (_, before), (block, after) in pairwise(path) if math.isfinite(after - before)]
    block, size = max(steps, key=lambda step: abs(step[1]), default=(None, math.nan))
    return Change(metric, first, last, first_point, last_point, block, size)


def _movement(measurement: Measurement, change: Change) -> str:
    """``Tokens grow alike: mean cosine 0.06 → 0.36 over 6 blocks, most of it in block 5, the last``."""
    metric = metric_registry.get(change.metric)
    is_main = change.metric == MAIN_METRIC
    if change.flat:
        opening = "Tokens stay as alike as they were" if is_main else f"{metric.title} hardly changes"
    elif is_main:
        opening = "Tokens grow alike" if change.total > 0 else "Tokens grow apart"
    else:
        opening = f"{metric.title} {'rises' if change.total > 0 else 'falls'}"
    subject = "mean cosine " if is_main else ""
    unit = f" {metric.unit}" if metric.unit else ""
    details = [detail for detail in (_where(measurement, change), _excursion(measurement, change)) if detail]
    tail = _mean(measurement, change) + "".join(f", {detail}" for detail in details)
    return f"{opening}: {subject}{arrow(change.first, change.last)}{unit}{_way(measurement, change)}{tail}"


def _mean(measurement: Measurement, change: Change) -> str:
    """`` (mean of 64 texts, 95 % band at the end 0.34 to 0.38)``; nothing of one text."""
    last = spreads(measurement, change.metric).get(change.last_point)
    words = at_the_end(len(measurement.tokens), last)
    return f" ({words})" if words else ""


def _way(measurement: Measurement, change: Change) -> str:
    blocks = _blocks(measurement)
    if (change.first_point, change.last_point) == (points.EMBEDDING, blocks[-1]):
        return f" over {count(len(blocks), 'block')}"
    return f" from {points.title(change.first_point)} to {points.title(change.last_point)}"


def _where(measurement: Measurement, change: Change) -> str:
    """Where most of the change happens."""
    blocks = _blocks(measurement)
    if change.flat:
        limit = f"{FLAT_COSINE:g}" if change.metric == MAIN_METRIC else f"{100 * FLAT_SHARE:g} %"
        return f"a change of less than {limit}"
    if len(blocks) == 1 or change.block is None:
        return ""
    ends = {blocks[0]: ", the first", blocks[-1]: ", the last"}
    place = points.title(change.block) + ends.get(change.block, "")
    share = change.size / change.total
    if 0.5 < share <= 1.0:
        return f"most of it in {place}"
    size = _as_precise(abs(change.size), change)
    return f"the largest step ({'+' if change.size > 0 else '−'}{size}) in {place}"


def _as_precise(value: float, change: Change) -> str:
    """A number with the decimals of the change's first and last."""
    decimals = decimals_for(change.total, max(abs(change.first), abs(change.last)))
    return number(value) if decimals is None else fixed(value, decimals)


def _excursion(measurement: Measurement, change: Change) -> str:
    """Where the curve leaves the range between its ends by more than a reader would overlook."""
    low, high = sorted((change.first, change.last))
    allowed = max(0.25 * abs(change.total), FLAT_COSINE if change.metric == MAIN_METRIC else FLAT_SHARE * abs(high))
    values = {
        point: value
        for point, value in measurement.curve(change.metric).items()
        if point != points.FINAL_NORM and math.isfinite(value)
    }
    beyond = {point: max(low - value, value - high) for point, value in values.items()}
    furthest = max(beyond, key=lambda point: beyond[point])
    if beyond[furthest] <= allowed:
        return ""
    return f"reaching {_as_precise(values[furthest], change)} at {points.title(furthest)} in between"


def _blocks(measurement: Measurement) -> list[str]:
    return [point for point in measurement.main_points if points.is_block(point)]


def _places(names: Sequence[str]) -> str:
    if len(names) > 3:
        return f"{len(names)} points from {points.title(names[0])} to {points.title(names[-1])}"
    return enumerated([points.title(name) for name in names])
