"""A metric over depth as positions, values and words, before it is drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from oversmooth import metrics as metric_registry
from oversmooth.core import points
from oversmooth.core.tokens import escape
from oversmooth.report.findings import number
from oversmooth.report.findings.spread import BAND, Spread, mean_of, spreads
from oversmooth.results.measurement import Measurement

APART = (points.FINAL_NORM, points.FUSION)
"""Points that are set apart behind the last block, in this order, since they are not blocks."""
GAP = 1.5
"""Distance of each of them from what stands before it, in blocks."""


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
            axis_title=f"{declared.title} ({declared.unit})" if declared.unit else declared.title,
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
    def defined(self) -> bool:
        """Whether there is anything to draw."""
        return bool(self.values)

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


def over_depth(metric: str) -> str:
    """The heading of a curve."""
    return f"{metric_registry.get(metric).title} over depth"
