"""What holds while the server runs: an end in good order, within seconds, and the counters on a port of their own."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

from prometheus_client import start_http_server

from oversmooth.core.errors import ConfigurationError
from oversmooth.service.engine.counters import REGISTRY
from oversmooth.service.engine.engine import close_shared_engine
from oversmooth.service.hosting import Configuration

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


@contextmanager
def serving_counters(configuration: Configuration) -> Iterator[None]:
    """Serve the counters for Prometheus meanwhile, where the configuration names a port that visitors do not reach.

    Raises:
        ConfigurationError: the address or port cannot be had.
    """
    if configuration.metrics_port is None:
        yield
        return
    address, port = configuration.metrics_address, configuration.metrics_port
    try:
        server, thread = start_http_server(port, address, REGISTRY)
    except OSError as error:
        raise ConfigurationError(
            f"The counters cannot be served on port {port} of “{address}” ({error.strerror or error}): set "
            "OVERSMOOTH_METRICS_PORT and OVERSMOOTH_METRICS_ADDRESS to what is free."
        ) from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _end(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001  as signal calls it
    # uvicorn, which takes the signals while it serves, hands them on here when it has closed everything.
    raise SystemExit(0)
