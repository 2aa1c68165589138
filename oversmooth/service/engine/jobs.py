"""Which run comes next, who waits for it, and the results kept: turns by address, equal requests sharing one run."""

import threading
from collections.abc import Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from oversmooth.core.bytecache import ByteCache
from oversmooth.core.errors import CancelledError, LimitError, OversmoothError, QueueFullError
from oversmooth.core.progress import Progress
from oversmooth.service.engine.messages import Request
from oversmooth.service.engine.queue_kinds import RUNS, Kind
from oversmooth.service.engine.rounds import Owner, Rounds

CLOSED = "The engine was shut down before the run was done."
Result = TypeVar("Result")


@dataclass(eq=False)
class Job(Generic[Result]):
    """One run and the futures of those who wait for it."""

    number: int
    key: Hashable
    request: Request
    address: str = ""
    """Of the network, of whoever asked first."""
    waiting: dict[Future[Result], Owner | str | None] = field(default_factory=dict)
    """Whom each future is for; None where nobody counts."""
    progress: Progress = field(default_factory=lambda: Progress("start"))

    @property
    def wanted(self) -> bool:
        """Whether anybody still waits for the result."""
        return bool(self.waiting)


class Jobs(Generic[Result]):
    """The queue: turns go round by address, and of one address are first in, first out. Safe between threads.

    Args:
        slots: runs that are computed at the same time.
        limit: runs that may wait for a slot; None for any number.
        in_flight: runs of one owner that may wait or run; None for any number.
        result_bytes: memory that finished results may take.
        kind: what a run is.
    """

    def __init__(
        self, slots: int, limit: int | None, in_flight: int | None, result_bytes: int, kind: Kind[Any] = RUNS
    ) -> None:
        self._slots = slots
        self._limit = limit
        self._in_flight = in_flight
        self._lock = threading.Lock()
        self.kind = kind
        self._queue: list[Job[Result]] = []
        self._rounds = Rounds()
        self._running: set[Job[Result]] = set()
        self._flights: dict[Hashable, Job[Result]] = {}
        self._results: ByteCache[Hashable, Result] = ByteCache(result_bytes, kind.size)
        self._submitted = 0
        self._closed = False

    def submit(
        self, request: Request, key: Hashable, owner: Owner | str | None = None
    ) -> tuple[Job[Result], Future[Result]]:
        """Queue a run, join an equal one, or answer from the results kept; refused where too many wait."""
        future: Future[Result] = Future()
        with self._lock:
            if self._closed:
                raise CancelledError(CLOSED)
            job = self._flights.get(key)
            if job is None:
                result = self._results.get(key)
                job = Job(self._submitted, key, request, owner.address if isinstance(owner, Owner) else "")
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

    def take(self) -> Job[Result] | None:
        """The run whose turn it is, now running; None when none waits that a slot may take.

        One slot is kept free of heavy runs where there are several.
        """
        with self._lock:
            heavy = sum(self.kind.heavy(each.request) for each in self._running)
            full = heavy >= max(1, self._slots - 1)
            job = next((each for each in self._order() if not (full and self.kind.heavy(each.request))), None)
            if job is None:
                return None
            self._queue.remove(job)
            self._rounds.serve(job.address)
            self._running.add(job)
            self._gauge()
            return job

    def empty(self) -> bool:
        """Whether no run waits."""
        return not self._queue

    def finish(self, job: Job[Result], outcome: Result | OversmoothError) -> None:
        """Hand the outcome to everybody who waits for it, and keep a result for the next who asks."""
        with self._lock:
            self._running.discard(job)
            self._gauge()
            self.kind.ended(job.number, outcome)
            self._forget(job)
            if not isinstance(outcome, OversmoothError):
                self.kind.freeze(outcome)
                self._results.put(job.key, outcome)
            _resolve(job, outcome)

    def release(self, job: Job[Result], future: Future[Result]) -> None:
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

    def position(self, job: Job[Result]) -> int | None:
        """Place in the queue, from 1; None once the run has begun."""
        with self._lock:
            return self._order().index(job) + 1 if job in self._queue else None

    def progress(self, job: Job[Result]) -> Progress:
        """Where the job is: in the queue, waiting for a worker to start up, or where its worker reports it to be."""
        position = self.position(job)
        if position is None:
            return job.progress
        if position <= self._slots - len(self._running):
            return Progress("start")
        return Progress("queue", detail=f"place {position}")

    def progress_of(self, owner: Owner | str) -> Progress | None:
        """Of what an owner waits for, the first asked for; None where that is nothing."""
        with self._lock:
            job = next(iter(self._of(owner)), None)
        return None if job is None else self.progress(job)

    def release_all(self, owner: Owner | str) -> None:
        """Take away everything that an owner waits for; see :meth:`release`."""
        with self._lock:
            futures = [(job, each) for job in self._of(owner) for each, whom in job.waiting.items() if whom == owner]
        for job, future in futures:
            self.release(job, future)

    def close(self) -> None:
        """Fail every run, and take no more."""
        with self._lock:
            self._closed = True
            for job in (*self._queue, *self._running):
                _resolve(job, CancelledError(CLOSED))
            self._queue.clear()
            self._flights.clear()
            self._gauge()

    def _refuse_greed(self, owner: Owner | str | None) -> None:
        if self._in_flight is None or owner is None:
            return
        if sum(each == owner for job in self._of(owner) for each in job.waiting.values()) >= self._in_flight:
            raise LimitError(self.kind.greedy(self._in_flight), self.kind.in_flight)

    def _of(self, owner: Owner | str) -> list[Job[Result]]:
        """The runs that an owner waits for."""
        return [job for job in (*self._running, *self._queue) if owner in job.waiting.values()]

    def _order(self) -> list[Job[Result]]:
        """Those that wait, as they come in turn."""
        return self._rounds.order(self._queue, lambda job: job.address)

    def _gauge(self) -> None:
        self.kind.waiting.set(len(self._queue))
        self.kind.running.set(len(self._running))

    def _refuse_if_full(self) -> None:
        # Runs that a free slot is about to take do not wait.
        waiting = max(0, len(self._queue) - (self._slots - len(self._running)))
        if self._limit is not None and len(self._queue) >= self._slots - len(self._running) + self._limit:
            raise QueueFullError(self.kind.full(waiting), self.kind.limit)

    def _forget(self, job: Job[Result]) -> None:
        if self._flights.get(job.key) is job:
            del self._flights[job.key]


def _resolve(job: Job[Result], outcome: Result | OversmoothError) -> None:
    for future in job.waiting:
        if isinstance(outcome, OversmoothError):
            # One each: raising adds to an exception's traceback, and several threads may raise.
            future.set_exception(type(outcome)(str(outcome)))
        else:
            future.set_result(outcome)
    job.waiting.clear()
