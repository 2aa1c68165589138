"""Ctrl-C: the end at once while libraries are imported, an exception once something is computed or written.

SIGTERM ends it as ever, as process 1 of a container too, to which the system delivers only signals that it handles.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Final, NoReturn

STOPPED: Final = 130
"""The exit code of a command that Ctrl-C ended, as shells give it."""
_TERMINATED: Final = 143
"""That of one that SIGTERM ended."""


def end_at_once() -> None:
    """Let Ctrl-C end the process, with a word; an exception in the middle of an import is told as a fault of its own.

    Where Ctrl-C is ignored, as in a job in the background, it stays so.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminate)


def raise_from_here() -> None:
    """Let Ctrl-C be an exception, so that what was begun is put in order."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(_: int, __: FrameType | None) -> NoReturn:
    os.write(2, b"Stopped.\n")
    os._exit(STOPPED)


def _terminate(_: int, __: FrameType | None) -> NoReturn:
    # A server that has served nobody yet ends in good order: nothing is lost.
    os._exit(0 if sys.argv[1:2] == ["app"] else _TERMINATED)
