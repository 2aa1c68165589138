"""The one sentence that states how a metric goes from the embedding to the last block."""

from __future__ import annotations

from oversmooth import metrics as metric_registry
from oversmooth.core import points
from oversmooth.core.numerals import arrow, decimals_for, fixed, number
from oversmooth.core.wording import count
from oversmooth.report.findings.changes import (
    AT_ONE,
    FLAT_COSINE,
    FLAT_SHARE,
    MAIN_METRIC,
    Change,
    caveats,
    changes,
    parted,
)
from oversmooth.report.findings.course import TIE, Course, course
from oversmooth.report.findings.outlying import massive, outlier_sentence
from oversmooth.report.findings.spread import mean_of
from oversmooth.results.measurement import Measurement


def headline(measurement: Measurement) -> str:
    """The finding in one sentence, with further ones for massive activations and for values missing or not resolved.

    It speaks of the mean cosine where that was measured, else of the first metric that was, and goes from the
    embedding to the output of the last block, over the texts that have a value at both.
    """
    metric = MAIN_METRIC if MAIN_METRIC in measurement.metrics else measurement.metrics[0]
    change, found = changes(measurement, [metric])[0], course(measurement, metric)
    title = metric_registry.get(metric).title
    if found is None:
        where = "" if len(measurement.tokens) == 1 else " in any of the texts"
        if any(measurement.missing(metric, point, "unresolved") for point in measurement.main_points):
            return " ".join([f"{title} has no resolved value{where}.", *caveats(measurement, metric)])
        return f"{title} has no value{where}: {measurement.reason(metric, change.first_point)}."
    if change.first_point == change.last_point:
        means = f" ({found.mean_of})" if found.mean_of else ""
        sentence = f"{title} is {number(change.first)} at {points.title(change.first_point)}{means}."
    else:
        sentence = f"{_movement(measurement, change, found)}."
    return " ".join(filter(None, [sentence, outlier_sentence(measurement), *caveats(measurement, metric)]))


def opening(measurement: Measurement, change: Change, found: Course) -> str:
    """``Tokens grow alike``; of another metric, or where an end is that of an outlier, only how the number goes."""
    comes_back = change.flat and bool(excursion(change, found))
    is_main = change.metric == MAIN_METRIC
    if not is_main or massive(measurement).keys() & {change.first_point, change.last_point}:
        stays = "comes back" if comes_back else "hardly changes"
        return f"{_title(change)} {stays if change.flat else 'rises' if change.total > 0 else 'falls'}"
    if comes_back:
        return "Tokens end as alike as they began"
    if change.flat:
        return "Tokens stay as alike as they were"
    return "Tokens grow alike" if change.total > 0 else "Tokens grow apart"


def _title(change: Change) -> str:
    return "Mean cosine" if change.metric == MAIN_METRIC else metric_registry.get(change.metric).title


def _movement(measurement: Measurement, change: Change, found: Course) -> str:
    """``Tokens grow alike: mean cosine 0.06 → 0.36 over 6 blocks, most of it in block 5, the last``."""
    metric = metric_registry.get(change.metric)
    begins = opening(measurement, change, found)
    subject = "mean cosine " if change.metric == MAIN_METRIC and begins.startswith("Tokens") else ""
    unit = f" {metric.unit}" if metric.unit else ""
    told = (near_one(change), _where(measurement, change, found), excursion(change, found))
    tail = "".join(f", {detail}" for detail in told if detail)
    means = f" ({found.mean_of})" if found.mean_of else ""
    return f"{begins}: {subject}{arrow(change.first, change.last)}{unit}{_way(measurement, change)}{means}{tail}"


def near_one(change: Change) -> str:
    """``1 − cosine 20 times as small``, where a small change near 1 is none of little account; else empty."""
    ratio = parted(change.metric, change.first, change.last)
    if ratio == 1.0 or not change.small:
        return ""
    distance = "1 − cosine" if change.metric == MAIN_METRIC else "its distance to 1"
    if 1 - max(change.first, change.last) < AT_ONE:
        return f"{distance} {'to' if ratio < 1 else 'from'} less than {number(AT_ONE, 1)}"
    times = 1 / ratio if ratio < 1 else ratio
    return f"{distance} {number(times, 2)} times as {'small' if ratio < 1 else 'large'}"


def known_texts(measurement: Measurement, metric: str) -> str:
    """``mean of 63 of 64 texts``, where some texts lack a value at an end of the metric's way; else empty."""
    found = course(measurement, metric)
    return "" if found is None or found.count == len(found.values) else mean_of(len(found.values), found.count)


def _way(measurement: Measurement, change: Change) -> str:
    blocks = _blocks(measurement)
    if (change.first_point, change.last_point) == (points.EMBEDDING, blocks[-1]):
        return f" over {count(len(blocks), 'block')}"
    return f" from {points.title(change.first_point)} to {points.title(change.last_point)}"


def _where(measurement: Measurement, change: Change, found: Course) -> str:
    """Where most of the change happens."""
    blocks = _blocks(measurement)
    if change.flat:
        limit = f"{FLAT_COSINE:g}" if change.metric == MAIN_METRIC else f"{100 * FLAT_SHARE:g} %"
        return f"a change of less than {limit}"
    if len(blocks) == 1 or change.block is None:
        return ""
    ends = {blocks[0]: ", the first", blocks[-1]: ", the last"}
    share = change.size / change.total
    if 0.5 < share <= 1 + TIE:
        return f"most of it in {points.title(change.block)}{ends.get(change.block, '')}"
    size = _as_precise(abs(change.size), change)
    if len(found.largest) > 1:
        sign = "" if len({found.steps[point] > 0 for point in found.largest}) > 1 else "+" if change.size > 0 else "−"
        return f"the largest steps ({sign or '±'}{size}) in {points.places(found.largest, 'block')}"
    return (
        f"the largest step ({'+' if change.size > 0 else '−'}{size}) in {points.title(change.block)}"
        f"{ends.get(change.block, '')}"
    )


def _as_precise(value: float, change: Change) -> str:
    """A number with the decimals of the change's first and last, or more where these would hide it."""
    decimals = decimals_for(change.total, max(abs(change.first), abs(change.last)))
    if decimals is None or (value and float(f"{value:.{decimals}f}") == 0) or 1 - 0.5 * 10.0**-decimals <= value < 1:
        return number(value)
    return fixed(value, decimals)


def excursion(change: Change, found: Course) -> str:
    """``reaching 0.95 at block 1 in between``, where the curve leaves the range of its ends for a reader to see."""
    low, high = sorted((change.first, change.last))
    allowed = max(0.25 * abs(change.total), FLAT_COSINE if change.metric == MAIN_METRIC else FLAT_SHARE * abs(high))
    values = found.means
    beyond = {point: max(low - value, value - high) for point, value in values.items()}
    furthest = max(beyond, key=lambda point: beyond[point])
    value = values[furthest]
    if beyond[furthest] <= 0:
        return ""
    if beyond[furthest] <= allowed and parted(change.metric, high if value > high else low, value) == 1.0:
        return ""
    return f"reaching {_as_precise(value, change)} at {points.title(furthest)} in between"


def _blocks(measurement: Measurement) -> list[str]:
    return [point for point in measurement.main_points if points.is_block(point)]
