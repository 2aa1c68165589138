"""Alternative text of every chart: its finding with numbers, for readers who do not see it."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from oversmooth import metrics as metric_registry
from oversmooth.core import points
from oversmooth.core.numerals import between, signed
from oversmooth.core.tokens import rows, visible
from oversmooth.core.wording import count
from oversmooth.report.findings import arrow, caveats, number
from oversmooth.report.findings.absences import absent, by_reason, no_deltas, no_spectrum
from oversmooth.report.findings.course import course
from oversmooth.report.findings.maps import difference_of_maps
from oversmooth.report.findings.outlying import compared_outliers, outlier_sentence
from oversmooth.report.findings.plane import plane_positions
from oversmooth.report.findings.spectra import cumulative_shares, singular_values, spectrum_reason
from oversmooth.report.findings.spread import BAND, UNPAIRED, Spread, delta_spreads, is_unpaired, mean_of, spreads
from oversmooth.results.comparison import Comparison
from oversmooth.results.measurement import Measurement

_APART = (points.FINAL_NORM, points.FUSION)


def curve(measurement: Measurement, metric: str) -> str:
    """Of :func:`oversmooth.report.figures.curves.curve`."""
    declared = metric_registry.get(metric)
    values = {point: value for point, value in measurement.curve(metric).items() if math.isfinite(value)}
    over = spreads(measurement, metric)
    opening = f"{declared.title} over depth, a line chart{_with_bands(len(measurement.tokens), over)}"
    if not values:
        return f"{opening}, empty. {' '.join(caveats(measurement, metric))}"
    unit = f" {declared.unit}" if declared.unit else ""
    course = ", ".join(
        f"{number(values[point])}{unit}{_ends_of_band(over.get(point))} at {points.title(point)}"
        for point in dict.fromkeys([*_ends(values), *(point for point in _APART if point in values)])
    )
    low, high = min(values, key=lambda point: values[point]), max(values, key=lambda point: values[point])
    lowest = f"Lowest {number(values[low])} at {points.title(low)}"
    highest = f"highest {number(values[high])} at {points.title(high)}"
    told = [f"{opening}: {course}.", f"{lowest}, {highest}.", outlier_sentence(measurement)]
    return " ".join(filter(None, [*told, *caveats(measurement, metric)]))


def similarity(measurement: Measurement, point: str) -> str:
    """Of :func:`oversmooth.report.figures.similarity.similarity_map`."""
    place = points.title(point)
    if measurement.similarity is None:
        return f"No similarity map at {place}: none was kept."
    if point not in measurement.points:
        return f"No similarity map at {place}: the model has no such point."
    cosines = measurement.similarity.sel(point=point).values
    if not np.isfinite(cosines).all():
        return f"No similarity map at {place}: {measurement.reason('similarity', point)}."
    opening = f"Heat map of the cosine between {count(len(measurement.shown.measured), 'token')} at {place}"
    return " ".join(
        filter(None, (f"{opening}: {_pairs(measurement, cosines)}.", outlier_sentence(measurement, [point])))
    )


def _pairs(measurement: Measurement, values: NDArray[np.float32]) -> str:
    """Mean and extremes of a map over pairs of different tokens."""
    if len(values) < 2:
        return "there is no pair to compare"
    names = rows(measurement.shown, measurement.similarity_factor)
    pairs = np.ma.masked_array(values, mask=np.eye(len(values), dtype=bool))

    def extreme(flat: int) -> str:
        row, column = divmod(flat, len(values))
        return f"{number(float(values[row, column]))} for {names[row]} and {names[column]}"

    mean = number(float(pairs.mean()))
    return f"mean {mean} over pairs, from {extreme(int(pairs.argmin()))} to {extreme(int(pairs.argmax()))}"


def spectrum(measurement: Measurement, point: str, *, centred: bool) -> str:
    """Of :func:`oversmooth.report.figures.spectrum.spectrum`."""
    place = points.title(point)
    values = singular_values(measurement, point, centred=centred)
    kind = "centred tokens" if centred else "tokens"
    if values.size == 0:
        return f"No spectrum of the {kind} at {place}: {spectrum_reason(measurement, point, centred=centred)}."
    opening = f"Singular values of the {kind} at {place}: {count(values.size, 'value')}"
    if values[0] == 0:
        return f"{opening}, all 0."
    shares = cumulative_shares(values)
    enough = int(np.searchsorted(shares, 0.9)) + 1
    floor = float(measurement.spectra["floor"].sel(point=point).values[measurement.settings.shown])
    below = int(np.count_nonzero(values <= floor))
    sentences = [
        f"{opening} from {number(float(values[0]))} to {number(float(values[-1]))}.",
        f"The first carries {100 * shares[0]:.0f} % of the energy; 90 % take {enough} of {values.size}.",
    ]
    if below:
        sentences.append(f"{below} of them lie below the resolution of the pass.")
    return " ".join(filter(None, (*sentences, outlier_sentence(measurement, [point]))))


def compared_curve(comparison: Comparison, metric: str) -> str:
    """Of :func:`oversmooth.report.figures.compared_curves.compared_curve`."""
    opening = f"{metric_registry.get(metric).title} over depth, a line chart of {_sides(comparison)}"
    why = absent(comparison, metric)
    if why:
        return f"{opening}, empty. {why}"
    owners = {label: each for label, each in comparison.measurements.items() if metric in each.metrics}
    told = [f"{opening}.", *(_course(label, each, metric) for label, each in owners.items())]
    return " ".join([*told, *_outliers(comparison)])


def _course(label: str, measurement: Measurement, metric: str) -> str:
    found, gaps = course(measurement, metric), caveats(measurement, metric)
    if found is None:
        return f"{visible(label)}: {' '.join(gaps)}"
    first, last = found.points[0], found.points[-1]
    way = f"{arrow(found.means[first], found.means[last])} from {points.title(first)} to {points.title(last)}"
    if first == last:
        way = f"{number(found.means[first])} at {points.title(first)}"
    return " ".join([f"{visible(label)}: {', '.join(filter(None, (way, found.mean_of)))}.", *gaps])


def _outliers(comparison: Comparison) -> list[str]:
    return list(filter(None, [compared_outliers(comparison)]))


def delta_curve(comparison: Comparison, metric: str) -> str:
    """Of :func:`oversmooth.report.figures.deltas.delta_curve`."""
    opening = f"{metric_registry.get(metric).title} over depth, variant minus baseline, a line chart"
    without = no_deltas(comparison, metric)
    unpaired = {label: UNPAIRED for label in comparison.variants if is_unpaired(comparison, label)}
    told = [_departure(comparison, metric, label) for label in comparison.variants if label not in without]
    left = _left_out(unpaired | without)
    return " ".join([f"{opening}{'' if told else ', empty'}.", *told, *left, *_outliers(comparison)])


def _departure(comparison: Comparison, metric: str, label: str) -> str:
    parting, largest = comparison.parting(metric, label), comparison.largest(metric, label)
    if parting is None or largest is None:
        return f"{visible(label)} nowhere differs from the baseline."
    most = f"by {signed(largest[1])} at most, at {points.title(largest[0])}"
    spread = delta_spreads(comparison, metric, label).get(largest[0])
    words = [mean_of(len(comparison.baseline.tokens), spread.count), spread.words] if spread else []
    return f"{visible(label)} differs from {points.title(parting)} on, {', '.join(filter(None, (most, *words)))}."


def compared_map(comparison: Comparison, label: str, point: str) -> str:
    """Of :func:`oversmooth.report.figures.compared_maps.compared_map`."""
    return f"{visible(label)}: {similarity(comparison.measurements[label], point)}"


def difference_map(comparison: Comparison, label: str, point: str) -> str:
    """Of :func:`oversmooth.report.figures.compared_maps.difference_map`."""
    difference, why = difference_of_maps(comparison, label, point)
    if difference is None:
        return f"{visible(label)}: {why}"
    variant = comparison.measurements[label]
    tokens = count(len(variant.shown.measured), "token")
    opening = f"Heat map of the cosine between {tokens} at {points.title(point)}, {visible(label)} minus the baseline"
    return " ".join([f"{opening}: {_pairs(variant, difference)}.", *_outliers(comparison)])


def compared_spectra(comparison: Comparison, point: str, *, centred: bool) -> str:
    """Of :func:`oversmooth.report.figures.compared_spectra.compared_spectra`."""
    without = {label: no_spectrum(comparison, label, point, centred=centred) for label in comparison.measurements}
    found = {label: each for label, each in comparison.measurements.items() if not without[label]}
    told = [f"{visible(label)}: {spectrum(each, point, centred=centred)}" for label, each in found.items()]
    opening = f"Spectra of {_sides(comparison)} at {points.title(point)}, line charts{'' if told else ', empty'}."
    return " ".join([opening, *told, *_left_out({label: why for label, why in without.items() if why})])


def fidelity_plane(
    comparison: Comparison, point: str, *, diversity: str, fidelity: str, controls: Mapping[str, Comparison]
) -> str:
    """Of :func:`oversmooth.report.figures.plane.fidelity_plane`."""
    up, across = (metric_registry.get(name).title for name in (diversity, fidelity))
    found, without = plane_positions(comparison, point, diversity=diversity, fidelity=fidelity)
    told = [f"{visible(label)}: {number(y)} at {number(x)}." for label, (x, y) in found.items()]
    sweeps = []
    for title, sweep in controls.items():
        path = list(plane_positions(sweep, point, diversity=diversity, fidelity=fidelity)[0].values())
        if len(path) > 1:
            (x, y), (u, v) = path[0], path[-1]
            sweeps.append(
                f"{visible(title)}, a control, runs from {number(y)} at {number(x)} to {number(v)} at {number(u)}."
            )
    means = mean_of(len(comparison.baseline.tokens))
    opening = f"{up} against {across} at {points.title(point)}, a scatter chart{means and f', {means}'}."
    return " ".join([opening, *told, *sweeps, *_left_out(without), *_outliers(comparison)])


def _with_bands(texts: int, over: Mapping[str, Spread]) -> str:
    """What a line is of several texts."""
    banded = any(spread.defined for spread in over.values())
    means = mean_of(texts)
    return f", {means}{f' with a {BAND}' if banded else ''}" if means else ""


def _ends_of_band(spread: Spread | None) -> str:
    return f" ({between(spread.low, spread.high)})" if spread is not None and spread.defined else ""


def _sides(comparison: Comparison) -> str:
    return f"a baseline and {count(len(comparison.variants), 'variant')}"


def _left_out(without: Mapping[str, str]) -> list[str]:
    return by_reason({visible(label): why for label, why in without.items()})


def _ends(values: dict[str, float]) -> tuple[str, str]:
    path = [point for point in values if point not in _APART] or list(values)
    return path[0], path[-1]
