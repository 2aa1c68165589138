"""Files that take long to write, as a worker that writes files is given them: it imports this module."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass

from oversmooth.core.progress import Progress, Report


@dataclass(frozen=True)
class Slow:
    """Takes so many steps of a hundredth of a second each."""

    steps: int
    heavy: bool = False

    def write(self, report: Report) -> bytes:
        for step in range(self.steps):
            report(Progress("write", step, self.steps))
            time.sleep(0.01)
        return b"slow"


@dataclass(frozen=True)
class Hung:
    """Never comes to a step."""

    heavy: bool = False

    def write(self, report: Report) -> bytes:
        del report
        time.sleep(600)
        return b"never"


@dataclass(frozen=True)
class Crash:
    """Ends its process, or fails in it."""

    number: int | None = None
    heavy: bool = False

    def write(self, report: Report) -> bytes:
        del report
        if self.number is None:
            raise ZeroDivisionError("quetzal")
        os.kill(os.getpid(), self.number)
        signal.pause()
        return b"never"
