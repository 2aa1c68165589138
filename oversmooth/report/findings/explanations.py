"""How a metric goes, and where, why and whether tokens grow alike, in sentences from the numbers of a measurement."""

from __future__ import annotations

from collections.abc import Sequence

from oversmooth import metrics as metric_registry
from oversmooth.core import points
from oversmooth.core.numerals import arrow, decimals_for, fixed, number, signed
from oversmooth.core.wording import count
from oversmooth.report.findings.changes import (
    AT_ONE,
    FLAT_COSINE,
    FLAT_SHARE,
    MAIN_METRIC,
    TIE,
    Change,
    Course,
    caveats,
    changes,
    course,
    parted,
)
from oversmooth.report.findings.collapse import collapse_sentence, collapsed_by, collapses, massive, outlier_sentence
from oversmooth.report.findings.readings import readings
from oversmooth.report.findings.spread import mean_of
from oversmooth.report.findings.whether import offset_sentence, offsets, own_clause, whether
from oversmooth.results import waterfall
from oversmooth.results.measurement import Measurement
from oversmooth.results.waterfall import Detail, Step


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
    unit = f" {metric.unit}" if metric.unit else ""
    details = (near_one(change), _where(measurement, change, found), excursion(change, found))
    return _told(measurement, change, found, details, found.mean_of, way=f"{unit}{_way(measurement, change)}")


def _told(
    measurement: Measurement,
    change: Change,
    found: Course,
    details: Sequence[str],
    means: str,
    *,
    mostly: str = "",
    way: str = "",
) -> str:
    begins = opening(measurement, change, found)
    subject = "mean cosine " if change.metric == MAIN_METRIC and begins.startswith("Tokens") else ""
    tail = "".join(f", {detail}" for detail in details if detail)
    return f"{begins}{mostly}: {subject}{arrow(change.first, change.last)}{way}{means and f' ({means})'}{tail}"


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


def explanation_headline(measurement: Measurement) -> str:
    """The finding of the page: whether tokens collapse, how they grow alike, and how much of it all texts share.

    Massive activations are told beside it, and no collapse that may be theirs.
    """
    outlier = outlier_sentence(measurement)
    collapse = collapse_sentence(measurement)
    if collapsed_by(measurement) is not None:
        return " ".join(filter(None, (collapse, outlier)))
    told = collapse if collapses(measurement) else ""
    moved = _moved(measurement)
    if not moved:
        return " ".join(filter(None, (told, headline(measurement))))
    found = offsets(measurement)
    share = offset_sentence(found)
    if share:
        share = f"{share.removesuffix('.')}{own_clause(found)}."
    return " ".join(filter(None, (told, moved, outlier, share)))


def _moved(measurement: Measurement) -> str:
    """``Tokens grow alike mostly in block 5: mean cosine 0.06 → 0.36.``; empty where there is no mean cosine."""
    if MAIN_METRIC not in measurement.metrics:
        return ""
    (change,), found = changes(measurement, [MAIN_METRIC]), course(measurement, MAIN_METRIC)
    if change.block is None or found is None:
        return ""
    mostly = ""
    if not change.flat and 0.5 < change.size / change.total <= 1 + TIE:
        mostly = f" mostly in {points.title(change.block)}"
    texts = len(found.values)
    means = "" if found.count == texts else mean_of(texts, found.count)
    details = (near_one(change), excursion(change, found) if change.flat else "")
    return f"{_told(measurement, change, found, details, means, mostly=mostly)}."


def where(
    measurement: Measurement, metric: str = MAIN_METRIC, detail: Detail | None = None, most: int = 3
) -> tuple[str, ...]:
    """The steps that change a metric most, in sentences: ``Block 5's attention output norm removes 0.14 …``.

    Without a ``detail`` it is that of the chart beside it (:func:`oversmooth.results.waterfall.finest`). Of every part,
    a branch and its residual add are told together: apart they are the largest, and undo each other. ``most`` steps are
    named.
    """
    if metric not in measurement.metrics:
        return ()
    chosen = waterfall.finest(measurement) if detail is None else detail
    steps = waterfall.largest_steps(measurement, metric, most + 1, "stream" if chosen == "parts" else chosen)
    moving = [step for step in steps if step.change]
    sentences = [_steps(metric, moving[:most], moving)] if moving else []
    return tuple(filter(None, (*sentences, waterfall.whole_blocks(measurement))))


def _steps(metric: str, largest: Sequence[Step], ranked: Sequence[Step]) -> str:
    first, *rest = largest
    verb, way = ("removes", "from") if first.change < 0 else ("adds", "to")
    title = metric_registry.get(metric).title
    title = title[0].lower() + title[1:] if title.split()[0][1:].islower() else title
    opening = f"{_named(first, capital=True)} {verb} {number(abs(first.change), 2)} {way} the {title}"
    others = [f"{_named(step)} ({signed(step.change, 2)})" for step in rest]
    if not others:
        return f"{opening}."
    if abs(ranked[1].change) >= abs(first.change) * (1 - TIE):
        return f"{opening}, and no step more; beside it come {' and '.join(others)}."
    return f"{opening}, more than any other step; then come {' and '.join(others)}."


def _named(step: Step, *, capital: bool = False) -> str:
    """“block 5's attention branch with its residual add”, “block 5 as a whole”."""
    name = step.title.replace(" and residual add", " with its residual add").replace("'s whole block", " as a whole")
    return name[0].upper() + name[1:] if capital else name


def in_words(measurement: Measurement) -> str:
    """All of it as text: the headline, then each part with its sentences."""
    parts = [("Where", where(measurement))]
    for reading in readings(measurement):
        warning = (f"Warning: {reading.warning}",) if reading.warning else ()
        parts.append((f"Why: {reading.title}", (*map(": ".join, reading.labelled), *warning)))
    parts.append(("Whether", whether(measurement)))
    blocks = ["\n".join([title, *(f"  {sentence}" for sentence in said)]) for title, said in parts if said]
    return "\n\n".join([explanation_headline(measurement), *blocks])
