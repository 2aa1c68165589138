"""Texts through the model in batches, the numbers of every point taken on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from oversmooth.analysis import Analysis, Rows
from oversmooth.explaining import Explainer
from oversmooth.fidelity import Fidelity, Sides
from oversmooth.inputs import Encoded, batch
from oversmooth.intervention import Intervention
from oversmooth.models.loaded import LoadedModel
from oversmooth.points import PointSet
from oversmooth.progress import Progress, Report
from oversmooth.recording import expected_points, record
from oversmooth.settings import Settings

BATCH_TOKENS = 4096
"""Padded tokens in one forward pass: bounds the memory of activations, not the number of texts."""

WAITING_BYTES = 2**21
"""States that wait for their analysis: a bound that does not grow with depth."""

PARALLEL_TOKENS = 256
"""From here on two points are analysed at once: of fewer tokens, the threads cost more than they save."""

ANALYSIS_THREADS = 2

Take = Callable[[int, str, NDArray[np.float32]], None]
"""Receives the number of a text, a point, and the text's states there (token, dim), padding among them."""


def run_texts(
    texts: Sequence[Encoded],
    model: LoadedModel,
    which: PointSet,
    intervention: Intervention | None,
    take: Take,
    report: Report,
    begin: Callable[[Sequence[int]], None] | None = None,
) -> None:
    """Run the texts through the model and hand each one's states at every point to ``take``, perhaps in threads.

    ``begin`` is told the numbers of the texts of each pass, before it.
    """
    fused = _read_out(intervention)
    points = expected_points(model.anatomy, which, fused=fused is not None)
    done, total = 0, len(points) * len(texts)
    report(Progress("measure", done, total, points[0]))
    for members in batches(texts, padded=model.anatomy.padding_is_safe):
        waiting = _Waiting(take, members)
        if begin is not None:
            begin(members)

        def add(
            point: str, states: torch.Tensor, members: Sequence[int] = members, waiting: _Waiting = waiting
        ) -> None:
            nonlocal done
            waiting.add(point, states)
            done += len(members)
            report(Progress("measure", done, total, point))

        record(model.anatomy, batch([texts[number] for number in members], model), add, which, fused)
        waiting.analyse()


def analyse(
    texts: Sequence[Encoded],
    model: LoadedModel,
    settings: Settings,
    intervention: Intervention | None,
    sides: Sides | None,
    report: Report,
    explainer: Explainer | None = None,
) -> Analysis:
    """Run the texts through the model and take the numbers at every point."""
    points = expected_points(model.anatomy, settings.points, fused=_read_out(intervention) is not None)
    rows = [rows_of(text) for text in texts]
    width = model.anatomy.hidden_size
    fidelity = None
    if sides is not None:
        identities = [row.identities for row in rows]
        # Of an explanation, which looks at more points, main ones alone: memory grows with each.
        searched = expected_points(model.anatomy, "blocks") if explainer is not None else points
        fidelity = Fidelity(identities, searched, width, sides)
    analysis = Analysis(
        settings.metrics,
        points,
        rows,
        width,
        similarity=settings.similarity,
        shown=settings.shown,
        centred=settings.centred_spectra,
        fidelity=fidelity,
    )
    if explainer is None:
        run_texts(texts, model, settings.points, intervention, analysis.take, report)
        return analysis

    def take(number: int, point: str, states: NDArray[np.float32]) -> None:
        analysis.take(number, point, states)
        explainer.take(number, point, states)

    run_texts(texts, model, settings.points, intervention, take, report, explainer.begin)
    return analysis


def rows_of(text: Encoded) -> Rows:
    """Which rows of its states count."""
    measured = np.flatnonzero([token.measured for token in text.tokens.items])
    return Rows(measured, text.classification, np.asarray(text.ids, dtype=np.intp)[measured])


def _read_out(intervention: Intervention | None) -> Callable[[], torch.Tensor] | None:
    return intervention.fused if intervention is not None and intervention.read_out is not None else None


class _Waiting:
    """States of a few points, analysed together: between two blocks, the network's weights fill the caches."""

    def __init__(self, take: Take, members: Sequence[int]) -> None:
        self._take = take
        self._members = members
        self._states: list[tuple[str, NDArray[np.float32]]] = []

    def add(self, point: str, states: torch.Tensor) -> None:
        # Metrics are computed on the CPU in float64: not every accelerator has it, and eigenvalues are small work.
        self._states.append((point, states.to("cpu", torch.float32, copy=True).numpy()))
        if sum(kept.nbytes for _, kept in self._states) >= WAITING_BYTES:
            self.analyse()

    def analyse(self) -> None:
        tasks = [(number, point, kept[row]) for point, kept in self._states for row, number in enumerate(self._members)]
        self._states.clear()
        if tasks and len(tasks[0][2]) >= PARALLEL_TOKENS:
            for done in [_analysts().submit(self._take, *task) for task in tasks]:
                done.result()
        else:
            for task in tasks:
                self._take(*task)


@lru_cache(maxsize=1)
def _analysts() -> ThreadPoolExecutor:
    # Kept: a new thread costs as much as a small analysis.
    return ThreadPoolExecutor(min(ANALYSIS_THREADS, torch.get_num_threads()), thread_name_prefix="analysis")


def batches(texts: Sequence[Encoded], *, padded: bool, most: int | None = None) -> Iterator[list[int]]:
    """Numbers of texts that go through the model together: of like length, or of equal length if not ``padded``.

    ``most`` is the largest number of tokens, padding included, unless a single text has more.
    """
    most = BATCH_TOKENS if most is None else most
    members: list[int] = []
    lengths = [len(text.ids) for text in texts]
    for number in sorted(range(len(texts)), key=lambda number: lengths[number]):
        full = lengths[number] * (len(members) + 1) > most
        if members and (full or not (padded or lengths[number] == lengths[members[0]])):
            yield members
            members = []
        members.append(number)
    yield members
