"""Texts through the model in batches, the numbers of every point taken on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from oversmooth.analysis import Analysis, Rows
from oversmooth.inputs import Encoded, batch
from oversmooth.intervention import Intervention
from oversmooth.models.loaded import LoadedModel
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


def analyse(
    texts: Sequence[Encoded], model: LoadedModel, settings: Settings, intervention: Intervention | None, report: Report
) -> Analysis:
    """Run the texts through the model and take the numbers at every point."""
    fused = intervention.fused if intervention is not None and intervention.read_out is not None else None
    points = expected_points(model.anatomy, settings.points, fused=fused is not None)
    rows = [
        Rows(np.flatnonzero([token.measured for token in text.tokens.items]), text.classification) for text in texts
    ]
    analysis = Analysis(
        settings.metrics,
        points,
        rows,
        model.anatomy.hidden_size,
        similarity=settings.similarity,
        centred=settings.centred_spectra,
    )
    done, total = 0, len(points) * len(texts)
    report(Progress("measure", done, total, points[0]))
    for members in batches(texts, padded=model.anatomy.padding_is_safe):
        waiting = _Waiting(analysis, members)

        def take(
            point: str, states: torch.Tensor, members: Sequence[int] = members, waiting: _Waiting = waiting
        ) -> None:
            nonlocal done
            waiting.add(point, states)
            done += len(members)
            report(Progress("measure", done, total, point))

        record(model.anatomy, batch([texts[number] for number in members], model), take, settings.points, fused)
        waiting.analyse()
    return analysis


class _Waiting:
    """States of a few points, analysed together: between two blocks, the network's weights fill the caches."""

    def __init__(self, analysis: Analysis, members: Sequence[int]) -> None:
        self._analysis = analysis
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
            for done in [_analysts().submit(self._analysis.take, *task) for task in tasks]:
                done.result()
        else:
            for task in tasks:
                self._analysis.take(*task)


@lru_cache(maxsize=1)
def _analysts() -> ThreadPoolExecutor:
    # Kept: a new thread costs as much as a small analysis.
    return ThreadPoolExecutor(min(ANALYSIS_THREADS, torch.get_num_threads()), thread_name_prefix="analysis")


def batches(texts: Sequence[Encoded], *, padded: bool) -> Iterator[list[int]]:
    """Numbers of texts that go through the model together: of like length, or of equal length if not ``padded``."""
    members: list[int] = []
    lengths = [len(text.ids) for text in texts]
    for number in sorted(range(len(texts)), key=lambda number: lengths[number]):
        full = lengths[number] * (len(members) + 1) > BATCH_TOKENS
        if members and (full or not (padded or lengths[number] == lengths[members[0]])):
            yield members
            members = []
        members.append(number)
    yield members
