"""How many pages are at work at once; who finds no place is told so before anything is drawn."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from oversmooth.core.wording import count
from oversmooth.dashboard.markdown import plain
from oversmooth.service.engine import counters
from oversmooth.service.hosting import current

_lock: Final = Lock()
_taken: Final[Counter[str]] = Counter()
"""Pages at work, by session: the next run of a page may begin before the last one has ended."""
_refused_at = -math.inf


@contextmanager
def place() -> Iterator[bool]:
    """Whether this page may be drawn; where not, :func:`refuse` says why.

    A page that waits for its run is at work. There are as many places as runs may be computed and wait, so that a crowd
    that could not be served does not keep those from being drawn who can.
    """
    context = get_script_run_ctx()
    session = "" if context is None else context.session_id
    if not _enter(session):
        counters.refused("waiting")
        _note_refusal()
        yield False
        return
    try:
        yield True
    finally:
        with _lock:
            _taken[session] -= 1
            if not _taken[session]:
                del _taken[session]


def refused_at() -> float:
    """When the last page was refused, by the clock of ``time.monotonic``."""
    return _refused_at


def _most() -> int | None:
    limits = current().limits
    return None if limits.waiting is None else limits.workers + limits.waiting


def _enter(session: str) -> bool:
    most = _most()
    with _lock:
        if most is not None and session not in _taken and len(_taken) >= most:
            return False
        _taken[session] += 1
        return True


def _note_refusal() -> None:
    global _refused_at
    _refused_at = time.monotonic()


def refuse() -> None:
    """Draw why the page is not drawn, and the way on."""
    st.error(
        plain(
            f"This server is busy: {count(_most() or 0, 'page')} wait or are being drawn, and no more may "
            "(the limit “waiting”). Try again in a moment."
        ),
        icon=":material/hourglass_top:",
    )
    st.button("Try again", key="place")
