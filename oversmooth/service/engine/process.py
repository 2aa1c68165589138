"""One worker process, seen from the engine."""

import contextlib
import queue
import subprocess
import threading
from enum import Enum
from typing import IO, Self, cast

from oversmooth.service.engine.launching import Anew, ending
from oversmooth.service.engine.messages import Message, Start, StartWriting, receive, send

EXIT_SECONDS = 5.0
"""How long a worker that has closed its pipe may take to end before it is killed."""


class Sign(Enum):
    """What happens beside messages."""

    GONE = "the worker has closed its end: it has ended or is about to"
    WAKE = "a run was queued or cancelled, or the engine closes"


Event = Message | Sign


class WorkerProcess:
    """A process in which :mod:`oversmooth.service.engine.worker` runs. Used once: a new worker is a new object.

    Its first message is ``start``. Its own go to ``events``, and ``GONE`` after the last. A StartError where the system
    starts no process.
    """

    def __init__(self, launcher: Anew, start: Start | StartWriting, events: queue.SimpleQueue[Event]) -> None:
        self.ready = False
        self._events = events
        self._process = launcher.start()
        self._gone = False
        self._requests = cast(IO[bytes], self._process.stdin)
        self._answers = cast(IO[bytes], self._process.stdout)
        threading.Thread(target=self._listen, name="worker-answers", daemon=True).start()
        self.send(start)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the process at once, wait until it has ended, and let go of its pipe."""
        self._process.kill()
        self._process.wait()
        self._gone = True  # The thread that listens may learn of it later.
        with contextlib.suppress(OSError):  # what is left unsent
            self._requests.close()

    @property
    def pid(self) -> int | None:
        """Process id; None when it has ended or is about to."""
        return None if self._gone else self._process.pid

    def send(self, message: Message) -> None:
        """Send a message; to a worker that has ended, nothing (``GONE`` is among the events then)."""
        with contextlib.suppress(OSError):
            send(self._requests, message)

    def fate(self) -> str:
        """How a worker that is gone ended, to follow “the process”."""
        try:
            return ending(self._process.wait(EXIT_SECONDS))
        except subprocess.TimeoutExpired:
            return "stopped answering"

    def _listen(self) -> None:
        try:
            with self._answers:
                while (answer := receive(self._answers)) is not None:
                    self._events.put(answer)
                    del answer  # a whole result, which nobody may need by the time the next message comes
        finally:
            self._gone = True
            self._events.put(Sign.GONE)
