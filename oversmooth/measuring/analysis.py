"""States arrive point by point; numbers stay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from oversmooth.measuring.fidelity import Fidelity
from oversmooth.measuring.measured_rows import Arrived, MeasuredRows, Place, measured_batches
from oversmooth.measuring.resolution import Resolution
from oversmooth.measuring.retrieval import Value
from oversmooth.metrics import Evaluated, TokenStates, evaluate, get_metric
from oversmooth.metrics.numerics import on_host
from oversmooth.metrics.requirements import CONVERGENCE, DIRECTIONS
from oversmooth.metrics.scale import max_activation_ratio
from oversmooth.metrics.similarity import averaged
from oversmooth.results.measurement import Note

RATIO: Final = max_activation_ratio.__name__
MAP_TOKENS = 512
"""Largest side of a stored similarity map; beyond it neighbouring tokens are averaged."""


class Analysis:
    """Collects the numbers of all inputs at all points; holds no states.

    Args:
        names: metrics to compute.
        points: in the order in which they arrive.
        rows: per input.
        width: of the hidden states.
        resolution: of the pass that is analysed.
        similarity: whether to keep the maps of one input.
        shown: the number of that input.
        centred: whether to keep the singular values of the centred tokens too.
        fidelity: of one side of a comparison.
    """

    def __init__(
        self,
        names: Sequence[str],
        points: Sequence[str],
        rows: Sequence[MeasuredRows],
        width: int,
        *,
        resolution: Resolution,
        similarity: bool,
        shown: int = 0,
        centred: bool,
        fidelity: Fidelity | None = None,
    ) -> None:
        self.metrics = tuple(map(get_metric, names))
        # Whatever was asked for: without it nobody could say what an outlier makes of the other numbers.
        self._ratio = get_metric(RATIO)
        self._evaluated = self.metrics if self._ratio in self.metrics else (*self.metrics, self._ratio)
        self.points = {point: index for index, point in enumerate(points)}
        self.rows = rows
        self._resolution = resolution
        self.fidelity = fidelity
        shape = (len(rows), len(points))
        components = max(min(len(row.measured), width) for row in rows)
        named = (*names, *(() if fidelity is None else fidelity.metrics))
        self._values = np.full((len(named), *shape), np.nan)
        self.curves = dict(zip(named, self._values, strict=True))
        self.spectra: dict[str, NDArray[np.float64]] = {}
        """``raw`` where a metric is made of singular values, ``centred`` where asked for; else they cost too much."""
        if centred or any(CONVERGENCE in metric.requires for metric in self.metrics):
            self.spectra["raw"] = np.full((*shape, components), np.nan)
        if centred:
            self.spectra["centred"] = np.full((*shape, components), np.nan)
        self.floor = np.full(shape, np.nan)
        self.activation_ratios = np.full(shape, np.nan)
        self.shown = shown
        tokens = len(rows[shown].measured)
        self.factor = -(-tokens // MAP_TOKENS)
        edge = -(-tokens // self.factor)
        self.maps: NDArray[np.float32] | None = None
        if similarity:
            self.maps = np.full((len(points), edge, edge), np.nan, dtype=np.float32)
        self.notes: list[Note] = []
        self.non_finite: dict[Place, str] = {}
        """Reason per input and point at which nothing could be measured."""

    def take(self, arrived: Sequence[Arrived]) -> None:
        """Measure states of one pass, at one or more points."""
        for batch in measured_batches(self.rows, arrived):
            for place, reason in batch.broken.items():
                self._mark_broken(place, reason)
            if batch.states is not None:
                with np.errstate(all="ignore"):  # told in a note
                    self._measure(batch.places, batch.states)

    def _measure(self, places: Sequence[Place], states: TokenStates) -> None:
        at = [place.text for place in places], [self.points[place.point] for place in places]
        found = evaluate(self._evaluated, states)
        self._put(found, places, at)
        self.floor[at] = on_host(states.floors)
        self.activation_ratios[at] = found.values[self._evaluated.index(self._ratio)]
        self._keep_spectra(places, states)
        self._keep_map(places, states)
        if self.fidelity is not None:
            self._put_values(self.fidelity.take(places, states))

    def ordered_notes(self) -> tuple[Note, ...]:
        """All notes by input and point: points may be analysed at the same time, in any order."""
        return tuple(sorted(self.notes, key=lambda note: (note.input, self.points[note.point])))

    def _put(self, found: Evaluated, places: Sequence[Place], at: tuple[Any, Any]) -> None:
        count = len(self.metrics)
        self._values[(slice(count), *at)] = found.values[:count]
        if found.missing or not found.resolved[:count].all():
            for number, metric in enumerate(self.metrics):
                self._note(metric.name, number, found, places)

    def _note(self, name: str, number: int, found: Evaluated, places: Sequence[Place]) -> None:
        for text, place in enumerate(places):
            if (reason := found.missing.get((number, text))) is not None:
                self.notes.append(Note("missing", *place, name, reason))
            elif not found.resolved[number, text]:
                self.notes.append(Note("unresolved", *place, name, self._resolution.reason(*place)))

    def _put_values(self, values: Iterable[Value]) -> None:
        for each in values:
            if each.reason:
                self.notes.append(Note("missing", *each.place, each.name, each.reason))
                continue
            self.curves[each.name][each.place.text, self.points[each.place.point]] = each.value
            if not each.resolved:
                self.notes.append(Note("unresolved", *each.place, each.name, self._resolution.reason(*each.place)))

    def _keep_spectra(self, places: Sequence[Place], states: TokenStates) -> None:
        for name, store in self.spectra.items():
            found = states.singular_values if name == "raw" else states.centred_singular_values
            values = on_host(found)
            for place, each in zip(places, values, strict=True):
                store[place.text, self.points[place.point], : each.size] = each
                if np.isnan(each[:1]).any():
                    self.notes.append(Note("missing", *place, "spectrum", str(CONVERGENCE.otherwise)))

    def _keep_map(self, places: Sequence[Place], states: TokenStates) -> None:
        if self.maps is None:
            return
        for number, place in enumerate(places):
            if place.text != self.shown:
                continue
            if on_host(DIRECTIONS.met(states))[number]:
                cosines = averaged(1.0 - states.cosine_gaps[number, ...], self.factor)
                self.maps[self.points[place.point]] = on_host(cosines)
            else:
                self.notes.append(Note("missing", *place, "similarity", DIRECTIONS.reason(states, number)))

    def _mark_broken(self, place: Place, reason: str) -> None:
        self.non_finite[place] = reason
        names = list(self.curves)
        if self.maps is not None and place.text == self.shown:
            names.append("similarity")
        self.notes += [Note("missing", *place, name, reason) for name in names]
        if self.fidelity is not None:
            self._put_values(self.fidelity.take([place], None))
