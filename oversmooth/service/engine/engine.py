"""The engine: takes settings, gives handles, and has worker processes do the computing."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Generic, Self, TypeVar

import psutil

from oversmooth.core.errors import LimitError, ModelError
from oversmooth.core.progress import Progress
from oversmooth.models.allowlist import AllowList
from oversmooth.results.settings import Settings
from oversmooth.service.engine import counters
from oversmooth.service.engine.cache import request_key
from oversmooth.service.engine.jobs import Job, Jobs
from oversmooth.service.engine.launching import launcher
from oversmooth.service.engine.messages import Start, StartWriting
from oversmooth.service.engine.process import WorkerProcess
from oversmooth.service.engine.queue_kinds import EXPORTS
from oversmooth.service.engine.rounds import Owner
from oversmooth.service.engine.supervisor import Supervisor
from oversmooth.service.hosting import Limits, allowed, current
from oversmooth.service.hosting.limits import require

if TYPE_CHECKING:
    from oversmooth.report.export.requests import Export
    from oversmooth.results.measurement import Measurement

RESULT_BYTES = 256 * 2**20
UNLIMITED = Limits()
WRITERS: Final = 2
"""Processes that write files, started when the first is asked for: one takes a zip of many figures, the other is kept
for what is written quickly."""
Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class Handle(Generic[Result]):
    """One caller's view of a run, which others may share."""

    _jobs: Jobs[Result]
    _job: Job[Result]
    future: Future[Result]
    """What becomes of it, for those who do not wait on a thread; only :meth:`cancel` gives it up."""
    _wake: Callable[[], None]

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
        return self.future.done()

    def result(self, timeout: float | None = None) -> Result:
        """The measurement or file, as soon as it is there; raises what the run failed with, or a TimeoutError."""
        return self.future.result(timeout)

    def cancel(self) -> None:
        """Stop waiting: the result is a ``CancelledError``, and the run ends unless somebody else waits for it."""
        self._jobs.release(self._job, self.future)
        self._wake()


class Engine:
    """Runs measurements in worker processes, in turns that go round by address; equal requests share one run.

    Files of results are written by processes of their own, behind a queue of their own.

    Args:
        limits: of which it keeps those on workers, threads, waiting runs, runs of one owner, time and memory; each
            request is held against the others before it is queued.
        models: what a hosted server measures; None for any model.
        result_bytes: memory that results kept for the next who asks may take.
    """

    def __init__(
        self, limits: Limits = UNLIMITED, models: AllowList | None = None, *, result_bytes: int = RESULT_BYTES
    ) -> None:
        memory = psutil.virtual_memory().total // 2 if limits.model_bytes is None else limits.model_bytes
        threads = limits.threads or max(1, _cores() // limits.workers)
        self._launcher = launcher(threads, hosted=models is not None)
        start = Start(memory // limits.workers, limits.worker_bytes, models)
        self._limits = limits
        self._models = models
        self._jobs: Jobs[Measurement] = Jobs(limits.workers, limits.waiting, limits.in_flight, result_bytes)
        self._supervisors = [
            Supervisor(self._jobs, partial(WorkerProcess, self._launcher, start), limits.deadline)
            for _ in range(limits.workers)
        ]
        self._exports: Jobs[bytes] = Jobs(WRITERS, limits.exports_waiting, 1, 0, EXPORTS)
        begin = partial(WorkerProcess, self._launcher, StartWriting(limits.worker_bytes))
        self._writers = [Supervisor(self._exports, begin, limits.export_deadline, late=True) for _ in range(WRITERS)]
        atexit.register(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def ready(self) -> bool:
        """Whether a worker is there that has loaded the default model."""
        return any(supervisor.ready for supervisor in self._supervisors)

    @property
    def worker_pids(self) -> tuple[int, ...]:
        """Process ids of the workers that live."""
        return tuple(pid for supervisor in self._supervisors if (pid := supervisor.pid) is not None)

    def submit(self, settings: Settings, owner: Owner | str | None = None) -> Handle[Measurement]:
        """Have this measured for ``owner``, by whom turns and the limit on the runs of one go.

        Raises:
            LimitError: the request is larger than what the engine grants, or the owner has too many.
            ModelError: the model is not on the list.
            QueueFullError: too many wait already.
            CancelledError: after :meth:`close`.
        """
        try:
            require(settings, self._limits, self._models)
            job, future = self._jobs.submit(settings, self._key(settings), owner)
        except LimitError as error:
            counters.refused(error.limit)
            raise
        except ModelError:
            counters.refused("models")
            raise
        self._wake()
        return Handle(self._jobs, job, future, self._wake)

    def export(self, export: Export, owner: Owner | str | None = None) -> Handle[bytes]:
        """Have this written for ``owner``, who has one file written at a time; refuses as :meth:`submit`."""
        try:
            job, future = self._exports.submit(export, object(), owner)
        except LimitError as error:
            counters.refused(error.limit)
            raise
        self._wake_writers()
        return Handle(self._exports, job, future, self._wake_writers)

    def exporting(self, owner: Owner | str) -> Progress | None:
        """Where the file is that an owner has asked for; None where there is none."""
        return self._exports.progress_of(owner)

    def stop_exporting(self, owner: Owner | str) -> None:
        """Give up the file that an owner has asked for."""
        self._exports.release_all(owner)
        self._wake_writers()

    def _key(self, settings: Settings) -> Hashable:
        # Models of a list do not change, and what a stranger asks for is not looked up on the disk.
        return request_key(settings) if self._models is None else settings.key()

    def close(self) -> None:
        """End the workers; every run that is not done fails with a ``CancelledError``."""
        atexit.unregister(self.close)
        self._jobs.close()
        self._exports.close()
        self._launcher.close()
        for supervisor in self._supervisors:
            supervisor.close()
        for writer in self._writers:
            writer.close()
        self._launcher.end()

    def _wake(self) -> None:
        for supervisor in self._supervisors:
            supervisor.wake()

    def _wake_writers(self) -> None:
        for writer in self._writers:
            writer.wake()


def _cores() -> int:
    """Physical cores that this process may use."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, psutil.cpu_count(logical=False) or usable)


_lock = threading.Lock()
_engine: Engine | None = None


def shared_engine() -> Engine:
    """The engine that all sessions of this process share; made, and its workers started, by the first who asks.

    Raises:
        ConfigurationError: where the server is set up wrongly.
    """
    global _engine
    with _lock:
        if _engine is None:
            configuration = current()
            _engine = Engine(configuration.limits, allowed(configuration))
        return _engine


def close_shared_engine() -> None:
    """End its workers, if it was made; the next who asks gets a new one."""
    global _engine
    with _lock:
        if _engine is not None:
            _engine.close()
            _engine = None
