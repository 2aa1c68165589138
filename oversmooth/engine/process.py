"""One worker process, seen from the engine."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self, cast

from oversmooth.engine.messages import Message, Start, receive, send

if TYPE_CHECKING:
    from types import TracebackType

EXIT_SECONDS = 5.0
"""How long a worker that has closed its pipe may take to end before it is killed."""


@dataclass(frozen=True)
class Gone:
    """The worker has closed its end: it has ended or is about to."""


@dataclass(frozen=True)
class Wake:
    """A run was queued or cancelled, or the engine closes."""


Event = Message | Gone | Wake


@dataclass(frozen=True)
class WorkerOptions:
    """What every worker of an engine is started with."""

    threads: int
    start: Start


class StartError(Exception):
    """The worker could not be started; the message follows “the process”."""


class WorkerProcess:
    """A process in which :mod:`oversmooth.engine.worker` runs. Used once: a new worker is a new object.

    Args:
        options: how to start it.
        events: where its messages go, and ``Gone`` after the last.

    Raises:
        StartError: where the system starts no process.
    """

    def __init__(self, options: WorkerOptions, events: queue.SimpleQueue[Event]) -> None:
        self.ready = False
        self._events = events
        # Not multiprocessing: its spawn imports the main script again, which under Streamlit is the whole app.
        # -P: a file in the user's working directory must not be imported in place of a library of its name.
        command = [sys.executable, "-P", "-m", "oversmooth.engine.worker"]
        try:
            self._process = subprocess.Popen(  # noqa: S603  nothing in the command comes from a user
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=_environment(options),
                start_new_session=True,  # Ctrl-C in the terminal is for the engine, which then ends its workers
            )
        except OSError as error:
            raise StartError(f"was not started by the system ({error.strerror or error})") from error
        self._requests = cast(IO[bytes], self._process.stdin)
        self._answers = cast(IO[bytes], self._process.stdout)
        threading.Thread(target=self._listen, name="worker-answers", daemon=True).start()
        self.send(options.start)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the process at once, wait until it has ended, and let go of its pipe."""
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(OSError):  # what is left unsent
            self._requests.close()

    @property
    def pid(self) -> int | None:
        """Process id; None when it has ended."""
        return self._process.pid if self._process.poll() is None else None

    def send(self, message: Message) -> None:
        """Send a message; to a worker that has ended, nothing (``Gone`` is among the events then)."""
        with contextlib.suppress(OSError):
            send(self._requests, message)

    def fate(self) -> str:
        """How a worker that is gone ended, to follow “the process”."""
        try:
            code = self._process.wait(EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            return "stopped answering"
        if code >= 0:
            return f"ended unexpectedly (exit code {code})"
        name = signal.Signals(-code).name
        if name == "SIGKILL":
            return f"was killed ({name}), most likely because the machine ran out of memory"
        return f"crashed or was ended from outside ({name})"

    def _listen(self) -> None:
        try:
            with self._answers:
                while (answer := receive(self._answers)) is not None:
                    self._events.put(answer)
                    del answer  # a whole result, which nobody may need by the time the next message comes
        finally:
            self._events.put(Gone())


def _environment(options: WorkerOptions) -> dict[str, str]:
    # A hosted server asks no hub: what it measures was fetched before.
    offline = {} if options.start.models is None else {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    threads = options.threads
    return (
        os.environ
        | offline
        | {
            # What this process imports, installed or from a checkout, the worker imports from the same place.
            "PYTHONPATH": os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path),
            # torch's team does the forward pass; NumPy's beside it would fight for the same cores (4 times slower).
            "OMP_NUM_THREADS": str(threads),
            "MKL_NUM_THREADS": str(threads),
            "OPENBLAS_NUM_THREADS": "1",
            # Threads that spin while they wait made answers ten times slower beside a busy neighbour.
            "OMP_WAIT_POLICY": "PASSIVE",
            # One text at a time gains nothing from a further team of threads.
            "TOKENIZERS_PARALLELISM": "false",
        }
    )
