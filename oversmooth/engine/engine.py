"""The engine: takes settings, gives handles, and has worker processes do the computing."""

from __future__ import annotations

import atexit
import os
from concurrent.futures import Future
from typing import TYPE_CHECKING, Self

import psutil

from oversmooth.engine.cache import request_key
from oversmooth.engine.jobs import Job, Jobs
from oversmooth.engine.process import WorkerOptions
from oversmooth.engine.supervisor import Supervisor
from oversmooth.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from oversmooth.measurement import Measurement
    from oversmooth.settings import Settings

RESULT_BYTES = 256 * 2**20


class Handle:
    """One caller's view of a run, which others may share."""

    def __init__(self, jobs: Jobs, job: Job, future: Future[Measurement], wake: Callable[[], None]) -> None:
        self._jobs = jobs
        self._job = job
        self._future = future
        self._wake = wake

    @property
    def progress(self) -> Progress:
        """The latest step; ``queue`` while other runs come first, ``start`` while a worker starts up."""
        return self._jobs.progress(self._job)

    @property
    def position(self) -> int | None:
        """Place in the queue, from 1; None once the run has begun."""
        return self._jobs.position(self._job)

    def done(self) -> bool:
        """Whether there is a result or an error."""
        return self._future.done()

    def result(self, timeout: float | None = None) -> Measurement:
        """The measurement, as soon as it is there.

        Raises:
            OversmoothError: what the run failed with.
            TimeoutError: where it is not there after ``timeout`` seconds.
        """
        return self._future.result(timeout)

    def cancel(self) -> None:
        """Stop waiting: the result is a ``CancelledError``, and the run ends unless somebody else waits for it."""
        self._jobs.release(self._job, self._future)
        self._wake()


class Engine:
    """Runs measurements in worker processes, first in, first out; equal requests share one run.

    Args:
        workers: processes, each of which holds models and computes one run at a time.
        threads: threads of each; by default the machine's cores are shared out evenly.
        deadline: seconds a run may take, not counting the queue; None for no limit.
        queue_limit: runs that may wait; None for any number.
        result_bytes: memory that results kept for the next who asks may take.
        model_bytes: memory that the models kept loaded may take in all workers together; by default half the machine's.
    """

    def __init__(
        self,
        workers: int = 1,
        threads: int | None = None,
        deadline: float | None = None,
        queue_limit: int | None = None,
        result_bytes: int = RESULT_BYTES,
        model_bytes: int | None = None,
    ) -> None:
        memory = psutil.virtual_memory().total // 2 if model_bytes is None else model_bytes
        options = WorkerOptions(threads or max(1, _cores() // workers), memory // workers)
        self._jobs = Jobs(workers, queue_limit, result_bytes)
        self._supervisors = [Supervisor(self._jobs, options, deadline) for _ in range(workers)]
        atexit.register(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def ready(self) -> bool:
        """Whether a worker is there that has loaded the default model."""
        return any(supervisor.ready for supervisor in self._supervisors)

    @property
    def worker_pids(self) -> tuple[int, ...]:
        """Process ids of the workers that live."""
        return tuple(pid for supervisor in self._supervisors if (pid := supervisor.pid) is not None)

    def submit(self, settings: Settings) -> Handle:
        """Have this measured.

        Raises:
            QueueFullError: where ``queue_limit`` runs wait already.
            CancelledError: after :meth:`close`.
        """
        job, future = self._jobs.submit(settings, request_key(settings))
        self._wake()
        return Handle(self._jobs, job, future, self._wake)

    def close(self) -> None:
        """End the workers; every run that is not done fails with a ``CancelledError``."""
        atexit.unregister(self.close)
        self._jobs.close()
        for supervisor in self._supervisors:
            supervisor.close()

    def _wake(self) -> None:
        for supervisor in self._supervisors:
            supervisor.wake()


def _cores() -> int:
    """Physical cores that this process may use."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, psutil.cpu_count(logical=False) or usable)
