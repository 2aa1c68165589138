"""Closes what Streamlit serves besides the page and this dashboard has no use for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import PlainTextResponse

from oversmooth.service.server.health import PATHS

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

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
