"""Start the dashboard's server, from a checkout or from an installed wheel."""

from __future__ import annotations

import errno
import runpy
import socket
import sys
from pathlib import Path

import typer

from oversmooth.errors import OversmoothError

HOST = "127.0.0.1"
FIRST_PORT = 8501
PORTS_TRIED = 100


def script() -> Path:
    """The script that Streamlit runs; ``.streamlit/config.toml`` stands beside it, where Streamlit looks for it.

    Raises:
        OversmoothError: where the installation lacks the dashboard.
    """
    package = Path(__file__).parent
    for path in (package / "_app" / "app.py", package.parent / "app.py"):
        if path.is_file():
            return path
    raise OversmoothError("This installation of Oversmooth lacks its dashboard (app.py). Install it again.")


def start(host: str = HOST, port: int | None = None) -> None:
    """Serve the dashboard until it is stopped.

    Args:
        host: the address to listen on; the default is reached from this machine alone.
        port: the port to listen on; without it, the first free one from 8501 on.

    Raises:
        OversmoothError: where the address or the port cannot be had.
    """
    app = script()
    port = _free_port(host, port)
    typer.echo(f"Oversmooth: {_address(host, port)} (stop with Ctrl-C)")
    options = {
        "server.address": host,
        "server.port": port,
        "server.showEmailPrompt": "false",
        # A module that Streamlit reloads under a running engine is no longer the one that its workers answer to.
        "server.fileWatcherType": "none",
        "logger.hideWelcomeMessage": "true",
        "logger.level": "warning",
    }
    _pages_come_from_navigation()
    # Streamlit decides by itself whether there is a desktop on which to open a browser.
    sys.argv = ["streamlit", "run", str(app), *(f"--{name}={value}" for name, value in options.items())]
    runpy.run_module("streamlit", run_name="__main__", alter_sys=True)


def _pages_come_from_navigation() -> None:
    """Say so before the first visit, which would otherwise run a linked page by itself, without ``app.py`` around it.

    Streamlit takes a folder ``pages`` for its older kind of pages until ``app.py`` has run once.
    """
    from streamlit.runtime.pages_manager import PagesManager

    PagesManager.uses_pages_directory = False


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _free_port(host: str, wanted: int | None) -> int:
    ports = [wanted] if wanted is not None else range(FIRST_PORT, FIRST_PORT + PORTS_TRIED)
    for port in ports:
        if _is_free(host, port):
            return port
    if wanted is not None:
        raise OversmoothError(f"Port {wanted} is taken or not allowed. Choose another, or leave --port out.")
    raise OversmoothError(f"The ports {ports[0]} to {ports[-1]} are all taken. Choose another with --port.")


def _is_free(host: str, port: int) -> bool:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            return False
        raise OversmoothError(
            f"Cannot listen on “{host}”: it is not an address of this machine. The usual ones are {HOST} (this machine "
            "alone) and 0.0.0.0 (every network it is on)."
        ) from error
    return True
