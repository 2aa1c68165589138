"""Keeps one slot of the engine working: a worker process, the runs given to it, and its replacement when it is lost."""

import queue
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar, cast

from oversmooth.core.errors import CancelledError, DeadlineError, OversmoothError, WorkerLostError
from oversmooth.service.engine.jobs import Job, Jobs
from oversmooth.service.engine.launching import START_SECONDS, StartError
from oversmooth.service.engine.messages import Cancel, Finished, Ready, Run, Step
from oversmooth.service.engine.process import Event, Sign, WorkerProcess

CANCEL_SECONDS = 3.0
"""How long a cancelled run may take to its next step before its worker is killed: on a busy machine a step takes longer
than by itself, and a new worker costs more than a few of them."""
STARTS = 3
"""Workers in a row that may end without having finished a run; from then on, one is started only when a run waits."""
CLOSE_SECONDS = 10.0
"""How long a worker may take to end when the engine closes."""
_POLL_SECONDS = 0.1
_START_SECONDS = 1.0
"""How long a start may go on when the engine closes, before it is left to end by itself."""


Result = TypeVar("Result")
Begin = Callable[[queue.SimpleQueue[Event]], WorkerProcess]


class Supervisor(Generic[Result]):
    """One slot.

    Args:
        jobs: where the runs come from.
        begin: starts a worker whose messages go to a queue.
        deadline: seconds a run may take; None for no limit.
        late: whether the first worker is started only when a run waits.
    """

    def __init__(self, jobs: Jobs[Result], begin: Begin, deadline: float | None, *, late: bool = False) -> None:
        self._jobs = jobs
        self._begin = begin
        self._deadline = deadline
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._worker: WorkerProcess | None = None
        self._closing = False
        self._starting = False
        self._fruitless = STARTS if late else 0
        self._thread = threading.Thread(target=self._supervise, name="engine-slot", daemon=True)
        self._thread.start()

    @property
    def ready(self) -> bool:
        """Whether its worker has loaded the default model and lives."""
        worker = self._worker
        return worker is not None and worker.ready and worker.pid is not None

    @property
    def pid(self) -> int | None:
        """Process id of its worker, while there is one."""
        worker = self._worker
        return worker.pid if worker is not None else None

    def wake(self) -> None:
        """Look again for runs that were queued or cancelled."""
        self._events.put(Sign.WAKE)

    def close(self) -> None:
        """End the worker, whatever it is doing. A start that the system does not let end is left behind."""
        self._closing = True
        self.wake()
        since = time.monotonic()
        while time.monotonic() - since < (_START_SECONDS if self._starting else CLOSE_SECONDS):
            self._thread.join(_POLL_SECONDS)
            if not self._thread.is_alive():
                return

    def _supervise(self) -> None:
        while not self._closing:
            if self._fruitless >= STARTS:
                self._await_job()
            self._fruitless += 1
            # A queue of its own for each worker: the last words of one are not taken for those of the next.
            self._events = queue.SimpleQueue()
            try:
                with self._started() as self._worker:
                    self._await_ready(self._worker)
                    self._serve(self._worker)
            except StartError as error:
                if self._fruitless >= STARTS:
                    self._refuse(error)

    def _started(self) -> WorkerProcess:
        self._starting = True
        try:
            return self._begin(self._events)
        finally:
            self._starting = False

    def _event(self, until: float | None = None) -> Event | None:
        """What happens next; None when nothing has at the time ``until`` (of ``time.monotonic``)."""
        try:
            return self._events.get(timeout=None if until is None else max(0.0, until - time.monotonic()))
        except queue.Empty:
            return None

    def _await_ready(self, worker: WorkerProcess) -> None:
        until = time.monotonic() + START_SECONDS
        while not self._closing:
            match self._event(until):
                case Ready(loaded):
                    worker.ready = loaded
                    return
                case Sign.GONE:
                    raise StartError(worker.fate())
                case None:
                    raise StartError(f"was not ready after {START_SECONDS:g} seconds")

    def _refuse(self, fault: StartError) -> None:
        job = self._jobs.take()
        if job is not None:
            message = (
                f"No run can be computed: the process for it {fault}, and so did those before. "
                "The log of the program has the details."
            )
            self._jobs.finish(job, WorkerLostError(message))

    def _await_job(self) -> None:
        while self._jobs.empty() and not self._closing:
            self._event()

    def _serve(self, worker: WorkerProcess) -> None:
        """Run job after job, until the worker is gone or not to be used again."""
        while not self._closing:
            job = self._jobs.take()
            if job is not None:
                if not self._run(job, worker):
                    return
            elif self._event() is Sign.GONE:
                return

    def _run(self, job: Job[Result], worker: WorkerProcess) -> bool:
        """Have the worker compute one job; whether it may be given the next one."""
        until = None if self._deadline is None else time.monotonic() + self._deadline
        overdue: OversmoothError = DeadlineError(self._jobs.kind.overdue(self._deadline or 0))
        cancelled = False
        worker.send(Run(job.number, job.request))
        while not self._closing:
            if not job.wanted and not cancelled:
                cancelled = True
                worker.send(Cancel(job.number))
                until = time.monotonic() + (self._jobs.kind.cancel_seconds or CANCEL_SECONDS)
                overdue = CancelledError("The run was cancelled.")
            match self._event(until):
                case Step(progress):
                    job.progress = progress
                case Finished(outcome, leaving):
                    self._fruitless = 0
                    # Of its kind: each worker is started for one queue.
                    self._jobs.finish(job, cast("Result | OversmoothError", outcome))
                    return not leaving
                case Sign.GONE:
                    self._jobs.finish(job, WorkerLostError(self._jobs.kind.lost(worker.fate())))
                    return False
                case None:
                    self._jobs.finish(job, overdue)
                    return False
        return False
