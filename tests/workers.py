"""What tests of the engine need: runs of milliseconds and of minutes, and ways to wait for other processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil

from oversmooth.results.measurement import Measurement
from oversmooth.results.settings import Settings
from oversmooth.service.engine import Engine, Handle

WORDS = "the cat sat on a mat and looked at the rain while clouds went over roofs of old quiet towns " * 2


def short(name: str) -> Settings:
    """A run of milliseconds, unlike that of any other name."""
    return Settings.of(texts=f"Run {name}: the cat sat on the mat and looked at the rain.")


def long(name: str) -> Settings:
    """A run that takes far longer than any test waits, in steps of a fraction of a second."""
    return Settings.of(texts=tuple(f"{name} {number} {WORDS}" for number in range(1000)), similarity=False)


def wait(condition: Callable[[], bool]) -> None:
    """Wait, within bounds, until the condition holds."""
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.01)


@contextmanager
def running(engine: Engine, name: str) -> Iterator[Handle[Measurement]]:
    """A long run in the middle of its measuring; cancelled at the end."""
    handle = engine.submit(long(name))
    try:
        wait(lambda: handle.done() or (handle.progress.stage == "measure" and handle.progress.done > 0))
        assert not handle.done()
        yield handle
    finally:
        handle.cancel()


def working(server: psutil.Process) -> list[psutil.Process]:
    """The processes that compute for a server, forked by the program that it has started for that."""
    found = (each for program in server.children() for each in program.children())
    return [each for each in found if each.status() != psutil.STATUS_ZOMBIE]


def gone(pid: int) -> bool:
    """Whether the process has ended (it may still wait for somebody to collect its exit code)."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
