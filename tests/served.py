"""A dashboard served on loopback by a program of its own, as an operator starts it, and what it takes of the host."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from prometheus_client.parser import text_string_to_metric_families
from workers import wait, working

STOP_SECONDS = 30.0
"""How long a server may take to end."""


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    address: str
    counters_address: str
    process: psutil.Process
    log: Path

    @property
    def workers(self) -> dict[int, psutil.Process]:
        """The processes that compute, by their ids."""
        return {each.pid: each for each in working(self.process)}

    @property
    def resident(self) -> int:
        """Bytes of memory that the server and its workers hold; what several share is counted once."""
        return sum(each.memory_full_info().pss for each in self._processes)

    @property
    def seconds(self) -> float:
        """CPU seconds that the server and its workers have taken, workers that have ended included."""
        return sum(map(_spent, self._processes))

    @property
    def web_seconds(self) -> float:
        """CPU seconds of the process that draws the pages."""
        times = self.process.cpu_times()
        return times.user + times.system

    @property
    def working_seconds(self) -> dict[int, float]:
        """CPU seconds of each worker that lives."""
        return {pid: _spent(worker) for pid, worker in self.workers.items()}

    @property
    def _processes(self) -> list[psutil.Process]:
        started = self.process.children(recursive=True)
        return [self.process, *(each for each in started if each.status() != psutil.STATUS_ZOMBIE)]

    def fetch(self, path: str) -> bytes:
        """What the server gives at a path of its address."""
        return _fetch(self.address + path)

    def counter(self, name: str, **labels: str) -> float:
        """What a counter stands at: the sum over those that have these labels, 0 where there is none."""
        families = text_string_to_metric_families(_fetch(self.counters_address).decode())
        samples = (sample for family in families for sample in family.samples if sample.name == name)
        return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())


@contextmanager
def served(log: Path, **variables: object) -> Iterator[Server]:
    """A dashboard on a free port of loopback; at its end it was asked to stop and has left no process behind.

    Args:
        log: where what it prints goes.
        variables: of its configuration, ``profile`` for ``OVERSMOOTH_PROFILE``; of the environment none counts.
    """
    port, counters = free_ports(2)
    command = [sys.executable, "-m", "oversmooth", "app", "--host", "127.0.0.1", "--port", str(port)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OVERSMOOTH_")}
    environment |= {f"OVERSMOOTH_{name.upper()}": str(value) for name, value in variables.items()}
    environment["OVERSMOOTH_METRICS_PORT"] = str(counters)
    with log.open("w") as sink, _no_core_files():
        program = subprocess.Popen(command, stdout=sink, stderr=sink, env=environment)
    addresses = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{counters}/metrics"
    server = Server(*addresses, psutil.Process(program.pid), log)
    try:
        wait(lambda: program.poll() is not None or _ready(server))
        assert program.poll() is None, log.read_text()
        yield server
    finally:
        end(program, server)


@contextmanager
def full_disk_of(process: psutil.Process) -> Iterator[None]:
    """No file of a process can grow beyond what it has, as on a disk that is full."""
    soft, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (soft, hard))


def free_ports(number: int) -> list[int]:
    """Ports of loopback that nobody listens on."""
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]
        return [each.getsockname()[1] for each in taken]


def end(program: subprocess.Popen[bytes], server: Server) -> None:
    """Stop the server as an operator does; kill what does not stop."""
    with contextlib.suppress(psutil.NoSuchProcess):
        left = server.process.children(recursive=True)
        program.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            program.wait(STOP_SECONDS)
        for process in psutil.wait_procs(left, 5)[1]:
            process.kill()
    program.kill()
    program.wait()


def _ready(server: Server) -> bool:
    with contextlib.suppress(OSError):
        return server.fetch("/readyz") == b"ready"
    return False


def _fetch(address: str) -> bytes:
    # Without the environment's proxy, which the first opener of a process would keep for good.
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=60) as answer:
        given: bytes = answer.read()
    return given


def _spent(process: psutil.Process) -> float:
    times = process.cpu_times()
    return sum((times.user, times.system, times.children_user, times.children_system))


@contextmanager
def _no_core_files() -> Iterator[None]:
    """Processes started here leave no core files when they are crashed on purpose."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
