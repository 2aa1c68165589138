"""The bound of the norms beside the contraction that was measured."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from oversmooth.core.resampling import band
from oversmooth.metrics.mechanisms import registry
from oversmooth.report.figures.bands import draw_area, value_words
from oversmooth.report.figures.canvas import WHOLE, Canvas, Drawn, blank
from oversmooth.report.figures.keys import draw_key
from oversmooth.report.figures.panes import block_axis, log_axis
from oversmooth.report.figures.registry import figure
from oversmooth.report.figures.theme import Theme
from oversmooth.report.findings.readings import readings
from oversmooth.report.findings.spread import mean_of
from oversmooth.results.contraction import BOUND, bound_of, contraction, vacuous
from oversmooth.results.measurement import Measurement

ORDER = 60

HEIGHT: Final = 320


_PAGE_HEADING: Final = "Bound beside measured contraction"


def _is_bounded(measurement: Measurement) -> bool:
    return measurement.explanation is not None and BOUND in measurement.explanation.bound


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
    if measurement.explanation is None:
        return "No explanation was measured."
    return measurement.explanation.reasons.get("bound", "")


def _draw(canvas: Canvas, values: NDArray[np.float64], title: str, symbol: str, colour: str) -> None:
    spread = band(values)
    known = [layer for layer, mean in enumerate(spread.mean) if math.isfinite(mean) and mean > 0]
    banded = [layer for layer in known if math.isfinite(spread.low[layer]) and spread.low[layer] > 0]
    if banded == known and known:
        draw_area(canvas, known, spread.low[known].tolist(), spread.high[known].tolist(), colour, WHOLE)
    ends = [(mean, low if n in banded else math.nan, high) for n, (mean, low, high) in enumerate(spread.rows)]
    canvas.add(
        x=list(range(len(spread.mean))),
        y=[float(mean) if layer in known else None for layer, mean in enumerate(spread.mean)],
        mode="lines+markers",
        line={"color": colour, "width": 2},
        marker={"size": 7, "symbol": symbol, "color": colour},
        name=title,
        text=[value_words(f"block {layer}, {title}", *each) for layer, each in enumerate(ends)],
    )
