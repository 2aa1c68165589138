"""One page draws at a time, so that a crowd's first answers come soon instead of all together at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, local
from typing import Final

_pen: Final = BoundedSemaphore()
_thread: Final = local()


@contextmanager
def drawing() -> Iterator[None]:
    """Hold the pen, as soon as whoever asked earlier has put it down.

    Python runs one thread at a time in any case: pages that take turns every few milliseconds all end late, and the
    thread that sends what is drawn finds no turn between them.
    """
    _pen.acquire()
    _thread.holds = True
    try:
        yield
    finally:
        _thread.holds = False
        _pen.release()


@contextmanager
def pen_down() -> Iterator[None]:
    """Let others draw while this page waits; without effect on a part of a page that is drawn by itself."""
    if not getattr(_thread, "holds", False):
        yield
        return
    _thread.holds = False
    _pen.release()
    try:
        yield
    finally:
        _pen.acquire()
        _thread.holds = True
