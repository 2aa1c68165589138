"""Which run comes next, who waits for it, and the results kept: first in, first out, equal requests sharing one run."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from oversmooth.bytecache import ByteCache
from oversmooth.engine import counters
from oversmooth.engine.cache import measurement_bytes
from oversmooth.errors import CancelledError, LimitError, OversmoothError, QueueFullError
from oversmooth.progress import Progress
from oversmooth.wording import count

if TYPE_CHECKING:
    from oversmooth.measurement import Measurement
    from oversmooth.settings import Settings

CLOSED = "The engine was shut down before the run was done."


@dataclass(eq=False)
class Job:
    """One run and the futures of those who wait for it."""

    number: int
    key: Hashable
    settings: Settings
    waiting: dict[Future[Measurement], str | None] = field(default_factory=dict)
    """Whom each future is for; None where nobody counts."""
    progress: Progress = field(default_factory=lambda: Progress("start"))

    @property
    def wanted(self) -> bool:
        """Whether anybody still waits for the result."""
        return bool(self.waiting)


class Jobs:
    """The queue. Safe between threads.

    Args:
        slots: runs that are computed at the same time.
        limit: runs that may wait for a slot; None for any number.
        in_flight: runs of one owner that may wait or run; None for any number.
        result_bytes: memory that finished results may take.
    """

    def __init__(self, slots: int, limit: int | None, in_flight: int | None, result_bytes: int) -> None:
        self._slots = slots
        self._limit = limit
        self._in_flight = in_flight
        self._lock = threading.Lock()
        self._queue: deque[Job] = deque()
        self._running: set[Job] = set()
        self._flights: dict[Hashable, Job] = {}
        self._results: ByteCache[Hashable, Measurement] = ByteCache(result_bytes, measurement_bytes)
        self._submitted = 0
        self._closed = False

    def submit(self, settings: Settings, key: Hashable, owner: str | None = None) -> tuple[Job, Future[Measurement]]:
        """Queue a run, or join an equal one, or answer from the results kept.

        Raises:
            LimitError: where the owner has too many that are not done.
            QueueFullError: where too many wait already.
            CancelledError: after :meth:`close`.
        """
        future: Future[Measurement] = Future()
        with self._lock:
            if self._closed:
                raise CancelledError(CLOSED)
            job = self._flights.get(key)
            if job is None:
                result = self._results.get(key)
                job = Job(self._submitted, key, settings)
                if result is not None:
                    job.progress = Progress("measure", 1, 1)
                    future.set_result(result)
                    return job, future
            self._refuse_greed(owner)
            if key not in self._flights:
                self._refuse_if_full()
                self._submitted += 1
                self._queue.append(job)
                self._flights[key] = job
            job.waiting[future] = owner
            self._gauge()
            return job, future

    def take(self) -> Job | None:
        """The run that has waited longest, now running; None when none waits."""
        with self._lock:
            if not self._queue:
                return None
            job = self._queue.popleft()
            self._running.add(job)
            self._gauge()
            return job

    def empty(self) -> bool:
        """Whether no run waits."""
        return not self._queue

    def finish(self, job: Job, outcome: Measurement | OversmoothError) -> None:
        """Hand the outcome to everybody who waits for it, and keep a result for the next who asks."""
        with self._lock:
            self._running.discard(job)
            self._gauge()
            counters.run_ended(job.number, outcome)
            self._forget(job)
            if not isinstance(outcome, OversmoothError):
                _freeze(outcome)
                self._results.put(job.key, outcome)
            _resolve(job, outcome)

    def release(self, job: Job, future: Future[Measurement]) -> None:
        """Take one waiting future away; a queued run that nobody else waits for leaves the queue."""
        with self._lock:
            if future not in job.waiting:
                return
            del job.waiting[future]
            future.set_exception(CancelledError("The run was cancelled."))
            if not job.wanted:
                # Whoever asks for the same from now on gets a run of its own.
                self._forget(job)
                if job in self._queue:
                    self._queue.remove(job)
                    self._gauge()

    def position(self, job: Job) -> int | None:
        """Place in the queue, from 1; None once the run has begun."""
        with self._lock:
            return self._queue.index(job) + 1 if job in self._queue else None

    def progress(self, job: Job) -> Progress:
        """Where the job is: in the queue, waiting for a worker to start up, or where its worker reports it to be."""
        position = self.position(job)
        if position is None:
            return job.progress
        if position <= self._slots - len(self._running):
            return Progress("start")
        return Progress("queue", detail=f"place {position}")

    def close(self) -> None:
        """Fail every run, and take no more."""
        with self._lock:
            self._closed = True
            for job in (*self._queue, *self._running):
                _resolve(job, CancelledError(CLOSED))
            self._queue.clear()
            self._flights.clear()
            self._gauge()

    def _refuse_greed(self, owner: str | None) -> None:
        if self._in_flight is None or owner is None:
            return
        jobs = (*self._queue, *self._running)
        if sum(each == owner for job in jobs for each in job.waiting.values()) >= self._in_flight:
            raise LimitError(
                f"One page computes at most {count(self._in_flight, 'run')} at a time here (the limit “in_flight”). "
                "Wait for the one that runs, or stop it.",
                "in_flight",
            )

    def _gauge(self) -> None:
        counters.QUEUE.set(len(self._queue))
        counters.RUNNING.set(len(self._running))

    def _refuse_if_full(self) -> None:
        # Runs that a free slot is about to take do not wait.
        waiting = max(0, len(self._queue) - (self._slots - len(self._running)))
        if self._limit is not None and len(self._queue) >= self._slots - len(self._running) + self._limit:
            raise QueueFullError(
                f"The queue is full, with {count(waiting, 'run')} waiting (the limit “waiting”). Try again in a moment."
            )

    def _forget(self, job: Job) -> None:
        if self._flights.get(job.key) is job:
            del self._flights[job.key]


def _resolve(job: Job, outcome: Measurement | OversmoothError) -> None:
    for future in job.waiting:
        if isinstance(outcome, OversmoothError):
            # One each: raising adds to an exception's traceback, and several threads may raise.
            future.set_exception(type(outcome)(str(outcome)))
        else:
            future.set_result(outcome)
    job.waiting.clear()


def _freeze(measurement: Measurement) -> None:
    # One result may be shown in many sessions: none can change it under the others.
    datasets = [measurement.curves, measurement.spectra]
    if measurement.explanation is not None:
        datasets += measurement.explanation.datasets
    arrays = [array for dataset in datasets for array in dataset.data_vars.values()]
    if measurement.similarity is not None:
        arrays.append(measurement.similarity)
    for array in arrays:
        array.values.setflags(write=False)
