"""The counters for Prometheus, on a port of their own that visitors do not reach."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server

from oversmooth.core.errors import ConfigurationError
from oversmooth.service.engine.counters import REGISTRY
from oversmooth.service.hosting import Configuration


@contextmanager
def serving(configuration: Configuration) -> Iterator[None]:
    """Serve the counters meanwhile, where the configuration names a port for them.

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
