"""What the engine asks of a worker, as it arrives."""

import os
import queue
import threading
from typing import IO, NoReturn

from oversmooth.service.engine.messages import Cancel, Run, receive


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
