"""Texts through the model in batches, the numbers of every point taken on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from oversmooth.core.points import PointSet
from oversmooth.core.progress import Progress, Report
from oversmooth.measuring.analysis import Analysis
from oversmooth.measuring.explaining import Explainer
from oversmooth.measuring.fidelity import Fidelity, Sides
from oversmooth.measuring.intervention import Intervention
from oversmooth.measuring.intervention.observing import See
from oversmooth.measuring.resolution import Resolution
from oversmooth.measuring.rows import rows_of
from oversmooth.models.encodings import Encoded
from oversmooth.models.inputs import batch
from oversmooth.models.loaded import LoadedModel
from oversmooth.models.recording import expected_points, record
from oversmooth.results.settings import Settings

BATCH_TOKENS = 4096
"""Padded tokens in one forward pass: bounds the memory of activations, not the number of texts."""

WAITING_BYTES = 2**21
"""States that wait for their analysis: a bound that does not grow with depth."""

PARALLEL_TOKENS = 256
"""From here on two points are analysed at once: of fewer tokens, the threads cost more than they save."""

ANALYSIS_THREADS = 2

Take = Callable[[Sequence[int], str, NDArray[np.floating]], None]
"""Receives the numbers of texts, a point, and the texts' states there (text, token, dim), padding among them, which are
valid only during the call."""

Watch = Callable[[Sequence[int]], See]
"""Makes, of the numbers of the texts of one pass, what is shown its attention."""


def run_texts(
    texts: Sequence[Encoded],
    model: LoadedModel,
    which: PointSet,
    intervention: Intervention | None,
    take: Take,
    report: Report,
    watch: Watch | None = None,
    resolution: Resolution | None = None,
) -> None:
    """Run the texts through the model and hand their states at every point to ``take``, perhaps in threads.

    ``resolution`` sees each of them first. With ``watch``, the intervention is there and watched.
    """
    fused = _read_out(intervention)
    points = expected_points(model.anatomy, which, fused=fused is not None)
    # A method may enlarge what is left of a collapse inside the block.
    inside = which == "blocks" and resolution is not None and intervention is not None and bool(intervention.methods)
    done, total = 0, len(points) * len(texts)
    report(Progress("measure", done, total, points[0]))
    for members in batches(texts, padded=model.anatomy.padding_is_safe):
        waiting = _Waiting(take, members)

        def add(
            point: str, states: torch.Tensor, members: Sequence[int] = members, waiting: _Waiting = waiting
        ) -> None:
            nonlocal done
            # Metrics are computed on the CPU in float64: not every accelerator has it, and eigenvalues are small work.
            states = states.to("cpu", model.network.dtype)
            if resolution is not None:
                resolution.see(members, point, states.numpy())
            if point not in points:
                return
            waiting.add(point, states)
            done += len(members)
            report(Progress("measure", done, total, point))

        with _seen(intervention, watch, members):
            record(
                model.anatomy,
                batch([texts[number] for number in members], model),
                add,
                "all" if inside else which,
                fused,
            )
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
    resolution = Resolution(rows, np.dtype(model.precision), post_norm=model.anatomy.post_norm)
    fidelity = None
    if sides is not None:
        identities = [row.identities for row in rows]
        # Of an explanation, which looks at more points, main ones alone: memory grows with each.
        searched = expected_points(model.anatomy, "blocks") if explainer is not None else points
        fidelity = Fidelity(identities, searched, width, sides, model.network.dtype.itemsize)
    analysis = Analysis(
        settings.metrics,
        points,
        rows,
        width,
        resolution=resolution,
        similarity=settings.similarity,
        shown=settings.shown,
        centred=settings.centred_spectra,
        fidelity=fidelity,
    )
    if explainer is None:
        run_texts(texts, model, settings.points, intervention, analysis.take, report, resolution=resolution)
        return analysis

    def take(numbers: Sequence[int], point: str, states: NDArray[np.floating]) -> None:
        analysis.take(numbers, point, states)
        for number, each, rounding in zip(numbers, states, resolution.of(numbers, point).tolist(), strict=True):
            explainer.take(number, point, each, rounding)

    watch = explainer.watch if explainer.observes else None
    run_texts(texts, model, settings.points, intervention, take, report, watch, resolution)
    return analysis


def _seen(
    intervention: Intervention | None, watch: Watch | None, members: Sequence[int]
) -> AbstractContextManager[None]:
    """The pass of these texts, announced to whoever watches."""
    if intervention is None or watch is None:
        return nullcontext()
    return intervention.seen_by(watch(members))


def _read_out(intervention: Intervention | None) -> Callable[[], torch.Tensor] | None:
    return intervention.fused if intervention is not None and intervention.read_out is not None else None


class _Waiting:
    """States of a few points, analysed together: between two blocks, the network's weights fill the caches."""

    def __init__(self, take: Take, members: Sequence[int]) -> None:
        self._take = take
        self._members = members
        self._states: list[tuple[str, NDArray[np.floating]]] = []

    def add(self, point: str, states: torch.Tensor) -> None:
        size = states.nbytes + sum(kept.nbytes for _, kept in self._states)
        # What is analysed at once need not be copied: the pass goes on only afterwards.
        self._states.append((point, states.numpy() if size >= WAITING_BYTES else states.numpy().copy()))
        if size >= WAITING_BYTES:
            self.analyse()

    def analyse(self) -> None:
        states, self._states = self._states, []
        if states and states[0][1].shape[1] < PARALLEL_TOKENS:
            for point, kept in states:
                self._take(self._members, point, kept)
            return
        tasks = [
            ((number,), point, kept[row : row + 1])
            for point, kept in states
            for row, number in enumerate(self._members)
        ]
        for done in [_analysts().submit(self._take, *task) for task in tasks]:
            done.result()


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
