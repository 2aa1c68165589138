"""What is counted for the operator: numbers alone, never a text, a name or an address of a visitor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge

from oversmooth.errors import OversmoothError

if TYPE_CHECKING:
    from oversmooth.measurement import Measurement

REGISTRY = CollectorRegistry()
"""Of this process."""

RUNS = Counter("oversmooth_runs", "Runs that ended, by how.", ["outcome"], registry=REGISTRY)
REFUSALS = Counter("oversmooth_refusals", "Requests refused, by the limit that they met.", ["limit"], registry=REGISTRY)
SECONDS = Counter("oversmooth_seconds", "Seconds that finished runs took, by phase.", ["phase"], registry=REGISTRY)
QUEUE = Gauge("oversmooth_queue_length", "Runs that wait for a worker.", registry=REGISTRY)
RUNNING = Gauge("oversmooth_running", "Runs that are computed now.", registry=REGISTRY)


def count_run(outcome: Measurement | OversmoothError) -> None:
    """Count a run that has ended: under ``done``, or under the kind of its error."""
    if isinstance(outcome, OversmoothError):
        RUNS.labels(type(outcome).__name__.removesuffix("Error").casefold()).inc()
        return
    RUNS.labels("done").inc()
    for phase, seconds in outcome.record.seconds.items():
        SECONDS.labels(phase).inc(seconds)
