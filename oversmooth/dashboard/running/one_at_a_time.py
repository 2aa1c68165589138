"""Whose page is drawn, and when: as many are at work as the server serves; one draws at a time, in turns by address."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from threading import Condition, Lock, local
from typing import Final, ParamSpec, TypeVar

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from oversmooth.core.wording import count
from oversmooth.dashboard.markdown import plain
from oversmooth.service.engine import Owner, counters
from oversmooth.service.engine.rounds import Rounds, network
from oversmooth.service.hosting import current

_counting: Final = Lock()
_at_work: Final[Counter[str]] = Counter()
"""Pages, by session: the next run of a page may begin before the last one has ended."""
_last_refusal = -math.inf


def page_owner() -> Owner | None:
    """The page that this thread draws, and the network that it is seen from; None where it draws none."""
    context = get_script_run_ctx()
    if context is None:
        return None
    return Owner(context.session_id, network(st.context.ip_address or "") if runtime.exists() else "")


@contextmanager
def admission() -> Iterator[bool]:
    """Whether this page may be drawn; where not, :func:`draw_refusal` says why.

    A page that waits for its run is at work. As many are admitted as runs may be computed and wait, so that a crowd
    that could not be served does not keep those from being drawn who can.
    """
    global _last_refusal
    context, most = get_script_run_ctx(), _most()
    session = "" if context is None else context.session_id
    with _counting:
        full = most is not None and session not in _at_work and len(_at_work) >= most
        if not full:
            _at_work[session] += 1
    if full:
        counters.refused("waiting")
        _last_refusal = time.monotonic()
        yield False
        return
    try:
        yield True
    finally:
        with _counting:
            _at_work[session] -= 1
            if not _at_work[session]:
                del _at_work[session]


def last_refusal() -> float:
    """When the last page was refused, by the clock of ``time.monotonic``."""
    return _last_refusal


def draw_refusal() -> None:
    """Draw why the page is not drawn, and the way on."""
    st.error(
        plain(
            f"This server is busy: {count(_most() or 0, 'page')} wait or are being drawn, and no more may "
            "(the limit “waiting”). Try again in a moment."
        ),
        icon=":material/hourglass_top:",
    )
    st.button("Try again", key="place")


def _most() -> int | None:
    limits = current().limits
    return None if limits.waiting is None else limits.workers + limits.waiting


LOOK_SECONDS: Final = 0.1
"""How often who waits looks whether its page is still there."""
REFUSING_SECONDS: Final = 0.3
"""How long after a page was refused others may still be: whoever draws waits so long for the next."""
MOST_SECONDS: Final = 1.0
"""The most that who draws waits for pages that are refused, however many come."""

_thread: Final = local()
P = ParamSpec("P")
R = TypeVar("R")


class SupersededError(Exception):
    """A later run of the same page has taken the place."""


@dataclass(eq=False)
class _Waiter:
    owner: Owner | None
    superseded: bool = False

    @property
    def address(self) -> str:
        return "" if self.owner is None else self.owner.address


class FairLock:
    """Held by one thread at a time. Next is the address that was served longest ago, and of it who came first.

    A page that asks again while it waits keeps its place in line; the run that waited before never draws.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._rounds = Rounds()
        self._waiting: list[_Waiter] = []
        self._held = False

    @property
    def waiting(self) -> int:
        """How many pages wait for it."""
        return len(self._waiting)

    def acquire(self, owner: Owner | None, look: Callable[[], None]) -> None:
        """Wait for the lock, and hold it.

        Args:
            owner: the page that is to be drawn; None for one of its own each time.
            look: raises where the page is not to be drawn any more.

        Raises:
            SupersededError: a later run of the page asks for it.
        """
        waiter = _Waiter(owner)
        self._line_up(waiter)
        try:
            while not self._taken(waiter):
                look()
        except BaseException:
            with self._changed:
                if waiter in self._waiting:
                    self._waiting.remove(waiter)
                    self._changed.notify_all()
            raise

    def release(self) -> None:
        """Let the next one have it."""
        with self._changed:
            self._held = False
            self._changed.notify_all()

    def _line_up(self, waiter: _Waiter) -> None:
        with self._changed:
            for number, before in enumerate(self._waiting):
                if waiter.owner is not None and before.owner == waiter.owner:
                    before.superseded = True
                    self._waiting[number] = waiter
                    self._changed.notify_all()
                    return
            self._waiting.append(waiter)

    def _taken(self, waiter: _Waiter) -> bool:
        """Whether it is held now; waits a little where not."""
        with self._changed:
            if waiter.superseded:
                raise SupersededError
            if self._held or self._rounds.order(self._waiting, lambda each: each.address)[0] is not waiter:
                self._changed.wait(LOOK_SECONDS)
                return False
            self._waiting.remove(waiter)
            self._rounds.serve(waiter.address)
            self._held = True
            return True


_lock: Final = FairLock()


@contextmanager
def drawing_alone() -> Iterator[None]:
    """Draw as soon as whoever asked earlier draws no more.

    Python runs one thread at a time in any case: pages that take turns every few milliseconds all end late, and the
    thread that sends what is drawn finds no turn between them.
    """
    _acquire()
    try:
        yield
    finally:
        _release()


@contextmanager
def others_draw() -> Iterator[None]:
    """Let others draw while this page waits; without effect on a thread that draws nothing.

    A page that ends while it waits, because its visitor has gone on or left, does not ask for its turn again.
    """
    held = _release()
    yield
    if held:
        _acquire()


def fragment(draw: Callable[P, R]) -> Callable[P, R]:
    """A part of a page that is drawn anew by itself: a fragment of Streamlit's that waits for its turn."""

    @st.fragment
    @wraps(draw)
    def in_turn(*arguments: P.args, **named: P.kwargs) -> R:
        if getattr(_thread, "draws", False):
            return draw(*arguments, **named)
        with drawing_alone():
            return draw(*arguments, **named)

    return in_turn


def _acquire() -> None:
    # Who is refused is told within a second, of which each page drawn meanwhile would take a fifth.
    until = time.monotonic() + MOST_SECONDS
    while time.monotonic() < min(until, last_refusal() + REFUSING_SECONDS):
        time.sleep(REFUSING_SECONDS / 10)
    try:
        _lock.acquire(page_owner(), _look)
    except SupersededError:
        _look()
        st.stop()
    _thread.draws = True


def _look() -> None:
    """End this run of the page where its visitor has gone on or left: Streamlit does so when its state is asked for."""
    if get_script_run_ctx() is not None:
        "page" in st.session_state  # noqa: B015  asked for that alone


def _release() -> bool:
    """Whether this thread drew."""
    drew: bool = getattr(_thread, "draws", False)
    if drew:
        _thread.draws = False
        _lock.release()
    return drew
