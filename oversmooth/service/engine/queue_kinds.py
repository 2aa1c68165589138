"""What the engine's two queues hold: runs that measure, and files that are written of their results."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from prometheus_client import Gauge

from oversmooth.core.errors import OversmoothError
from oversmooth.core.wording import count
from oversmooth.service.engine import counters
from oversmooth.service.engine.cache import freeze, measurement_bytes

if TYPE_CHECKING:
    from oversmooth.results.measurement import Measurement

Result = TypeVar("Result")


@dataclass(frozen=True)
class Kind(Generic[Result]):
    """What one queue holds: how it is counted, kept and refused."""

    limit: str
    """Name of the limit on what waits."""
    full: Callable[[int], str]
    """What is said where so many wait already."""
    in_flight: str
    """Name of the limit on what one owner has at a time."""
    greedy: Callable[[int], str]
    """What is said to who has so many already."""
    overdue: Callable[[float], str]
    """What is said of one that took longer than so many seconds."""
    lost: Callable[[str], str]
    """What is said where the process that had it ended like this."""
    cancel_seconds: float | None
    """How long a cancelled one may take to its next step before its worker is killed; None for the usual."""
    waiting: Gauge
    running: Gauge
    ended: Callable[[int, Result | OversmoothError], None]
    """Counts and logs one."""
    size: Callable[[Result], int]
    """Bytes that a result takes where it is kept."""
    freeze: Callable[[Result], None]
    """Makes a result safe to share."""
    heavy: Callable[[Any], bool]
    """Whether a request takes so long that it may not hold all slots."""


RUNS: Final[Kind[Measurement]] = Kind(
    limit="waiting",
    full=lambda number: (
        f"The queue is full, with {count(number, 'run')} waiting (the limit “waiting”). Try again in a moment."
    ),
    in_flight="in_flight",
    greedy=lambda number: (
        f"One page computes at most {count(number, 'run')} at a time here (the limit “in_flight”). "
        "Wait for the one that runs, or stop it."
    ),
    overdue=lambda seconds: (
        f"The run was stopped because it took longer than the {seconds:g} seconds allowed here (the limit “deadline”). "
        "Use fewer or shorter texts or a smaller model."
    ),
    lost=lambda fate: (
        f"The process that computed this run {fate}. A new one takes its place: run it again, "
        "with a shorter text or a smaller model if the same happens."
    ),
    cancel_seconds=None,
    waiting=counters.QUEUE,
    running=counters.RUNNING,
    ended=counters.run_ended,
    size=measurement_bytes,
    freeze=freeze,
    heavy=lambda _: False,
)

EXPORTS: Final[Kind[bytes]] = Kind(
    limit="exports_waiting",
    full=lambda number: (
        f"Too many files are asked for: {count(number, 'file')} wait to be written (the limit “exports_waiting”). "
        "Try again in a moment."
    ),
    in_flight="exports_in_flight",
    greedy=lambda _: "This page has a file written already. Wait until it is there, then ask for the next one.",
    overdue=lambda seconds: (
        f"The file was given up because writing it took longer than the {seconds:g} seconds allowed here (the limit "
        "“export_deadline”). Choose fewer formats."
    ),
    lost=lambda fate: (
        f"The process that wrote this file {fate}. A new one takes its place: ask for it again, in fewer formats if "
        "the same happens."
    ),
    cancel_seconds=1.0,
    waiting=counters.EXPORTS_QUEUE,
    running=counters.EXPORTS_RUNNING,
    ended=counters.export_ended,
    size=sys.getsizeof,
    freeze=lambda _: None,
    heavy=lambda request: request.heavy,
)
