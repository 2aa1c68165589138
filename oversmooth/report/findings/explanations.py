"""Where, why and whether tokens grow alike, in sentences from the numbers of an explanation."""

from __future__ import annotations

from collections.abc import Sequence

from oversmooth import metrics as metric_registry
from oversmooth.core import points
from oversmooth.core.numerals import arrow, number, signed
from oversmooth.report.findings.changes import MAIN_METRIC, changes
from oversmooth.report.findings.collapse import collapse_sentence, collapsed_by, collapses
from oversmooth.report.findings.course import TIE, course
from oversmooth.report.findings.headlines import excursion, headline, known_texts, near_one, opening
from oversmooth.report.findings.outlying import outlier_sentence
from oversmooth.report.findings.readings import readings
from oversmooth.report.findings.whether import offset_sentence, offsets, own_clause, whether
from oversmooth.results import waterfall
from oversmooth.results.measurement import Measurement
from oversmooth.results.waterfall import Detail, Step


def explanation_headline(measurement: Measurement) -> str:
    """The finding of the page: whether tokens collapse, how they grow alike, and how much of it all texts share.

    Massive activations are told beside it, and no collapse that may be theirs.
    """
    outlier = outlier_sentence(measurement)
    collapse = collapse_sentence(measurement)
    if collapsed_by(measurement) is not None:
        return " ".join(filter(None, (collapse, outlier)))
    told = collapse if collapses(measurement) else ""
    moved = _movement(measurement)
    if not moved:
        return " ".join(filter(None, (told, headline(measurement))))
    found = offsets(measurement)
    share = offset_sentence(found)
    if share:
        share = f"{share.removesuffix('.')}{own_clause(found)}."
    return " ".join(filter(None, (told, moved, outlier, share)))


def _movement(measurement: Measurement) -> str:
    """``Tokens grow alike mostly in block 5: mean cosine 0.06 → 0.36.``; empty where there is no mean cosine."""
    if MAIN_METRIC not in measurement.metrics:
        return ""
    (change,), found = changes(measurement, [MAIN_METRIC]), course(measurement, MAIN_METRIC)
    if change.block is None or found is None:
        return ""
    begins = opening(measurement, change, found)
    subject = "mean cosine " if begins.startswith("Tokens") else ""
    mostly = ""
    if not change.flat and 0.5 < change.size / change.total <= 1 + TIE:
        mostly = f" mostly in {points.title(change.block)}"
    known = known_texts(measurement, MAIN_METRIC)
    means = f" ({known})" if known else ""
    told = (near_one(change), excursion(change, found) if change.flat else "")
    tail = "".join(f", {detail}" for detail in told if detail)
    return f"{begins}{mostly}: {subject}{arrow(change.first, change.last)}{means}{tail}."


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
