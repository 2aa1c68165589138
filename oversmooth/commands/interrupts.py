"""Ctrl-C: the end at once while libraries are imported, an exception once something is computed or written."""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import Final, NoReturn

STOPPED: Final = 130
"""The exit code of a command that Ctrl-C ended, as shells give it."""


def end_at_once() -> None:
    """Let Ctrl-C end the process, with a word; an exception in the middle of an import is told as a fault of its own.

    Where Ctrl-C is ignored, as in a job in the background, it stays so.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def raise_from_here() -> None:
    """Let Ctrl-C be an exception, so that what was begun is put in order."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(_: int, __: FrameType | None) -> NoReturn:
    os.write(2, b"Stopped.\n")
    os._exit(STOPPED)
