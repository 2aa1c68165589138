"""How a long run tells its caller where it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Stage = Literal["queue", "start", "download", "load", "measure"]


@dataclass(frozen=True)
class Progress:
    """Where a run is: ``done`` of ``total`` units of ``stage`` (bytes when downloading, points when measuring)."""

    stage: Stage
    done: int = 0
    total: int = 0
    detail: str = ""

    @property
    def fraction(self) -> float:
        """Share of the stage that is done, in [0, 1]; 0 while the total is not known."""
        return min(1.0, self.done / self.total) if self.total > 0 else 0.0


Report = Callable[[Progress], None]
"""Receives each progress step; may raise ``CancelledError`` to stop the run at the next step."""


def silent(progress: Progress) -> None:
    """Ignore progress."""
