"""The bound of the norms beside the contraction that was measured."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from oversmooth.core.resampling import band
from oversmooth.metrics.mechanisms import registry
from oversmooth.report.figures.canvas import WHOLE, Canvas, Drawn, blank
from oversmooth.report.figures.labels import draw_key
from oversmooth.report.figures.panes import block_axis, log_axis
from oversmooth.report.figures.registry import figure
from oversmooth.report.figures.series import draw_means
from oversmooth.report.figures.theme import Theme
from oversmooth.report.findings.absences import explained, unexplained
from oversmooth.report.findings.readings import readings
from oversmooth.report.findings.spread import mean_of
from oversmooth.results.contraction import BOUND, bound_of, contraction, vacuous
from oversmooth.results.measurement import Measurement

ORDER = 60
_PAGE_HEADING: Final = "Bound beside measured contraction"
HEIGHT: Final = 320


def _is_bounded(measurement: Measurement) -> bool:
    return explained(measurement, "bound", BOUND) is not None


def _title(measurement: Measurement) -> str:
    if _is_bounded(measurement):
        return "Bound on the contraction of each block, and the contraction measured"
    return "Contraction of each block"


def _alternative(measurement: Measurement) -> str:
    reading = next(each for each in readings(measurement) if each.name == "norms")
    return f"{_PAGE_HEADING}. {reading.found} {reading.measured}".strip()


@figure(
    of=Measurement,
    title=_title,
    heading=lambda _: _PAGE_HEADING,
    alternative=_alternative,
    needs=lambda measurement, _: [] if measurement.explanation is None else [{}],
    declared=lambda measurement: (BOUND, "contraction") if _is_bounded(measurement) else ("contraction",),
)
def smoothing_bound(measurement: Measurement, *, theme: Theme) -> Drawn:
    """The bound v of each block and, below it, the measured ratio, on one logarithmic axis with a line at 1.

    Where no bound exists, the measured ratio stands alone with the reason above it.
    """
    measured = contraction(measurement)
    bound = bound_of(measurement)
    rows = {"contraction": measured} if bound is None else {BOUND: bound, "contraction": measured}
    rows = {name: values for name, values in rows.items() if np.isfinite(values).any()}
    why = _reason(measurement) if BOUND not in rows else ""
    if not rows:
        return blank(why or "The distance to the mean was not measured.", theme, height=HEIGHT)
    every = np.concatenate([values.ravel() for values in rows.values()])
    positive = every[np.isfinite(every) & (every > 0)]
    canvas = Canvas(theme)
    canvas.depth_axis.update(block_axis(measured.shape[1]))
    axis = log_axis(min(float(positive.min()), 0.9), max(float(positive.max()), 1.1))
    canvas.value_axis.update(axis)
    canvas.title_values("factor on the distance to the mean", mean_of(len(measurement.tokens)))
    canvas.level(1, color=theme.text, width=1)
    looks = {BOUND: ("■", "square", theme.categories[1]), "contraction": ("●", "circle", theme.accent)}
    key = []
    for name, values in rows.items():
        glyph, symbol, colour = looks[name]
        _draw(canvas, values, registry.get(name).title, symbol, colour)
        key.append((glyph, colour, registry.get(name).title))
    draw_key(canvas, key)
    canvas.remarks(why, vacuous(measurement))
    return canvas.figure(HEIGHT + 8, over=8)


def _reason(measurement: Measurement) -> str:
    why = unexplained(measurement, "bound", "")
    return why[:1].upper() + why[1:]


def _draw(canvas: Canvas, values: NDArray[np.float64], title: str, symbol: str, colour: str) -> None:
    rows = np.array(band(values).rows).T
    # A logarithmic axis has no place for 0.
    rows[:2][rows[:2] <= 0] = np.nan
    known = np.isfinite(rows[0])
    banded = bool(known.any() and np.isfinite(rows[1, known]).all())
    names = [f"block {layer}, {title}" for layer in range(len(known))]
    marker = {"symbol": symbol}
    draw_means(canvas, WHOLE, range(len(known)), rows, names, colour=colour, banded=banded, marker=marker, name=title)
