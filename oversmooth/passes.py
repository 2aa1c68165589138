"""Texts through the model in batches, the numbers of every point taken on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import lru_cache
from typing import TYPE_CHECKING, Self

import numpy as np
import torch
from numpy.typing import NDArray

from oversmooth.analysis import Analysis, Rows
from oversmooth.fidelity import Fidelity, Sides
from oversmooth.inputs import Encoded, batch
from oversmooth.intervention import Intervention
from oversmooth.models.loaded import LoadedModel
from oversmooth.points import PointSet
from oversmooth.progress import Progress, Report
from oversmooth.recording import expected_points, record
from oversmooth.settings import Settings

if TYPE_CHECKING:
    from oversmooth.explaining import Explainer

BATCH_TOKENS = 4096
"""Padded tokens in one forward pass: bounds the memory of activations, not the number of texts."""

WAITING_BYTES = 2**21
"""States that wait for their analysis, while as many are being analysed: a bound that does not grow with depth."""

PARALLEL_TOKENS = 256
"""From here on two points are analysed at once: of fewer tokens, the threads cost more than they save."""

ANALYSIS_THREADS = 2

Take = Callable[[int, str, NDArray[np.float32]], None]
"""Receives the number of a text, a point, and the text's states there (token, dim), padding among them."""

Task = tuple[int, str, NDArray[np.float32]]
"""What is handed to a ``Take``."""


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
    with _Waiting(take) as waiting:
        for members in batches(texts, padded=model.anatomy.padding_is_safe):
            if begin is not None:
                begin(members)

            def add(point: str, states: torch.Tensor, members: Sequence[int] = members) -> None:
                nonlocal done
                waiting.add(members, point, states)
                done += len(members)
                report(Progress("measure", done, total, point))

            record(model.anatomy, batch([texts[number] for number in members], model), add, which, fused)
        waiting.finish()


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
    """States of a few points, analysed together while the network goes on.

    Together, since between two blocks the network's weights fill the caches.
    """

    def __init__(self, take: Take) -> None:
        self._take = take
        self._tasks: list[Task] = []
        self._bytes = 0
        self._running: list[Future[None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # A pass that was stopped leaves no thread behind that still writes.
        for running in self._running:
            running.cancel()
        wait(self._running)

    def add(self, members: Sequence[int], point: str, states: torch.Tensor) -> None:
        # Metrics are computed on the CPU in float64: not every accelerator has it, and eigenvalues are small work.
        kept = states.to("cpu", torch.float32, copy=True).numpy()
        self._tasks += [(number, point, kept[row]) for row, number in enumerate(members)]
        self._bytes += kept.nbytes
        if self._bytes >= WAITING_BYTES:
            self._analyse(self._taken())

    def finish(self) -> None:
        """Analyse what waits, and wait for what is being analysed."""
        tasks = self._taken()
        if _parallel(tasks):
            self._analyse(tasks)
        self._join()
        if not _parallel(tasks):
            _take_each(self._take, tasks)

    def _analyse(self, tasks: Sequence[Task]) -> None:
        self._join()  # What waits stays bounded.
        parts = [[task] for task in tasks] if _parallel(tasks) else [tasks]
        self._running = [_analysts().submit(_take_each, self._take, part) for part in parts]

    def _join(self) -> None:
        for running in self._running:
            running.result()
        self._running = []

    def _taken(self) -> Sequence[Task]:
        tasks, self._tasks, self._bytes = self._tasks, [], 0
        return tasks


def _parallel(tasks: Sequence[Task]) -> bool:
    return bool(tasks) and len(tasks[0][2]) >= PARALLEL_TOKENS


def _take_each(take: Take, tasks: Sequence[Task]) -> None:
    for task in tasks:
        take(*task)


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
