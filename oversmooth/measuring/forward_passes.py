"""Texts through the model in batches, the states at every point handed on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from oversmooth.core.progress import Progress, Report
from oversmooth.measuring.intervention.observing import See
from oversmooth.measuring.preparing import Prepared
from oversmooth.measuring.resolution import Resolution
from oversmooth.models.recording import record

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


def run_passes(run: Prepared, resolution: Resolution, take: Take, report: Report, watch: Watch | None = None) -> None:
    """Run the texts through the model and hand their states at every point to ``take``, perhaps in threads.

    ``resolution`` sees each of them first. With ``watch``, the intervention is there and watched.
    """
    which, intervention, network = run.settings.points, run.intervention, run.model.network
    # A method may enlarge what is left of a collapse inside the block.
    inside = which == "blocks" and intervention is not None and bool(intervention.methods)
    fused = intervention.fused if intervention is not None and intervention.read_out is not None else None
    done, total = 0, len(run.points) * len(run.texts)
    report(Progress("measure", done, total, run.points[0]))
    for members, inputs in run.batches:
        waiting = _Waiting(take, members)

        def add(
            point: str, states: torch.Tensor, members: Sequence[int] = members, waiting: _Waiting = waiting
        ) -> None:
            nonlocal done
            # Metrics are computed on the CPU in float64: not every accelerator has it, and eigenvalues are small work.
            states = states.to("cpu", network.dtype)
            resolution.see(members, point, states.numpy())
            if point not in run.points:
                return
            waiting.add(point, states)
            done += len(members)
            report(Progress("measure", done, total, point))

        seen = nullcontext() if intervention is None or watch is None else intervention.seen_by(watch(members))
        with seen:
            record(run.model.anatomy, inputs, add, "all" if inside else which, fused)
        waiting.analyse()


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
