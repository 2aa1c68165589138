"""Start the dashboard's server, from a checkout or from an installed wheel."""

from __future__ import annotations

import errno
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from oversmooth.core.errors import OversmoothError
from oversmooth.service.hosting import current, logs, plugins

if TYPE_CHECKING:
    from oversmooth.service.hosting import Configuration

LOOPBACK = "127.0.0.1"
EVERY_NETWORK = "0.0.0.0"  # noqa: S104  for a server that strangers use, behind a proxy
FIRST_PORT = 8501
PORTS_TRIED = 100


def script() -> Path:
    """The script that Streamlit runs; ``.streamlit/config.toml`` stands beside it, where Streamlit looks for it.

    Raises:
        OversmoothError: where the installation lacks the dashboard.
    """
    package = Path(__file__).parents[1]
    for path in (package / "_app" / "app.py", package.parent / "app.py"):
        if path.is_file():
            return path
    raise OversmoothError("This installation of Oversmooth lacks its dashboard (app.py). Install it again.")


def start(host: str | None = None, port: int | None = None) -> None:
    """Serve the dashboard until it is stopped.

    Args:
        host: the address to listen on; without it, that of the configuration, or this machine alone when local.
        port: the port to listen on; without it, that of the configuration, or the first free one from 8501 on when
            local.

    Raises:
        OversmoothError: where the configuration is wrong, or the address or a port cannot be had.
    """
    app = script()
    configuration = current()
    plugins.permit()
    host = host or configuration.address or (EVERY_NETWORK if configuration.hosted else LOOPBACK)
    listener = _listener(host, _ports(configuration, port))
    address = _address(host, listener.getsockname()[1], configuration.base_path)
    from oversmooth.service.engine.engine import shared_engine
    from oversmooth.service.server.lifetime import orderly, serving_counters

    with orderly(), listener, serving_counters(configuration):
        shared_engine()
        if logs.form(configuration) == "text":
            typer.echo(f"Oversmooth: {address} (stop with Ctrl-C)")
        # Whatever the operator may have set up wrongly is told by now.
        logs.configure(configuration)
        from oversmooth.service.server.application import serve

        serve(app, configuration, listener, address)


def _address(host: str, port: int, base_path: str) -> str:
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{port}/{base_path}".rstrip("/")


def _ports(configuration: Configuration, wanted: int | None) -> range:
    """Those to try, in order."""
    exact = wanted or configuration.port or (FIRST_PORT if configuration.hosted else None)
    return range(FIRST_PORT, FIRST_PORT + PORTS_TRIED) if exact is None else range(exact, exact + 1)


def _listener(host: str, ports: range) -> socket.socket:
    for port in ports:
        listener = _listening(host, port)
        if listener is not None:
            return listener
    if len(ports) == 1:
        raise OversmoothError(f"Port {ports[0]} is taken or not allowed. Choose another with --port.")
    raise OversmoothError(f"The ports {ports[0]} to {ports[-1]} are all taken. Choose another with --port.")


def _listening(host: str, port: int) -> socket.socket | None:
    """A socket that listens there; None where the port is taken or not allowed."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        both = family is socket.AF_INET6 and socket.has_dualstack_ipv6()
        return socket.create_server((host, port), family=family, dualstack_ipv6=both)
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            return None
        raise OversmoothError(
            f"Cannot listen on “{host}”: it is not an address of this machine. The usual ones are {LOOPBACK} (this "
            f"machine alone) and {EVERY_NETWORK} (every network it is on)."
        ) from error
