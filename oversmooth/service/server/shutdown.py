"""The end of the server: asked for by a signal, in good order, within seconds, exit code 0."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

from oversmooth.service.engine.shared import close_shared_engine

CONNECTIONS_SECONDS: Final = 2
"""How long open connections may take to close."""


@contextmanager
def orderly() -> Iterator[None]:
    """Meanwhile SIGTERM and SIGINT end the process and its workers, with exit code 0."""
    before = {number: signal.signal(number, _end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except SystemExit as end:
        close_shared_engine()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        # Not by itself: threads of pages that still compute would be waited for.
        os._exit(end.code if isinstance(end.code, int) else 1)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001  as signal calls it
    # uvicorn, which takes the signals while it serves, hands them on here when it has closed everything.
    raise SystemExit(0)
