"""Bands of means over texts, as areas behind their lines."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from oversmooth.core.numerals import between, number
from oversmooth.report.figures.canvas import WHOLE, Canvas, Pane
from oversmooth.report.figures.series import APART, Series
from oversmooth.report.figures.theme import translucent
from oversmooth.report.findings.spread import BAND

_BAR: Final = 8
"""Pixels of the width of a band at a point that no line reaches."""


def draw_band(canvas: Canvas, series: Series, colour: str, *, opacity: float, axis: str = "x") -> None:
    """Fill between the ends of the bands along the line; points that stand alone have an upright bar.

    What is added to the canvas later lies before it.
    """
    shade = translucent(colour, opacity)
    runs = list(_runs(series))
    areas = [_around(series, run) for run in runs if len(run) > 1]
    bars = [_upright(series, run[0]) for run in runs if len(run) == 1]
    if areas:
        x, y = _joined(areas)
        canvas.add(x=x, y=y, mode="none", fill="toself", fillcolor=shade, xaxis=axis)
    if bars:
        x, y = _joined(bars)
        canvas.add(x=x, y=y, mode="lines", line={"color": shade, "width": _BAR}, xaxis=axis)


def draw_area(
    canvas: Canvas, x: Sequence[float], low: Sequence[float], high: Sequence[float], colour: str, pane: Pane = WHOLE
) -> None:
    """Fill between two lines without gaps, behind what is drawn later."""
    canvas.add(
        pane, x=[*x, *x[::-1]], y=[*map(float, low), *map(float, high[::-1])], mode="none", fill="toself",
        fillcolor=translucent(colour, canvas.theme.band),
    )  # fmt: skip


def draw_means(
    canvas: Canvas,
    pane: Pane,
    x: Sequence[float],
    rows: NDArray[np.float64],
    names: Sequence[str],
    *,
    colour: str,
    banded: bool = False,
    **trace: Any,  # noqa: ANN401  plotly's own keywords
) -> None:
    """Means and the ends of their bands, (3, point), as a line with markers and, where all are banded, an area.

    A mean that is NaN is a gap. Hover says the ``names``, as markup; ``trace`` is what the line is given besides.
    """
    known = np.isfinite(rows[0])
    if banded:
        low, high = rows[1:, known].tolist()
        draw_area(canvas, np.asarray(x)[known].tolist(), low, high, colour, pane)
    trace["line"] = {"color": colour, "width": 2, **trace.get("line", {})}
    trace["marker"] = {"size": 7, "color": colour, **trace.get("marker", {})}
    words = [value_words(name, *each) for name, each in zip(names, rows.T.tolist(), strict=True)]
    y = [mean if math.isfinite(mean) else None for mean in rows[0].tolist()]
    canvas.add(pane, x=list(x), y=y, mode="lines+markers", text=words, **trace)


def value_words(title: str, value: float, low: float, high: float) -> str:
    """For hover: what a value is of, as markup, the value itself, and its band where it has one."""
    band = [f"{BAND} {between(float(low), float(high))}"] if math.isfinite(low) else []
    return "<br>".join([title, f"<b>{number(float(value), 4)}</b>", *band])


Outline = tuple[list[float], list[float]]


def _runs(series: Series) -> Iterator[list[str]]:
    """Neighbouring points with a band that a line connects; points apart, each for itself."""
    defined = {point: spread.defined and point in series.values for point, spread in series.spreads.items()}
    for known, run in groupby(series.path, key=lambda point: defined.get(point, False)):
        if known:
            yield list(run)
    yield from ([point] for point in APART if defined.get(point))


def _around(series: Series, run: Sequence[str]) -> Outline:
    there, low, high = _ends(series, run)
    return [*there, *there[::-1]], [*low, *high[::-1]]


def _upright(series: Series, point: str) -> Outline:
    there, low, high = _ends(series, [point])
    return there * 2, [*low, *high]


def _ends(series: Series, run: Sequence[str]) -> tuple[list[float], list[float], list[float]]:
    spreads = [series.spreads[point] for point in run]
    return [series.positions[p] for p in run], [each.low for each in spreads], [each.high for each in spreads]


def _joined(outlines: Sequence[Outline]) -> tuple[list[float | None], list[float | None]]:
    """One trace of all, with gaps between."""
    x: list[float | None] = []
    y: list[float | None] = []
    for across, up in outlines:
        x += [*([None] if x else []), *across]
        y += [*([None] if y else []), *up]
    return x, y
