"""What is counted and logged for the operator: numbers, never a text, a name or an address of a visitor."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from oversmooth.core.errors import OversmoothError

if TYPE_CHECKING:
    from oversmooth.results.measurement import Measurement

_LOG: Final = logging.getLogger(__name__)

REGISTRY = CollectorRegistry()
"""Of this process."""

RUNS = Counter("oversmooth_runs", "Runs that ended, by how.", ["outcome"], registry=REGISTRY)
REFUSALS = Counter("oversmooth_refusals", "Requests refused, by the limit that they met.", ["limit"], registry=REGISTRY)
SECONDS = Counter("oversmooth_seconds", "Seconds that finished runs took, by phase.", ["phase"], registry=REGISTRY)
QUEUE = Gauge("oversmooth_queue_length", "Runs that wait for a worker.", registry=REGISTRY)
RUNNING = Gauge("oversmooth_running", "Runs that are computed now.", registry=REGISTRY)
EXPORTS = Counter("oversmooth_exports", "Files that were asked for, by how that ended.", ["outcome"], registry=REGISTRY)
EXPORTS_QUEUE = Gauge("oversmooth_exports_queue_length", "Files that wait to be written.", registry=REGISTRY)
EXPORTS_RUNNING = Gauge("oversmooth_exports_running", "Files that are written now.", registry=REGISTRY)


def run_ended(number: int, outcome: Measurement | OversmoothError) -> None:
    """Count and log a run: under ``done``, or under the kind of its error."""
    fields: dict[str, object] = {"run": number, "outcome": _kind(outcome)}
    if not isinstance(outcome, OversmoothError):
        fields |= {"texts": len(outcome.tokens), "seconds": dict(outcome.record.seconds)}
        for phase, seconds in outcome.record.seconds.items():
            SECONDS.labels(phase).inc(seconds)
    RUNS.labels(_kind(outcome)).inc()
    _LOG.info("run ended", extra=fields)


def export_ended(number: int, outcome: bytes | OversmoothError) -> None:
    """Count and log a file that was asked for: under ``done``, or under the kind of its error."""
    size = 0 if isinstance(outcome, OversmoothError) else len(outcome)
    EXPORTS.labels(_kind(outcome)).inc()
    _LOG.info("export ended", extra={"export": number, "outcome": _kind(outcome), "bytes": size})


def refused(limit: str) -> None:
    """Count and log a request that met a limit."""
    REFUSALS.labels(limit).inc()
    _LOG.info("request refused", extra={"limit": limit})


def _kind(outcome: object) -> str:
    return type(outcome).__name__.removesuffix("Error").casefold() if isinstance(outcome, OversmoothError) else "done"
