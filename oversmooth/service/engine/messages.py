"""What the engine and its worker processes say to each other, as pickles one after the other on a pipe."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, TypeAlias

from oversmooth.core.errors import OversmoothError
from oversmooth.core.progress import Progress

if TYPE_CHECKING:
    from oversmooth.models.allowlist import AllowList
    from oversmooth.report.export.requests import Export
    from oversmooth.results.measurement import Measurement
    from oversmooth.results.settings import Settings


Request: TypeAlias = "Settings | Export"
"""What is asked of a worker: to measure, or to write a file."""
Outcome: TypeAlias = "Measurement | bytes"
"""What it makes of that."""


@dataclass(frozen=True)
class Start:
    """To the worker, before everything else: what it may keep and load."""

    model_bytes: int
    """Memory for models kept loaded."""
    memory_bytes: int | None
    """Memory altogether, beyond which the system refuses it more; None for no limit."""
    models: AllowList | None
    """The models that may be loaded; None for any."""


@dataclass(frozen=True)
class StartWriting:
    """To a worker that writes files, before everything else."""

    memory_bytes: int | None
    """See :class:`Start`."""


@dataclass(frozen=True)
class Run:
    """To the worker: do this. Numbers grow from run to run."""

    number: int
    request: Request


@dataclass(frozen=True)
class Cancel:
    """To the worker: stop the run of this number at its next step."""

    number: int


@dataclass(frozen=True)
class Ready:
    """From the worker, once: it is there, and where it measures, the default model was tried."""

    loaded: bool = False
    """Whether that model is there; others may be all the same."""


@dataclass(frozen=True)
class Step:
    """From the worker: where the run is."""

    progress: Progress


@dataclass(frozen=True)
class Finished:
    """From the worker: how the run ended."""

    outcome: Outcome | OversmoothError
    leaving: bool
    """Whether the worker ends itself now, because what the run left behind cannot be trusted."""


Message = Start | StartWriting | Run | Cancel | Ready | Step | Finished


def send(stream: IO[bytes], message: Message) -> None:
    """Write one message; an OSError where the other end is gone."""
    # Pickled whole before the first byte goes out, so that a failure cannot leave half a message in the pipe.
    stream.write(pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL))
    stream.flush()


def receive(stream: IO[bytes]) -> Message | None:
    """The next message of the other end; None once it has closed, be it in the middle of one."""
    try:
        message: Message = pickle.load(stream)  # noqa: S301  a private pipe: the other end is our own process
    except (EOFError, pickle.UnpicklingError, OSError):
        return None
    return message
