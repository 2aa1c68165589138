"""One page draws at a time, so that a crowd's first answers come soon instead of all together at the end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, local
from typing import Final

from oversmooth.dashboard.places import refused_at

REFUSING_SECONDS: Final = 0.3
"""How long after a page was refused others may still be: whoever draws waits so long for the next."""
MOST_SECONDS: Final = 1.0
"""The most that who draws waits for pages that are refused, however many come."""

_pen: Final = BoundedSemaphore()
_thread: Final = local()


@contextmanager
def drawing() -> Iterator[None]:
    """Hold the pen, as soon as whoever asked earlier has put it down.

    Python runs one thread at a time in any case: pages that take turns every few milliseconds all end late, and the
    thread that sends what is drawn finds no turn between them.
    """
    _take_pen()
    try:
        yield
    finally:
        _put_pen_down()


@contextmanager
def pen_down() -> Iterator[None]:
    """Let others draw while this page waits; without effect on a part of a page that is drawn by itself.

    A page that ends while it waits, because its visitor has gone on or left, does not ask for the pen again.
    """
    held = _put_pen_down()
    yield
    if held:
        _take_pen()


def _take_pen() -> None:
    # Who is refused is told within a second, of which each page drawn meanwhile would take a fifth.
    until = time.monotonic() + MOST_SECONDS
    while time.monotonic() < min(until, refused_at() + REFUSING_SECONDS):
        time.sleep(REFUSING_SECONDS / 10)
    _pen.acquire()
    _thread.holds = True


def _put_pen_down() -> bool:
    """Whether this thread held it."""
    held: bool = getattr(_thread, "holds", False)
    if held:
        _thread.holds = False
        _pen.release()
    return held
