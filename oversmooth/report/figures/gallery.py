"""Every figure that a result has, by a name that can be that of a file; what is exported is taken from here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from oversmooth import metrics as metric_registry
from oversmooth.core import points
from oversmooth.core.resampling import LEVEL, RESAMPLES
from oversmooth.core.tokens import visible
from oversmooth.report.figures.choosing import chosen_metric, chosen_point, metrics_of
from oversmooth.report.figures.compared_curves import compared_curve
from oversmooth.report.figures.compared_maps import compared_map, difference_map
from oversmooth.report.figures.compared_spectra import compared_spectra
from oversmooth.report.figures.curves import curve
from oversmooth.report.figures.deltas import delta_curve
from oversmooth.report.figures.drawable import Drawable, Named
from oversmooth.report.figures.explained import explained
from oversmooth.report.figures.plane import fidelity_plane
from oversmooth.report.figures.similarity import similarity_map
from oversmooth.report.figures.spectrum import spectrum
from oversmooth.report.figures.theme import LIGHT, Theme
from oversmooth.report.findings.maps import incomparable_maps
from oversmooth.results.comparison import Comparison
from oversmooth.results.measurement import Measurement

KEPT = "cka_to_baseline"
"""The axis of the plane that tells what a variant leaves of the baseline's states."""
_SLUG_CHARACTERS = 40


def figures_of(
    result: Measurement | Comparison,
    *,
    theme: Theme = LIGHT,
    point: str | None = None,
    metrics: Sequence[str] | None = None,
    lines: bool = False,
) -> dict[str, Drawable]:
    """The figures that a result has, in the order of the pages; nothing is drawn before :attr:`Drawable.build`.

    What was not measured is left out; what was measured without a value is a figure that says why.

    Args:
        result: what was measured.
        theme: colours.
        point: where maps, spectra and the plane are read; None for the last block.
        metrics: of the curves; None for all that were measured.
        lines: whether curves of a measurement of several texts have a thin line for each.

    Returns:
        Figures by names that are file names everywhere: ``token_cosine``, ``similarity_5``, ``spectrum_5_centred``;
        with an explanation those of :func:`oversmooth.report.figures.explained.explained`;
        of a comparison ``token_cosine_delta``, ``similarity_5_baseline``, ``difference_5_1_gfsa_weight_0_1``,
        ``spectra_5``, ``plane_5``. The number before a label is the variant's place.

    Raises:
        SettingsError: where the result has no such point or metric.
    """
    place = chosen_point(result, -1 if point is None else point)
    chosen = metrics_of(result) if metrics is None else tuple(chosen_metric(result, name) for name in metrics)
    found = (
        _of_measurement(result, place, chosen, theme, lines)
        if isinstance(result, Measurement)
        else _of_comparison(result, place, chosen, theme)
    )
    return dict(found)


def _of_measurement(measurement: Measurement, point: str, metrics: Sequence[str], theme: Theme, lines: bool) -> Named:
    for name in metrics:
        build = partial(curve, measurement, name, theme=theme, lines=lines)
        yield name, Drawable(_over_depth(name), (name,), None, build, _bands(measurement, lines=lines))
    if measurement.similarity is not None:
        build = partial(similarity_map, measurement, point, theme=theme)
        yield f"similarity_{_slug(point)}", Drawable(_similarity(point), (), point, build)
    for centred in _forms(measurement):
        build = partial(spectrum, measurement, point, centred=centred, logarithmic=True, theme=theme)
        yield f"spectrum_{_slug(point)}{_form(centred)}", Drawable(_spectrum(point, centred), (), point, build)
    yield from explained(measurement, point, metrics, theme)


def _of_comparison(comparison: Comparison, point: str, metrics: Sequence[str], theme: Theme) -> Named:
    for name in metrics:
        build = partial(compared_curve, comparison, name, theme=theme)
        yield name, Drawable(_over_depth(name), (name,), None, build, _bands(*comparison.measurements.values()))
        if name in comparison.baseline.metrics and comparison.variants:
            title = f"{_over_depth(name)}: difference to the baseline"
            build = partial(delta_curve, comparison, name, theme=theme)
            paired = [each for label, each in comparison.variants.items() if comparison.same_texts(label)]
            yield (
                f"{name}_delta",
                Drawable(title, (name,), None, build, _bands(*paired, of="of the differences, text by text")),
            )
    yield from _maps(comparison, point, theme)
    for centred in sorted({form for each in comparison.measurements.values() for form in _forms(each)}):
        build = partial(compared_spectra, comparison, point, centred=centred, logarithmic=True, theme=theme)
        yield f"spectra_{_slug(point)}{_form(centred)}", Drawable(_spectrum(point, centred), (), point, build)
    yield from _plane(comparison, point, metrics, theme)


def _maps(comparison: Comparison, point: str, theme: Theme) -> Named:
    having = {
        label: f"{_slug(point)}_{side_name(comparison, label)}"
        for label, each in comparison.measurements.items()
        if each.similarity is not None and point in each.points
    }
    for label, name in having.items():
        build = partial(compared_map, comparison, label, point, theme=theme)
        yield f"similarity_{name}", Drawable(f"{_similarity(point)}: {visible(label)}", (), point, build)
    if comparison.baseline.similarity is None:
        return
    for label, name in having.items():
        if label != comparison.baseline_label and not incomparable_maps(comparison, label):
            words = f"{visible(label)} minus {comparison.baseline_label}"
            build = partial(difference_map, comparison, label, point, theme=theme)
            title = f"Difference of the similarities at {points.title(point)}: {words}"
            yield f"difference_{name}", Drawable(title, (), point, build)


def _plane(comparison: Comparison, point: str, metrics: Sequence[str], theme: Theme) -> Named:
    """Of the first metric chosen; the baseline's points alone can be read, and not those inside a block."""
    if KEPT not in metrics_of(comparison) or point not in comparison.baseline.main_points:
        return
    every = (*metrics, *comparison.baseline.metrics)
    diversity = next(name for name in every if name in metric_registry.names())
    axes = (KEPT, diversity)
    words = " against ".join(metric_registry.get(name).title for name in axes[::-1])
    build = partial(fidelity_plane, comparison, point, diversity=diversity, fidelity=KEPT, controls={}, theme=theme)
    yield f"plane_{_slug(point)}", Drawable(f"{words} at {points.title(point)}", axes, point, build)


def _bands(*measurements: Measurement, of: str = "over texts", lines: bool = False) -> str:
    if all(len(each.tokens) == 1 for each in measurements):
        return ""
    band = f"A band holds the middle {LEVEL} % of {RESAMPLES:,} bootstrap means {of}."
    return f"{band} Thin lines are single texts." if lines else band


def _over_depth(metric: str) -> str:
    return f"{metric_registry.get(metric).title} over depth"


def _similarity(point: str) -> str:
    return f"Similarity of every pair of tokens at {points.title(point)}"


def _spectrum(point: str, centred: bool) -> str:
    return f"Singular values{' of the centred tokens' if centred else ''} at {points.title(point)}"


def _forms(measurement: Measurement) -> list[bool]:
    return [False, True] if "centred" in measurement.spectra else [False]


def _form(centred: bool) -> str:
    return "_centred" if centred else ""


def side_name(comparison: Comparison, label: str) -> str:
    """A side's part of a file name: its place keeps apart what the letters of its label do not."""
    place = comparison.position(label)
    return "baseline" if place == 0 else f"{place}_{_slug(label)}".rstrip("_")


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:_SLUG_CHARACTERS].rstrip("_")
