"""Refuses requests under a foreign name, and connections that a page of another site opens."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse

from oversmooth.service.server.routes import PATHS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

_REQUESTS: Final = ("http", "websocket")
_LOCALHOST: Final = "localhost"


class OwnHosts:
    """ASGI middleware: 400 for a ``Host`` that is not the server's. Probes of its health name it by address.

    Where this machine alone reaches the server, its names are those of loopback and ``hosts``: a page of the internet
    whose name is made to lead here would be taken for the server's own.

    Args:
        app: what is guarded.
        hosts: the server's names, ``*.example.org`` for all below one; without any, every name, but on loopback.
        loopback: whether the server listens on loopback.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str] = (), *, loopback: bool = False) -> None:
        self._app = app
        self._loopback = loopback
        allowed = [*hosts, *([_LOCALHOST] if loopback else ())]
        self._guarded = TrustedHostMiddleware(app, allowed_hosts=allowed or None, www_redirect=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        free = scope["type"] == "http" and scope["path"] in PATHS
        free = free or (self._loopback and scope["type"] in _REQUESTS and _names_loopback(scope))
        await (self._app if free else self._guarded)(scope, receive, send)


def is_loopback(host: str) -> bool:
    """Whether a name or address without a port, as ``localhost``, ``127.8.8.8`` or ``::1``, leads to this machine."""
    try:
        return host.lower() == _LOCALHOST or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _names_loopback(scope: Scope) -> bool:
    host = Headers(scope=scope).get("host", "")
    bare = host.removeprefix("[").partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return is_loopback(bare)


class OwnOrigin:
    """ASGI middleware: 403 for requests of another site's pages.

    Streamlit, which checks again, would ask a service on the internet for this machine's address to compare an origin
    that it does not know; so those that pass here pass without one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] in _REQUESTS:
            headers = Headers(scope=scope)
            origin = headers.get("origin")
            if origin is not None and _authority(origin) != headers.get("host", "").lower():
                await PlainTextResponse("Requests of other sites are refused.", 403)(scope, receive, send)
                return
            scope = {**scope, "headers": [each for each in scope["headers"] if each[0].lower() != b"origin"]}
        await self._app(scope, receive, send)


def _authority(origin: str) -> str | None:
    """Name and port of an origin; None of one that has none, as ``null``."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None
