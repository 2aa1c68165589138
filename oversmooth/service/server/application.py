"""Puts the server together: Streamlit's application, what guards it, and the engine that lives as long as it does."""

from __future__ import annotations

import logging
import pkgutil
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import streamlit as st
import uvicorn
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from streamlit import cli_util, config
from streamlit.runtime import app_session
from streamlit.runtime.pages_manager import PagesManager
from streamlit.web import bootstrap

from oversmooth.service.engine.engine import close_shared_engine, shared_engine
from oversmooth.service.hosting import Configuration, plugins
from oversmooth.service.server.connections import Connections
from oversmooth.service.server.downloads import Downloads, Written
from oversmooth.service.server.front import Front
from oversmooth.service.server.headers import SecurityHeaders, failure
from oversmooth.service.server.hosts import OwnHosts, OwnOrigin, is_loopback
from oversmooth.service.server.lifetime import CONNECTIONS_SECONDS
from oversmooth.service.server.options import options
from oversmooth.service.server.page_files import LEVEL, SMALLEST, PageFiles
from oversmooth.service.server.routes import ClosedPaths, routes
from oversmooth.service.server.sent import BinaryFrames, KeptUploads, keep_in_memory, require_kinds

_LOG: Final = logging.getLogger(__name__)
_TELLS: Final = "oversmooth.dashboard.faults:tell"
"""Says on a page that something went wrong."""
_PING_SECONDS: Final = 30
_TURN_SECONDS: Final = 0.0005
"""How long a thread may keep the others from running: that which sends waits for such a turn with every message."""


def serve(script: Path, configuration: Configuration, listener: socket.socket, address: str) -> None:
    """Serve the dashboard on a socket that listens already, until a signal ends it.

    Args:
        script: ``app.py``, beside which stands ``.streamlit/config.toml``.
        configuration: what is allowed.
        listener: the socket.
        address: under which a browser on this machine reaches it.
    """
    host, port = listener.getsockname()[:2]
    sys.setswitchinterval(_TURN_SECONDS)
    # Streamlit looks for its file of options beside the script of the application made first.
    app = application(script, configuration, address, loopback=is_loopback(host))
    bootstrap.load_config_options(options(configuration, host, port))
    # Until app.py has run once, Streamlit takes the folder “pages” for its older kind of pages: the first visitor of a
    # linked page would get it without app.py around it.
    PagesManager.uses_pages_directory = False
    keep_in_memory()
    require_kinds()
    app_session.DeferredFileHandler = Downloads  # type: ignore[attr-defined]
    try:
        _server(app, configuration).run(sockets=[listener])
    except Exception:
        _LOG.exception("server failed")
        raise


def application(script: Path, configuration: Configuration, address: str, *, loopback: bool) -> st.App:
    """The ASGI application: Streamlit's, with everything of ours around it.

    Args:
        script: ``app.py``.
        configuration: what is allowed.
        address: under which a browser on this machine reaches it.
        loopback: whether this machine alone does.
    """

    @asynccontextmanager
    async def lifespan(_: st.App) -> AsyncIterator[None]:
        shared_engine()
        _LOG.info("server started", extra={"address": address, "profile": configuration.profile})
        for note in plugins.notes():
            _LOG.warning("plug-in left out", extra={"reason": note})
        if not configuration.hosted and not config.get_option("server.headless"):
            cli_util.open_browser(address)
        yield
        close_shared_engine()
        _LOG.info("server stopped")

    limit, base_path = configuration.limits.connections, configuration.base_path
    return st.App(
        script,
        lifespan=lifespan,
        routes=routes(base_path),
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(OwnHosts, hosts=configuration.hosts, loopback=loopback),
            Middleware(OwnOrigin),
            Middleware(PageFiles, base_path=base_path),
            # Whatever else is text: the page itself, and files that were written.
            Middleware(GZipMiddleware, minimum_size=SMALLEST, compresslevel=LEVEL),
            Middleware(BinaryFrames),
            # Before what looks at pages: a chart that was written may be one.
            Middleware(Written, base_path=base_path),
            Middleware(Front, base_path=base_path),
            Middleware(ClosedPaths, base_path=base_path),
            Middleware(Connections, limit=limit, base_path=base_path),
            Middleware(KeptUploads, base_path=base_path),
        ],
        on_script_error=_tell,
        exception_handlers={Exception: failure},
    )


def _tell(error: Exception) -> bool:
    # Named, as the script is: the pages stand above the server, and are loaded with the first of them.
    tell: Callable[[Exception], bool] = pkgutil.resolve_name(_TELLS)
    return tell(error)


def _server(app: st.App, configuration: Configuration) -> uvicorn.Server:
    # Logged as an error for each connection that is refused by an answer, though that answer has been sent.
    logging.getLogger("uvicorn.error").addFilter(lambda record: "without completing handshake" not in str(record.msg))
    return uvicorn.Server(
        uvicorn.Config(
            app,
            access_log=False,
            forwarded_allow_ips=list(configuration.proxies),
            lifespan="on",  # else a fault at the start would leave a server without an engine's end
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=CONNECTIONS_SECONDS,
            ws="websockets-sansio",
            ws_max_size=config.get_option("server.maxWidgetStateSize") * 2**20,
            ws_per_message_deflate=True,
            ws_ping_interval=_PING_SECONDS,
            ws_ping_timeout=_PING_SECONDS,
        )
    )
