"""What every worker does: one request at a time, with each failure told, until one leaves the process in doubt."""

import logging
import os
import queue
import threading
from abc import ABC, abstractmethod
from typing import IO, ClassVar, Final, NoReturn

from oversmooth.core.errors import CancelledError, OversmoothError, WorkerLostError
from oversmooth.core.progress import Progress, Report
from oversmooth.service.engine.messages import (
    Cancel,
    Finished,
    Message,
    Outcome,
    Ready,
    Request,
    Run,
    Step,
    receive,
    send,
)

_LOG: Final = logging.getLogger(__name__)

OUT_OF_MEMORY: Final = (
    "The run needs more memory than there is for it. Use fewer or shorter texts or a smaller model; a new process "
    "takes the place of this one."
)
TOO_LARGE_A_FILE: Final = (
    "Writing this file needs more memory than there is for it. Choose fewer formats or one figure at a time; a new "
    "process takes the place of this one."
)


class Inbox:
    """What the engine asks for, read on a thread of its own so that it arrives while a run is computed."""

    def __init__(self, requests: IO[bytes]) -> None:
        self.runs: queue.SimpleQueue[Run] = queue.SimpleQueue()
        self._requests = requests
        self._cancelled = -1
        threading.Thread(target=self._listen, name="requests", daemon=True).start()

    def cancelled(self, run: Run) -> bool:
        """Whether nobody waits for the run any more."""
        return self._cancelled >= run.number

    def _listen(self) -> NoReturn:
        while (request := receive(self._requests)) is not None:
            match request:
                case Run():
                    self.runs.put(request)
                case Cancel(number):
                    self._cancelled = number
        # The engine is gone: nobody is left to compute for, so end in the middle of whatever is going on.
        os._exit(0)


class Serving(ABC):
    """Serves requests of the inbox in this process; progress and outcomes go to ``answers``."""

    too_large: ClassVar[str] = OUT_OF_MEMORY
    """What is said where memory runs out."""

    def __init__(self, inbox: Inbox, answers: IO[bytes]) -> None:
        self._inbox = inbox
        self._answers = answers
        self._sending = threading.Lock()

    @abstractmethod
    def prepare(self) -> Ready:
        """What is done before the first request."""

    @abstractmethod
    def answer(self, request: Request, report: Report) -> Outcome:
        """The result of one request, or an OversmoothError that says why there is none."""

    def stuck(self) -> bool:
        """Whether something goes on that only the end of the process stops."""
        return False

    def out_of_memory(self, error: BaseException) -> bool:
        """Whether an error says that memory ran out."""
        return isinstance(error, MemoryError)

    def work(self) -> None:
        """Serve requests until one of them leaves the process in doubt."""
        self._send(self.prepare())
        while self._serve_next():
            pass

    def _serve_next(self) -> bool:
        finished = self.serve(self._inbox.runs.get())
        self._send(finished)
        return not finished.leaving

    def serve(self, run: Run) -> Finished:
        """Answer one request; every failure but an interrupt becomes an outcome."""

        def report(progress: Progress) -> None:
            if self._inbox.cancelled(run):
                raise CancelledError("The run was cancelled.")
            self._send(Step(progress))

        try:
            return Finished(self.answer(run.request, report), leaving=self.stuck())
        except OversmoothError as error:
            return Finished(error, leaving=self.stuck())
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # a Rust panic is no Exception
            if self.out_of_memory(error):
                return Finished(WorkerLostError(self.too_large), leaving=True)
            _LOG.exception("A run failed in a way that was not foreseen")
            message = (
                f"The run stopped on a fault inside Oversmooth or one of its libraries ({type(error).__name__}). "
                "The log of the program has the details."
            )
            return Finished(WorkerLostError(message), leaving=True)

    def _send(self, message: Message) -> None:
        # Progress may be reported from other threads than the one that works.
        with self._sending:
            send(self._answers, message)
