"""Starts worker processes: forked, where the system forks well, from one that has imported everything; else anew."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, TypeAlias

START_SECONDS = 120.0
"""How long importing torch may take, and loading the default model."""
FORK: Final = b"fork"
ALIVE: Final = b"-"
MESSAGE_BYTES: Final = 32
_POLL_SECONDS: Final = 0.01
_END_SECONDS: Final = 1.0
_UNWANTED: Final = "was not started: it is not wanted any more"


class StartError(Exception):
    """The worker could not be started; the message follows “the process”."""


def launcher(threads: int, hosted: bool) -> "Anew":
    """What starts workers of so many threads here; ``hosted`` ones load models of a list, which were fetched before."""
    # Elsewhere, libraries that compute do not survive a fork.
    return (ForkServer if sys.platform == "linux" else Anew)(threads, hosted)


def ending(code: int) -> str:
    """How a process with this exit code ended, to follow “the process”."""
    if code >= 0:
        return f"ended unexpectedly (exit code {code})"
    name = signal.Signals(-code).name
    if name == "SIGKILL":
        return f"was killed ({name}), most likely because the machine ran out of memory"
    return f"crashed or was ended from outside ({name})"


class Anew:
    """What starts worker processes, here each as a program that imports everything for itself."""

    def __init__(self, threads: int, hosted: bool) -> None:
        self._environment = _environment(threads, hosted)

    def start(self) -> "Launched":
        """A new worker; a StartError where the system starts no process."""
        return _program("oversmooth.service.engine.worker", self._environment, subprocess.PIPE, subprocess.PIPE)

    def close(self) -> None:
        """Start no more, and stop waiting for one."""

    def end(self) -> None:
        """Let go of what starting took, when the workers have ended."""


class ForkServer(Anew):
    """Has workers forked by a program that has imported everything, started with the first."""

    def __init__(self, threads: int, hosted: bool) -> None:
        super().__init__(threads, hosted)
        self._lock = threading.Lock()
        self._program: subprocess.Popen[bytes] | None = None
        self._control = socket.socket()
        self._closing = False
        self._ended = False

    def start(self) -> "Launched":
        """See :class:`Anew`."""
        (requests, stdin), (stdout, answers) = os.pipe(), os.pipe()
        try:
            with self._turn():
                self._ensure_program()
                pid = int(self._ask(FORK, requests, answers))
        except BaseException:
            os.close(stdin)
            os.close(stdout)
            raise
        finally:
            os.close(requests)
            os.close(answers)
        return Forked(self, pid, os.fdopen(stdin, "wb"), os.fdopen(stdout, "rb"))

    def exit_code(self, pid: int) -> int | None:
        """Of a worker; None while it lives."""
        try:
            with self._turn():
                answer = self._ask(str(pid).encode())
        except StartError:
            # Nobody is left who could know.
            return -signal.SIGKILL
        return None if answer == ALIVE else int(answer)

    def close(self) -> None:
        """See :class:`Anew`."""
        self._closing = True

    def end(self) -> None:
        """See :class:`Anew`."""
        self._ended = True
        # A program that is only about to run, in whatever state, is let go of by the one who waits for it.
        with contextlib.suppress(StartError), self._turn():
            pass

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """One at a time; who closes does not wait for a start, which the system may keep for as long as it likes."""
        since = time.monotonic()
        while not self._lock.acquire(timeout=_POLL_SECONDS):
            if self._closing and time.monotonic() - since > _END_SECONDS:
                raise StartError(_UNWANTED)
        try:
            yield
        finally:
            if self._ended:
                self._let_go()
            self._lock.release()

    def _let_go(self) -> None:
        self._control.close()
        if self._program is not None:
            self._program.kill()
            self._program.wait()

    def _ensure_program(self) -> None:
        if self._closing:
            raise StartError(_UNWANTED)
        if self._program is not None and self._program.poll() is None:
            return
        self._control.close()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(_POLL_SECONDS)
        with theirs:
            self._program = _program(
                "oversmooth.service.engine.fork_server", self._environment, theirs.fileno(), subprocess.DEVNULL
            )

    def _ask(self, request: bytes, *descriptors: int) -> bytes:
        since = time.monotonic()
        with contextlib.suppress(OSError):
            socket.send_fds(self._control, [request], descriptors)
            while time.monotonic() - since < self._patience(forking=bool(descriptors)):
                with contextlib.suppress(TimeoutError):
                    if answer := self._control.recv(MESSAGE_BYTES):
                        return answer
                    break
        raise StartError(f"was not started: the one that it is forked from {self._fate()}")

    def _patience(self, forking: bool) -> float:
        """Seconds that an answer is waited for: who closes wants no new worker, and asks only how the others ended."""
        return START_SECONDS if not self._closing else 0.0 if forking else _END_SECONDS

    def _fate(self) -> str:
        """Why it gives no answer, to follow “the process”."""
        if self._program is None or self._closing:
            return "is not wanted any more"
        try:
            # Its end of the socket closes a moment before it has ended.
            return ending(self._program.wait(_END_SECONDS))
        except subprocess.TimeoutExpired:
            # A late answer would be taken for that to another request: the next one is asked of a new program.
            self._program.kill()
            self._program.wait()
            return "does not answer"


class Forked:
    """A worker that the fork server has started: of :class:`subprocess.Popen`, what is used of it."""

    def __init__(self, server: ForkServer, pid: int, stdin: IO[bytes], stdout: IO[bytes]) -> None:
        self.pid = pid
        self.stdin: IO[bytes] | None = stdin
        self.stdout: IO[bytes] | None = stdout
        self._server = server
        self._code: int | None = None

    def kill(self) -> None:
        """End it at once."""
        if self._code is None:  # from then on, its process id may be another's
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, as soon as it has ended, below zero the number of a signal; a ``TimeoutExpired`` before."""
        until = None if timeout is None else time.monotonic() + timeout
        while self._code is None:
            self._code = self._server.exit_code(self.pid)
            if self._code is None:
                if until is not None and time.monotonic() > until:
                    raise subprocess.TimeoutExpired("worker", timeout or 0)
                time.sleep(_POLL_SECONDS)
        return self._code


Launched: TypeAlias = "subprocess.Popen[bytes] | Forked"
"""A process that was started."""


def _program(module: str, environment: dict[str, str], stdin: int, stdout: int) -> subprocess.Popen[bytes]:
    """A program of ours; a StartError where the system starts none."""
    # Not multiprocessing: its spawn imports the main script again, which under Streamlit is the whole app.
    # -P: a file in the user's working directory must not be imported in place of a library of its name.
    try:
        return subprocess.Popen(  # noqa: S603  nothing in the command comes from a user
            [sys.executable, "-P", "-m", module],
            stdin=stdin,
            stdout=stdout,
            env=environment,
            start_new_session=True,  # Ctrl-C in the terminal is for the engine, which then ends its workers
        )
    except OSError as error:
        raise StartError(f"was not started by the system ({error.strerror or error})") from error


def _environment(threads: int, hosted: bool) -> dict[str, str]:
    # A hosted server asks no hub: what it measures was fetched before.
    offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"} if hosted else {}
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
