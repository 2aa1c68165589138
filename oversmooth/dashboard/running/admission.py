"""Whose page is drawn, and how many are at work at once: who is not admitted is told so before anything is drawn."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from oversmooth.core.wording import count
from oversmooth.dashboard.markdown import plain
from oversmooth.service.engine import Owner, counters
from oversmooth.service.engine.rounds import network
from oversmooth.service.hosting import current

_lock: Final = Lock()
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
    context = get_script_run_ctx()
    session = "" if context is None else context.session_id
    if not _enter(session):
        counters.refused("waiting")
        _last_refusal = time.monotonic()
        yield False
        return
    try:
        yield True
    finally:
        with _lock:
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


def _enter(session: str) -> bool:
    most = _most()
    with _lock:
        if most is not None and session not in _at_work and len(_at_work) >= most:
            return False
        _at_work[session] += 1
        return True
