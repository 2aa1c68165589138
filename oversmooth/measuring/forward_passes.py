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
from oversmooth.measuring.measured_rows import DEVICE_BYTES, Arrived
from oversmooth.measuring.preparing import Prepared
from oversmooth.measuring.resolution import Resolution
from oversmooth.metrics.numerics import Array
from oversmooth.models.recording import record

WAITING_BYTES = 2**21
"""States that wait for their analysis: a bound that does not grow with depth."""

PARALLEL_TOKENS = 256
"""From here on two points are analysed at once: of fewer tokens, the threads cost more than they save."""

ANALYSIS_THREADS = 2

Take = Callable[[Sequence[Arrived]], None]
"""Receives the states of some texts at some points of one pass, which are valid only during the call."""

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
            states = states.to("cpu" if run.on_host else states.device, network.dtype)
            resolution.see(members, point, _where_analysed(states))
            if point not in run.points:
                return
            waiting.add(point, states, resolution.of(members, point))
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
        self._arrived: list[Arrived] = []
        self._bytes = 0

    def add(self, point: str, states: torch.Tensor, roundings: NDArray[np.float64]) -> None:
        self._bytes += states.nbytes
        enough = self._bytes >= (WAITING_BYTES if states.device.type == "cpu" else DEVICE_BYTES // 2)
        # What is analysed at once need not be copied: the pass goes on only afterwards.
        kept = states if enough else states.clone()
        self._arrived.append(Arrived(point, self._members, _where_analysed(kept), roundings))
        if enough:
            self.analyse()

    def analyse(self) -> None:
        arrived, self._arrived, self._bytes = self._arrived, [], 0
        if not arrived or arrived[0].states.shape[1] < PARALLEL_TOKENS or not isinstance(arrived[0].states, np.ndarray):
            self._take(arrived)
            return
        tasks = [
            Arrived(each.point, (text,), each.states[row : row + 1], each.roundings[row : row + 1])
            for each in arrived
            for row, text in enumerate(each.texts)
        ]
        for done in [_analysts().submit(self._take, (task,)) for task in tasks]:
            done.result()


def _where_analysed(states: torch.Tensor) -> Array:
    """On a GPU that has float64, as they are; else as NumPy's, whose calls take less time."""
    return states if states.device.type == "cuda" else states.cpu().numpy()


@lru_cache(maxsize=1)
def _analysts() -> ThreadPoolExecutor:
    # Kept: a new thread costs as much as a small analysis.
    return ThreadPoolExecutor(min(ANALYSIS_THREADS, torch.get_num_threads()), thread_name_prefix="analysis")
