"""What the server answers besides the dashboard: its root, its health, and 404 for what Streamlit serves unasked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.routing import Route

from oversmooth.service.engine.engine import shared_engine

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

ALIVE: Final = "/healthz"
READY: Final = "/readyz"
PATHS: Final = (ALIVE, READY)
_UNKEPT: Final = {"Cache-Control": "no-store"}
CLOSED: Final = (
    "_stcore/agent",
    "_stcore/bidi-components",
    "_stcore/metrics",
    "_stcore/script-health-check",
    "app/static",
    "auth",
    "component",
    "oauth2callback",
)
"""Paths below that of the dashboard: programs that drive it, figures of memory, sign-in, components of others."""


def routes(base_path: str) -> list[Route]:
    """Those of its health, and from the root to the dashboard, which a proxy may serve under a path of its own.

    Args:
        base_path: path of the dashboard, without slashes around it; empty where it stands at the root by itself.
    """

    async def lead(request: Request) -> RedirectResponse:
        # Without a host: a proxy may be asked by another name than this server.
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/{base_path}/{query}")

    # Health stands at the root, whatever the path of the dashboard; that also without its last slash.
    entrances = ["/", f"/{base_path}"] if base_path else []
    answers = {ALIVE: _alive, READY: _ready, **dict.fromkeys(entrances, lead)}
    return [Route(path, answer, methods=["GET"]) for path, answer in answers.items()]


async def _alive(_: Request) -> PlainTextResponse:
    return PlainTextResponse("ok", headers=_UNKEPT)


async def _ready(_: Request) -> PlainTextResponse:
    """200 when a worker lives and has loaded the default model; else 503 and why not."""
    engine = shared_engine()
    if engine.ready:
        return PlainTextResponse("ready", headers=_UNKEPT)
    word = "loading the model" if engine.worker_pids else "no worker"
    return PlainTextResponse(word, 503, headers=_UNKEPT)


class ClosedPaths:
    """ASGI middleware: 404 for :data:`CLOSED` and everything below.

    Args:
        app: what is guarded.
        base_path: path of the dashboard, without slashes around it.
    """

    def __init__(self, app: ASGIApp, base_path: str = "") -> None:
        self._app = app
        if base_path:
            # Else the dashboard's first page would answer for a health that is asked for in the wrong place.
            misplaced = tuple(path.strip("/") for path in PATHS)
            self._closed = tuple(f"/{base_path}/{path}/" for path in (*CLOSED, *misplaced))
        else:
            self._closed = tuple(f"/{path}/" for path in CLOSED)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http" and f"{scope['path']}/".startswith(self._closed):
            await PlainTextResponse("Not Found", 404)(scope, receive, send)
            return
        await self._app(scope, receive, send)
