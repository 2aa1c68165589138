"""How a long run tells its caller where it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from oversmooth.core.points import title
from oversmooth.core.wording import bytes_in_words

Stage = Literal["queue", "start", "download", "load", "measure", "loss", "write"]


@dataclass(frozen=True)
class Progress:
    """Where a run is: ``done`` of ``total`` units of ``stage``: bytes, points, predictions of tokens, or files."""

    stage: Stage
    done: int = 0
    total: int = 0
    detail: str = ""
    variant: str = ""
    """Which side of a comparison; empty where there is only one."""

    @property
    def fraction(self) -> float:
        """Share of the stage that is done, in [0, 1]; 0 while the total is not known."""
        return min(1.0, self.done / self.total) if self.total > 0 else 0.0


Report = Callable[[Progress], None]
"""Receives each progress step; may raise ``CancelledError`` to stop the run at the next step."""


def silent(progress: Progress) -> None:
    """Ignore progress."""


_VERBS: dict[Stage, str] = {
    "queue": "Waiting",
    "start": "Starting",
    "download": "Downloading",
    "load": "Loading",
    "measure": "Measuring",
    "loss": "Measuring the loss",
    "write": "Writing",
}


def sentence(progress: Progress) -> str:
    """Where a run is, in words."""
    verb = _VERBS[progress.stage]
    if progress.stage == "download" and progress.total:
        amount = f" ({bytes_in_words(progress.done)} of {bytes_in_words(progress.total)})"
    elif progress.total:
        amount = f" ({progress.done} of {progress.total})"
    else:
        amount = ""
    detail = title(progress.detail) if progress.stage == "measure" and progress.detail else progress.detail
    side = f"{progress.variant}: " if progress.variant else ""
    return f"{side}{verb}{f': {detail}' if detail else ''}{amount} …"
