"""Bounds how many pages one network address keeps open."""

from __future__ import annotations

import html
from collections import Counter
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, PlainTextResponse

from oversmooth.core.wording import count
from oversmooth.service.engine import counters
from oversmooth.service.engine.rounds import network

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_AGAIN_SECONDS: Final = 5
_NO_PAGES: Final = ("/_stcore/", "/media/", "/healthz", "/readyz")


class Connections:
    """ASGI middleware: 429, before the handshake, for a websocket beyond the limit of its address.

    The page itself is refused too, with the reason to read: without its connection it would stay empty. It asks again
    by itself, since who loads a page anew has left the old one only when the refusal comes.

    The address is the visitor's where uvicorn has taken a proxy's word for it, else that of the connection.

    Args:
        app: what is guarded.
        limit: open websockets of one address; None for any number.
        base_path: path of the dashboard, without slashes around it.
    """

    def __init__(self, app: ASGIApp, limit: int | None = None, base_path: str = "") -> None:
        self._app = app
        self._limit = limit
        self._base = f"/{base_path}" if base_path else ""
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if self._limit is None or scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        address = network(scope["client"][0] if scope.get("client") else "")
        if self._open[address] >= self._limit and (scope["type"] == "websocket" or self._is_page(scope)):
            await self._refuse(self._limit, scope, receive, send)
        elif scope["type"] == "websocket":
            await self._keep(address, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _keep(self, address: str, scope: Scope, receive: Receive, send: Send) -> None:
        self._open[address] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]

    async def _refuse(self, limit: int, scope: Scope, receive: Receive, send: Send) -> None:
        counters.refused("connections")
        told = (
            f"This server keeps at most {count(limit, 'page')} open for one network address (its limit “connections”). "
            "Close one of them; this one then opens by itself."
        )
        answer = PlainTextResponse(told, 429) if scope["type"] == "websocket" else HTMLResponse(_page(told), 429)
        answer.headers["Cache-Control"] = "no-store"
        await answer(scope, receive, send)

    def _is_page(self, scope: Scope) -> bool:
        """Whether a person asks for a page, and not a page for its parts."""
        path = scope["path"].removeprefix(self._base)
        return "text/html" in Headers(scope=scope).get("accept", "") and not path.startswith(_NO_PAGES)


def _page(told: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Oversmooth</title>'
        f'<meta name="color-scheme" content="light dark"><meta http-equiv="refresh" content="{_AGAIN_SECONDS}">'
        f'</head><body style="font: 1.1rem/1.5 sans-serif; max-width: 36rem; margin: 15vh auto; padding: 0 1rem">'
        f"<p>{html.escape(told)}</p></body></html>"
    )
