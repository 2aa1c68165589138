"""The numbers that one side of a comparison has beside the metrics: what it leaves of the baseline's states."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from oversmooth.core import points
from oversmooth.core.progress import Report
from oversmooth.core.wording import bytes_in_words, count
from oversmooth.measuring.forward_passes import run_passes
from oversmooth.measuring.measured_rows import Arrived, MeasuredRows, Place, measured_batches
from oversmooth.measuring.preparing import Prepared, acting
from oversmooth.measuring.retrieval import Retrieval, Value
from oversmooth.metrics import TokenStates, beside_baselines, evaluate
from oversmooth.metrics.baseline import Baseline
from oversmooth.metrics.identity import IDENTITY_RETRIEVAL
from oversmooth.models.loaded import REFERENCE_BYTES, LoadedModel


class BaselineStates:
    """What is kept of a baseline for the variants that are set against it: its tokens, of those texts that fit.

    Args:
        rows: of each text, which tokens count.
        points: number of points.
        model: that runs.
    """

    def __init__(self, rows: Sequence[MeasuredRows], points: int, model: LoadedModel) -> None:
        self.nbytes = 0
        texts = set()
        for number, row in enumerate(rows):
            tokens = len(row.measured)
            size = points * Baseline.size(tokens, model.anatomy.hidden_size, model.network.dtype.itemsize)
            if self.nbytes + size <= REFERENCE_BYTES:
                self.nbytes += size
                texts.add(number)
        self.texts = frozenset(texts)
        """Numbers of the texts that fit; the others cannot be compared."""
        self._kept: dict[Place, tuple[Baseline, int]] = {}

    def keep(self, places: Sequence[Place], states: TokenStates) -> None:
        """Keep what texts at some points need."""
        chosen = [row for row, place in enumerate(places) if place.text in self.texts]
        if len(chosen) < len(places):
            for row in chosen:
                self._kept[places[row]] = Baseline.of(states.text(row)), 0
        elif chosen:
            found = Baseline.of(states)
            self._kept.update({place: (found, row) for row, place in enumerate(places)})

    def get(self, place: Place) -> tuple[Baseline, int] | None:
        """What was kept, and the number of the text in it; None where there is :meth:`nothing`."""
        return self._kept.get(place)

    def nothing(self, number: int) -> str:
        """Why nothing was kept of a text at some point."""
        if number in self.texts:
            return "the states of the baseline are infinite or not a number"
        return f"what is kept of the baseline of this text would take it beyond {bytes_in_words(REFERENCE_BYTES)}"


class Fidelity:
    """Takes the tokens of one side point by point; gives its numbers.

    Args:
        rows: of each text, which tokens count.
        names: of the points at which it is compared, in order.
        model: that runs.
        baseline: what a variant is set against.
        own: where a baseline's own states are kept for its variants.
    """

    def __init__(
        self,
        rows: Sequence[MeasuredRows],
        names: Sequence[str],
        model: LoadedModel,
        *,
        baseline: BaselineStates | None = None,
        own: BaselineStates | None = None,
    ) -> None:
        self.metrics = (*(each.name for each in (() if baseline is None else beside_baselines())), IDENTITY_RETRIEVAL)
        self._points = frozenset(names)
        self._last_block = [name for name in names if points.is_block(name)][-1]
        self._retrieval = Retrieval(
            [row.identities for row in rows], len(names), model.anatomy.hidden_size, model.network.dtype.itemsize
        )
        self._texts = len(rows)
        self._baseline = baseline
        self.own = own

    def take(self, places: Sequence[Place], states: TokenStates | None) -> Iterator[Value]:
        """The numbers that are known with these measured tokens; None for tokens that are not finite."""
        outside = [place for place in places if place.point not in self._points]
        if outside:
            for place in outside:
                yield Value(IDENTITY_RETRIEVAL, place, np.nan, "it is searched for outside of blocks alone")
            inside = [row for row, place in enumerate(places) if place.point in self._points]
            for row in inside:
                yield from self.take([places[row]], None if states is None else states.text(row))
            return
        if states is not None:
            if self.own is not None:
                self.own.keep(places, states)
            if self._baseline is not None:
                yield from self._beside(self._baseline, places, states)
        for row, place in enumerate(places):
            yield from self._retrieval.take(place, None if states is None else states.text(row))

    def _beside(self, baseline: BaselineStates, places: Sequence[Place], states: TokenStates) -> Iterator[Value]:
        kept = [baseline.get(self._there(place)) for place in places]
        if None in kept:  # of each of the others alone
            for row, (place, theirs) in enumerate(zip(places, kept, strict=True)):
                if theirs is not None:
                    yield from self._numbers([place], states.text(row), [theirs])
                    continue
                for metric in beside_baselines():
                    yield Value(metric.name, place, np.nan, baseline.nothing(place.text))
            return
        yield from self._numbers(places, states, [each for each in kept if each is not None])

    def _numbers(
        self, places: Sequence[Place], states: TokenStates, theirs: Sequence[tuple[Baseline, int]]
    ) -> Iterator[Value]:
        found = evaluate(beside_baselines(), states, Baseline.gathered(theirs, states))
        for row, place in enumerate(places):
            for number, metric in enumerate(beside_baselines()):
                reason = found.missing.get((number, row), "")
                value, resolved = float(found.values[number, row]), bool(found.resolved[number, row])
                yield Value(metric.name, place, value, reason, resolved)

    def _there(self, place: Place) -> Place:
        """Where the baseline has what a variant's place is set against."""
        return Place(place.text, self._last_block) if place.point == points.FUSION else place

    def warnings(self) -> Iterator[str]:
        """What was left out, in sentences."""
        if self._baseline is not None and len(self._baseline.texts) < self._texts:
            left_out = self._texts - len(self._baseline.texts)
            yield (
                f"{count(left_out, 'text')} of {self._texts:,} not compared with the baseline: what is kept of its "
                f"states may take {bytes_in_words(REFERENCE_BYTES)}."
            )
        if len(self._retrieval.texts) < self._texts:
            yield (
                f"Token identity is searched for in {count(len(self._retrieval.texts), 'text')} of {self._texts:,}: "
                f"in at most {self._retrieval.limit:,} tokens."
            )


def fidelity_of(run: Prepared, report: Report) -> Fidelity | None:
    """What takes the numbers of one side of a comparison, or the token identity of an explanation; None without both.

    Runs the baseline of a variant first where its states are not kept on the model.
    """
    settings, model, rows = run.settings, run.model, run.rows
    # Of an explanation, which looks at more points, main ones alone: memory grows with each.
    names = run.main_points if settings.explanation else run.points
    if not settings.fidelity:
        return Fidelity(rows, names, model) if settings.explanation else None
    kept: BaselineStates | None = model.references.get(run.states_key)
    if not run.methods:
        own = BaselineStates(rows, len(run.points), model) if kept is None else None
        return Fidelity(rows, names, model, own=own)
    if kept is None:
        kept = _baseline_states(run.baseline(), report)
        model.references.put(run.states_key, kept)
    return Fidelity(rows, names, model, baseline=kept)


def _baseline_states(run: Prepared, report: Report) -> BaselineStates:
    found, resolution = BaselineStates(run.rows, len(run.points), run.model), run.resolution()

    def take(arrived: Sequence[Arrived]) -> None:
        with np.errstate(all="ignore"):
            for batch in measured_batches(run.rows, arrived):
                if batch.states is not None:
                    found.keep(batch.places, batch.states)

    with acting(run.intervention):
        run_passes(run, resolution, take, report)
    return found
