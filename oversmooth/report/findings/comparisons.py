"""How the variants of a comparison differ from its baseline: a row or a position for each, and one sentence."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from oversmooth import metrics as metric_registry
from oversmooth.core import points
from oversmooth.core.numerals import between, number, pair
from oversmooth.core.wording import count
from oversmooth.report.findings.absences import elsewhere, unmeasured
from oversmooth.report.findings.changes import MAIN_METRIC
from oversmooth.report.findings.collapse import compared_outliers
from oversmooth.report.findings.spread import BAND, delta_spreads, mean_of
from oversmooth.results.comparison import SAME, Comparison

KEPT = "cka_to_baseline"
"""What the sentence says a variant leaves of the baseline."""
ITSELF = 1.0
"""The baseline's own fidelity to itself, where it was not measured."""


@dataclass(frozen=True)
class Difference:
    """One metric of one side, beside the baseline's."""

    last: float
    """Value where the side is read: at its last block, or at the fusion of all blocks. NaN where it has none."""
    delta: float
    """Minus the baseline's at its last block; NaN for the baseline itself and for what cannot be compared."""
    parting: str | None
    """The first point at which the two differ; None where they nowhere do."""
    largest: float
    """The largest difference at any point, signed; NaN where there is none."""
    largest_point: str | None


@dataclass(frozen=True)
class Side:
    """The row of one side in the table of everything."""

    label: str
    point: str
    """Where it is read: its last block, or the fusion of all blocks."""
    incomparable: str
    """Why it has no differences, in a clause; empty where it has."""
    differences: Mapping[str, Difference]
    """By metric."""
    fidelity: Mapping[str, float]
    """What is left of the baseline at ``point``, and the loss and divergence of the output: by name, only what was
    measured; the mean over texts, NaN where undefined."""


def differences(comparison: Comparison, metrics: Sequence[str]) -> tuple[Side, ...]:
    """One row for each side, the baseline first; a metric that a side was not measured with has no value there."""
    return tuple(_side(comparison, label, metrics) for label in comparison.measurements)


def _side(comparison: Comparison, label: str, metrics: Sequence[str]) -> Side:
    measurement, end = comparison.measurements[label], comparison.end(label)
    fidelity = {
        name: measurement.curve(name)[end]
        if name in measurement.metrics
        else float(measurement.outputs[name].mean("input"))
        for name in metric_registry.fidelity_names()
        if name in measurement.metrics or name in measurement.outputs
    }
    is_baseline = label == comparison.baseline_label
    return Side(
        label=label,
        point=end,
        incomparable="" if is_baseline else comparison.incomparable(label),
        differences={metric: _difference(comparison, label, metric) for metric in metrics},
        fidelity=fidelity,
    )


def _difference(comparison: Comparison, label: str, metric: str) -> Difference:
    measurement, end = comparison.measurements[label], comparison.end(label)
    last = measurement.curve(metric)[end] if metric in measurement.metrics else math.nan
    if label == comparison.baseline_label:
        return Difference(last, math.nan, None, math.nan, None)
    point, size = comparison.largest(metric, label) or (None, math.nan)
    delta = comparison.deltas(metric, label).get(end, math.nan)
    return Difference(last, delta, comparison.parting(metric, label), size, point)


def comparison_headline(comparison: Comparison) -> str:
    """Which variant differs most from the baseline at its end, by how much, and what it leaves of the baseline.

    It speaks of the mean cosine where the baseline was measured with it, else of its first metric, at the last block
    or the fusion of all blocks. Massive activations and values that are missing have a further sentence each.
    """
    metric = MAIN_METRIC if MAIN_METRIC in comparison.baseline.metrics else comparison.baseline.metrics[0]
    baseline, *variants = (_End.of(side, metric) for side in differences(comparison, [metric]))
    never = [each.label for each in variants if _never_meets(comparison, each, baseline)]
    defined = [each for each in variants if math.isfinite(each.value) and each.label not in never]
    gaps = list(filter(None, (compared_outliers(comparison), *_gaps(comparison, metric, never))))
    if not math.isfinite(baseline.value) or not defined:
        beside = "" if variants else ", with no variant beside it"
        known = f"{number(baseline.value)} in the baseline{beside}" if math.isfinite(baseline.value) else "no value"
        return " ".join([f"{_subject(comparison, metric)} {baseline.place}: {known}.", *gaps])
    most, of_all = _most(defined, baseline)
    place = f" {baseline.place}" if most.point == baseline.point else ""
    kept = f"; linear CKA to the baseline {number(most.kept)}" if math.isfinite(most.kept) else ""
    told = _difference_in_words(comparison, metric, baseline, most) + _band(comparison, metric, most)
    return " ".join([f"{_subject(comparison, metric, most.label)}{place}: {told}{of_all}{kept}.", *gaps])


def _most(defined: Sequence[_End], baseline: _End) -> tuple[_End, str]:
    """The first of those that differ most, and words that say so, where there are several to differ."""
    sizes = [abs(each.delta_to(baseline)) for each in defined]
    # Without a tolerance, rounding would choose among equal ones.
    equal = [each for each, size in zip(defined, sizes, strict=True) if size >= max(sizes) * (1 - SAME)]
    if len(defined) == 1:
        return equal[0], ""
    others = f" ({count(len(equal) - 1, 'other')} as large)" if equal[1:] else ""
    return equal[0], f", the largest difference of {count(len(defined), 'variant')}{others}"


@dataclass(frozen=True)
class _End:
    """Where one side ends, for a sentence."""

    label: str
    point: str
    value: float
    delta: float
    """Mean of the differences text by text; NaN where there is none."""
    kept: float

    @classmethod
    def of(cls, side: Side, metric: str) -> _End:
        found = side.differences[metric]
        return cls(side.label, side.point, found.last, found.delta, side.fidelity.get(KEPT, math.nan))

    def delta_to(self, baseline: _End) -> float:
        """Difference to the baseline: of the same texts where there is one, else of the two means."""
        return self.delta if math.isfinite(self.delta) else self.value - baseline.value

    @property
    def place(self) -> str:
        return f"at {points.title(self.point)}"


def _never_meets(comparison: Comparison, side: _End, baseline: _End) -> bool:
    """Whether a side of the same texts has a value of none of which the baseline has one."""
    comparable = comparison.same_texts(side.label) and not comparison.incomparable(side.label)
    return comparable and math.isfinite(baseline.value) and not math.isfinite(side.delta)


def _subject(comparison: Comparison, metric: str, label: str = "") -> str:
    """``Mean cosine (mean of 63 of 64 texts)``: of the texts that the baseline and a variant both have a value of."""
    title = "Mean cosine" if metric == MAIN_METRIC else metric_registry.get(metric).title
    paired = delta_spreads(comparison, metric, label) if label else {}
    known = paired[comparison.end(label)].count if paired and not elsewhere(comparison, label) else None
    mean = mean_of(len(comparison.baseline.tokens), known)
    return f"{title} ({mean})" if mean else title


def _difference_in_words(comparison: Comparison, metric: str, baseline: _End, most: _End) -> str:
    """``attnscale raises it from 0.40 to 0.52``; of another model or text ``bert-tiny has 0.52, the baseline 0.40``."""
    delta = most.delta_to(baseline)
    after_value = _over_both(comparison, metric, most)
    before, after = pair(after_value - delta, after_value)
    if abs(delta) <= SAME * abs(baseline.value):
        return f"{most.label} leaves it at {number(after_value - delta)}"
    if most.point != baseline.point:
        before, after = f"{before} {baseline.place}", f"{after} {most.place}"
    if elsewhere(comparison, most.label):
        return f"{most.label} has {after}, the baseline {before}"
    verb = "raises" if delta > 0 else "lowers"
    if before == after:
        # A difference that no decimals of a reader's length show.
        return f"{most.label} {verb} it by {number(abs(delta), 2)} from {before}"
    return f"{most.label} {verb} it from {before} to {after}"


def _over_both(comparison: Comparison, metric: str, most: _End) -> float:
    """The variant's mean over the texts that have a difference: another than over all that it has a value of."""
    if not (math.isfinite(most.delta) and comparison.same_texts(most.label)):
        return most.value
    deltas = comparison.input_deltas(metric, most.label)
    values = comparison.measurements[most.label].curves[metric]
    return most.value if deltas is None else float(values.where(deltas.notnull()).sel(point=most.point).mean())


def _band(comparison: Comparison, metric: str, most: _End) -> str:
    """`` (95 % band of the difference −0.08 to −0.05)``; nothing where differences are not paired."""
    found = delta_spreads(comparison, metric, most.label).get(most.point)
    if found is None or not found.defined or found.low == found.high:
        return ""
    return f" ({BAND} of the difference {between(found.low, found.high)})"


def _gaps(comparison: Comparison, metric: str, never: Sequence[str]) -> list[str]:
    """A sentence on each side without a value where it is read, or with none beside the baseline's."""
    sentences = []
    for label, measurement in comparison.measurements.items():
        end = comparison.end(label)
        if metric not in measurement.metrics:
            sentences.append(f"{label} was not measured with it.")
        elif not math.isfinite(measurement.curve(metric)[end]):
            sentences.append(f"No value for {label}: {measurement.reason(metric, end)}.")
        elif label in never:
            sentences.append(f"No text has a value both in the baseline and in {label}.")
    return sentences


def told_once(said: Mapping[str, Iterable[str]], *, always_named: bool = False) -> list[str]:
    """Each sentence once, after the labels of the sides that say it where these are not all, or ``always_named``."""
    found: dict[str, list[str]] = {}
    for label, sentences in said.items():
        for sentence in dict.fromkeys(sentences):
            found.setdefault(sentence, []).append(label)
    return [
        f"{', '.join(labels)}: {sentence}" if always_named or len(labels) < len(said) else sentence
        for sentence, labels in found.items()
    ]


def plane_positions(
    comparison: Comparison, point: str, *, diversity: str, fidelity: str
) -> tuple[dict[str, tuple[float, float]], dict[str, str]]:
    """(fidelity, diversity) of each side that has both, and the reason, in a clause, of each that has not.

    Where ``point`` is the baseline's end, every side is read at its own: the last block or the fusion of all blocks.
    """
    found: dict[str, tuple[float, float]] = {}
    without: dict[str, str] = {}
    for label in comparison.measurements:
        at = read_at(comparison, label, point)
        up, why = _value(comparison, label, at, diversity)
        is_reference = label == comparison.baseline_label and fidelity not in comparison.baseline.metrics
        kept, no_fidelity = (ITSELF, "") if is_reference else _value(comparison, label, at, fidelity)
        why = elsewhere(comparison, label) or why or no_fidelity
        if why:
            without[label] = why
        else:
            found[label] = (kept, up)
    return found, without


def read_at(comparison: Comparison, label: str, point: str) -> str:
    """The point at which a side is read when the baseline is read at ``point``."""
    return comparison.end(label) if point == comparison.end(comparison.baseline_label) else point


def known_texts(comparison: Comparison, label: str, point: str, metric: str) -> int:
    """Texts of which a side has a value of a metric where it is read; all where it was not measured with it."""
    measurement = comparison.measurements[label]
    if metric not in measurement.metrics:
        return len(measurement.tokens)
    return int(measurement.curves[metric].sel(point=read_at(comparison, label, point)).notnull().sum())


def _value(comparison: Comparison, label: str, point: str, metric: str) -> tuple[float, str]:
    """A metric of a side at a point, and the reason, in a clause, where it is missing."""
    measurement = comparison.measurements[label]
    if metric not in measurement.metrics:
        return math.nan, unmeasured(metric)
    if point not in measurement.main_points:
        return math.nan, f"it has no value at {points.title(point)}"
    value = measurement.curve(metric)[point]
    return value, "" if math.isfinite(value) else measurement.reason(metric, point)
