"""One page draws at a time, so that a crowd's first answers come soon instead of all together at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import local
from typing import Final, ParamSpec, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from oversmooth.dashboard.running.admission import refused_at
from oversmooth.dashboard.running.drawing_lock import Pen, SupersededError
from oversmooth.dashboard.running.owner import owner

REFUSING_SECONDS: Final = 0.3
"""How long after a page was refused others may still be: whoever draws waits so long for the next."""
MOST_SECONDS: Final = 1.0
"""The most that who draws waits for pages that are refused, however many come."""

_pen: Final = Pen()
_thread: Final = local()
P = ParamSpec("P")
R = TypeVar("R")


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
    """Let others draw while this page waits; without effect on a thread that draws nothing.

    A page that ends while it waits, because its visitor has gone on or left, does not ask for the pen again.
    """
    held = _put_pen_down()
    yield
    if held:
        _take_pen()


def part(draw: Callable[P, R]) -> Callable[P, R]:
    """A part of a page that is drawn anew by itself, in its turn: a fragment of Streamlit's that takes the pen."""

    @st.fragment
    @wraps(draw)
    def in_turn(*arguments: P.args, **named: P.kwargs) -> R:
        if getattr(_thread, "holds", False):
            return draw(*arguments, **named)
        with drawing():
            return draw(*arguments, **named)

    return in_turn


def _take_pen() -> None:
    # Who is refused is told within a second, of which each page drawn meanwhile would take a fifth.
    until = time.monotonic() + MOST_SECONDS
    while time.monotonic() < min(until, refused_at() + REFUSING_SECONDS):
        time.sleep(REFUSING_SECONDS / 10)
    try:
        _pen.take(owner(), _look)
    except SupersededError:
        _look()
        st.stop()
    _thread.holds = True


def _look() -> None:
    """End this run of the page where its visitor has gone on or left: Streamlit does so when its state is asked for."""
    if get_script_run_ctx() is not None:
        "page" in st.session_state  # noqa: B015  asked for that alone


def _put_pen_down() -> bool:
    """Whether this thread held it."""
    held: bool = getattr(_thread, "holds", False)
    if held:
        _thread.holds = False
        _pen.put_down()
    return held
