"""What every worker does: one request at a time, with each failure told, until one leaves the process in doubt."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from typing import IO, TYPE_CHECKING, ClassVar, Final

from oversmooth.core.errors import CancelledError, OversmoothError, WorkerLostError
from oversmooth.core.progress import Progress, Report
from oversmooth.service.engine.messages import Finished, Message, Ready, Run, Step, send

if TYPE_CHECKING:
    from oversmooth.results.measurement import Measurement
    from oversmooth.service.engine.inbox import Inbox
    from oversmooth.service.engine.messages import Request

_LOG: Final = logging.getLogger(__name__)

OUT_OF_MEMORY: Final = (
    "The run needs more memory than there is for it. Use fewer or shorter texts or a smaller model; a new process "
    "takes the place of this one."
)
TOO_LARGE_A_FILE: Final = (
    "Writing this file needs more memory than there is for it. Choose fewer formats or one figure at a time; a new "
    "process takes the place of this one."
)


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
    def answer(self, request: Request, report: Report) -> Measurement | bytes:
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
