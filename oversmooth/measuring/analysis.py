"""States arrive point by point; numbers stay."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from oversmooth import metrics
from oversmooth.core.wording import count
from oversmooth.measuring.fidelity import Fidelity
from oversmooth.measuring.measured_rows import MeasuredRows, measured_states
from oversmooth.measuring.resolution import Resolution
from oversmooth.metrics import Metric, TokenStates, UndefinedError
from oversmooth.metrics.scale import max_activation_ratio
from oversmooth.metrics.similarity import averaged
from oversmooth.results.measurement import Note

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
        self.metrics = tuple(metrics.get_metric(name) for name in names)
        self.points = {point: index for index, point in enumerate(points)}
        self.rows = rows
        self._resolution = resolution
        self.fidelity = fidelity
        shape = (len(rows), len(points))
        components = max(min(len(row.measured), width) for row in rows)
        named = (*names, *(() if fidelity is None else fidelity.metrics))
        self.curves = {name: np.full(shape, np.nan) for name in named}
        self.raw = np.full((*shape, components), np.nan)
        self.centred = np.full((*shape, components), np.nan) if centred else None
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
        self.non_finite: dict[tuple[int, str], str] = {}
        """Reason per input and point at which nothing could be measured."""

    def take(self, numbers: Sequence[int], point: str, states: NDArray[np.floating]) -> None:
        """Measure the states (input, token, dim) of inputs at one point, padding and special tokens among them."""
        with np.errstate(over="ignore", invalid="ignore"):  # Told in a note.
            for number, tokens in measured_states(self.rows, numbers, states, self._resolution.of(numbers, point)):
                self._take(number, point, tokens)

    def _take(self, number: int, point: str, tokens: TokenStates) -> None:
        # The squares of float32 values do not overflow float64: their sum is finite exactly where all of them are.
        if not math.isfinite(tokens.energy):
            self._mark_non_finite(number, point, tokens.stored)
            return
        for metric in self.metrics:
            self._measure(metric, tokens, number, point)
        self.floor[number, self.points[point]] = tokens.floor
        with suppress(UndefinedError):
            # Whatever was asked for: without it nobody could say what an outlier makes of the other numbers.
            self.activation_ratios[number, self.points[point]] = max_activation_ratio(tokens)
        self._keep_spectra(tokens, number, point)
        if self.maps is not None and number == self.shown:
            self._keep_map(self.maps[self.points[point]], tokens, point)
        self._compare(tokens, number, point)

    def ordered_notes(self) -> tuple[Note, ...]:
        """All notes by input and point: points may be analysed at the same time, in any order."""
        return tuple(sorted(self.notes, key=lambda note: (note.input, self.points[note.point])))

    def _measure(self, metric: Metric, tokens: TokenStates, number: int, point: str) -> None:
        try:
            value = metric.value(tokens)
        except UndefinedError as error:
            self.notes.append(Note("missing", number, point, metric.name, str(error)))
            return
        if not math.isfinite(value):
            self.notes.append(Note("missing", number, point, metric.name, "the result is infinite or not a number"))
            return
        self._put(metric.name, number, point, value, resolved=metric.resolved is None or metric.resolved(tokens))

    def _compare(self, tokens: TokenStates | None, number: int, point: str) -> None:
        if self.fidelity is None:
            return
        for each in self.fidelity.take(number, point, tokens):
            if each.reason:
                self.notes.append(Note("missing", each.text, point, each.name, each.reason))
            else:
                self._put(each.name, each.text, point, each.value, resolved=each.resolved)

    def _put(self, name: str, number: int, point: str, value: float, *, resolved: bool) -> None:
        self.curves[name][number, self.points[point]] = value
        if not resolved:
            reason = self._resolution.reason(number, point)
            self.notes.append(Note("unresolved", number, point, name, reason))

    def _keep_spectra(self, tokens: TokenStates, number: int, point: str) -> None:
        at = number, self.points[point]
        try:
            self.raw[at][: tokens.singular_values.size] = tokens.singular_values
            if self.centred is not None:
                self.centred[at][: tokens.centred_singular_values.size] = tokens.centred_singular_values
        except UndefinedError as error:
            self.notes.append(Note("missing", number, point, "spectrum", str(error)))

    def _keep_map(self, store: NDArray[np.float32], tokens: TokenStates, point: str) -> None:
        try:
            store[:] = averaged(tokens.cosines, self.factor)
        except UndefinedError as error:
            self.notes.append(Note("missing", self.shown, point, "similarity", str(error)))

    def _mark_non_finite(self, number: int, point: str, states: NDArray[np.floating]) -> None:
        bad = int(np.count_nonzero(~np.isfinite(states)))
        reason = f"infinite or not a number: {count(bad, 'activation')} of {states.size:,}"
        self.non_finite[number, point] = reason
        names = list(self.curves)
        if self.maps is not None and number == self.shown:
            names.append("similarity")
        self.notes += [Note("missing", number, point, name, reason) for name in names]
        self._compare(None, number, point)
