"""A metric over depth as positions, values and words; means with their bands as lines and areas."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from oversmooth import metrics as metric_registry
from oversmooth.core import points
from oversmooth.core.numerals import number
from oversmooth.core.tokens import escape
from oversmooth.report.figures.canvas import Canvas, Pane
from oversmooth.report.figures.theme import translucent
from oversmooth.report.findings.spread import BAND, Spread, mean_of, spreads
from oversmooth.results.measurement import Measurement

APART = (points.FINAL_NORM, points.FUSION)
"""Points that are set apart behind the last block, in this order, since they are not blocks."""
GAP = 1.5
"""Distance of each of them from what stands before it, in blocks."""
_BAR: Final = 8
"""Pixels of the width of a band at a point that no line reaches."""


@dataclass(frozen=True)
class Series:
    """One metric over the main points, ready to be drawn."""

    title: str
    axis_title: str
    from_zero: bool
    points: tuple[str, ...]
    positions: dict[str, float]
    values: dict[str, float]
    """Mean over texts; only where there is one."""
    texts: tuple[tuple[float, ...], ...]
    """Per text, in the order of ``points``; empty when there is one text only."""
    spreads: dict[str, Spread]
    """Over texts; empty when there is one text only."""
    missing: dict[str, str]
    unresolved: dict[str, str]

    @classmethod
    def of(cls, measurement: Measurement, metric: str) -> Series:
        """The values, gaps and words of a metric."""
        declared = metric_registry.get(metric)
        curve = measurement.curve(metric)
        several = measurement.curves[metric].sel(point=list(curve)).values
        return cls(
            title=declared.title,
            axis_title=axis_title(metric),
            # Where a metric has no lower bound, zero means nothing.
            from_zero=math.isfinite(declared.lower),
            points=tuple(curve),
            positions=positions(tuple(curve)),
            values={point: value for point, value in curve.items() if math.isfinite(value)},
            texts=tuple(tuple(map(float, row)) for row in several) if len(several) > 1 else (),
            spreads=spreads(measurement, metric),
            missing={p: measurement.reason(metric, p) for p, value in curve.items() if not math.isfinite(value)},
            unresolved={p: why for p in curve if (why := measurement.reason(metric, p, "unresolved"))},
        )

    @property
    def means(self) -> str:
        """What is drawn of several texts, for the title of an axis; empty of one text."""
        banded = any(spread.defined for spread in self.spreads.values())
        return ", ".join(filter(None, (mean_of(len(self.texts)), BAND if banded else "")))

    @property
    def reach(self) -> list[float]:
        """All numbers that an axis has to hold: values and the ends of their bands."""
        ends = (end for spread in self.spreads.values() for end in (spread.low, spread.high) if spread.defined)
        return [*self.values.values(), *ends]

    @property
    def path(self) -> tuple[str, ...]:
        """The points that a line connects: embedding and blocks."""
        return tuple(point for point in self.points if point not in APART)

    def gaps(self) -> list[tuple[list[str], str]]:
        """Runs of neighbouring points without a value for one reason, with that reason."""
        runs = groupby(self.points, key=lambda point: (point in APART, self.missing.get(point)))
        return [(list(run), why) for (_, why), run in runs if why is not None]

    def hover(self, point: str) -> str:
        """The point in words, its value, and what to know about it."""
        lines = [points.title(point), f"<b>{number(self.values.get(point, math.nan), 4)}</b>", *self.spread(point)]
        lines += [escape(notes[point]) for notes in (self.missing, self.unresolved) if point in notes]
        return "<br>".join(lines)

    def spread(self, point: str) -> list[str]:
        """Lines for hover: the band of a value, and of how many texts it is the mean."""
        found = self.spreads.get(point)
        if found is None or point not in self.values:
            return []
        return [*filter(None, [found.words]), mean_of(len(self.texts), found.count)]


def positions(names: Sequence[str], apart: Sequence[str] = (), gap: float = GAP) -> dict[str, float]:
    """Where each point stands on an axis that numbers the blocks.

    Points set ``apart`` that other lines on the same axis have keep their place; ``gap`` is the distance between them,
    in blocks.
    """
    last = sum(map(points.is_block, names)) - 1
    known = {points.EMBEDDING: -1.0}
    for place, point in enumerate([each for each in APART if each in names or each in apart], start=1):
        known[point] = last + place * gap
    return {name: known[name] if name in known else float(name) for name in names}


def ticks(places: Mapping[str, float], most: int) -> tuple[list[float], list[str]]:
    """Block numbers, thinned; the other points below them, each in a row where it has room."""
    blocks = [point for point in places if points.is_block(point)]
    step = _step(len(blocks), most)
    numbered = [point for index, point in enumerate(blocks) if index % step == 0]
    lower = "<br><br>" if points.FINAL_NORM in places else "<br>"
    words = {points.EMBEDDING: "<br>embedding", points.FINAL_NORM: "<br>final norm", points.FUSION: f"{lower}fusion"}
    named = [point for point in places if point in words]
    return [places[point] for point in [*numbered, *named]], [*numbered, *(words[point] for point in named)]


def _step(blocks: int, most: int) -> int:
    """The smallest round step that leaves at most so many ticks."""
    return next(step for step in (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 25, 50, 100, 1000) if blocks <= step * most)


def axis_title(metric: str) -> str:
    """A metric with its unit, beside its axis."""
    declared = metric_registry.get(metric)
    return f"{declared.title} ({declared.unit})" if declared.unit else declared.title


def over_depth(metric: str) -> str:
    """The heading of a curve."""
    return f"{metric_registry.get(metric).title} over depth"


def draw_band(canvas: Canvas, series: Series, colour: str, *, opacity: float, axis: str = "x") -> None:
    """Fill between the ends of the bands along the line; points that stand alone have an upright bar.

    What is added to the canvas later lies before it.
    """
    shade = translucent(colour, opacity)
    runs = list(_runs(series))
    areas, bars = ([_outline(series, run) for run in runs if (len(run) > 1) is area] for area in (True, False))
    if areas:
        x, y = _joined(areas)
        canvas.add(x=x, y=y, mode="none", fill="toself", fillcolor=shade, xaxis=axis)
    if bars:
        x, y = _joined(bars)
        canvas.add(x=x, y=y, mode="lines", line={"color": shade, "width": _BAR}, xaxis=axis)


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
        (lows, highs), there = rows[1:, known].tolist(), np.asarray(x)[known].tolist()
        shade = translucent(colour, canvas.theme.band)
        outline = {"x": [*there, *there[::-1]], "y": [*lows, *highs[::-1]]}
        canvas.add(pane, **outline, mode="none", fill="toself", fillcolor=shade)
    trace["line"] = {"color": colour, "width": 2, **trace.get("line", {})}
    trace["marker"] = {"size": 7, "color": colour, **trace.get("marker", {})}
    words = [
        "<br>".join(filter(None, [name, f"<b>{number(mean, 4)}</b>", Spread(low, high, 0).words]))
        for name, (mean, low, high) in zip(names, rows.T.tolist(), strict=True)
    ]
    y = [mean if math.isfinite(mean) else None for mean in rows[0].tolist()]
    canvas.add(pane, x=list(x), y=y, mode="lines+markers", text=words, **trace)


Outline = tuple[list[float], list[float]]


def _runs(series: Series) -> Iterator[list[str]]:
    """Neighbouring points with a band that a line connects; points apart, each for itself."""
    defined = {point: spread.defined and point in series.values for point, spread in series.spreads.items()}
    for known, run in groupby(series.path, key=lambda point: defined.get(point, False)):
        if known:
            yield list(run)
    yield from ([point] for point in APART if defined.get(point))


def _outline(series: Series, run: Sequence[str]) -> Outline:
    """There along the lower ends and back along the upper ones; of one point, an upright line."""
    there = [series.positions[point] for point in run]
    low, high = ([getattr(series.spreads[point], end) for point in run] for end in ("low", "high"))
    return [*there, *there[::-1]], [*low, *high[::-1]]


def _joined(outlines: Sequence[Outline]) -> tuple[list[float | None], list[float | None]]:
    """One trace of all, with gaps between."""
    x: list[float | None] = []
    y: list[float | None] = []
    for across, up in outlines:
        x += [*([None] if x else []), *across]
        y += [*([None] if y else []), *up]
    return x, y
