"""Closes the connection of a page that sends text, which Streamlit's page never does and its server fails on."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_UNSUPPORTED: Final = 1003
"""“Unsupported data”, of RFC 6455."""
_LOG: Final = logging.getLogger(__name__)


class BinaryFrames:
    """ASGI middleware: the first text frame of a websocket is its end, as if its page had closed it.

    Args:
        app: what is guarded.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""

        async def binary() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive" and message.get("bytes") is None:
                _LOG.info("text frame refused")
                await send({"type": "websocket.close", "code": _UNSUPPORTED})
                return {"type": "websocket.disconnect", "code": _UNSUPPORTED}
            return message

        await self._app(scope, binary if scope["type"] == "websocket" else receive, send)
