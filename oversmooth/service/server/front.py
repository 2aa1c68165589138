"""Tells the page where its server is, so that it does not look for it below its own name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

SCRIPT: Final = 'window.__streamlit = {BACKEND_BASE_URL: new URL("./", window.location.href).href}'
"""The page's files are found the same way: beside its own name, whatever path a proxy puts before it."""
_BEFORE: Final = b"</title>"
_WHOLE: Final = frozenset((b"accept-encoding", b"if-modified-since", b"if-none-match", b"range"))
"""Headers of a request that would bring less than the plain page."""
_OF_THE_FILE: Final = ("content-length", "etag", "last-modified", "accept-ranges")
_ANSWERS: Final[dict[str, Response]] = {
    "health": PlainTextResponse("ok"),
    # A page that was not told where its server is takes this for “not here”, and looks further up.
    "host-config": JSONResponse(None),
}
"""By what is asked for below a page."""


class Front:
    """ASGI middleware that puts :data:`SCRIPT` into the page, and answers who looks for the server below a page.

    Args:
        app: what is guarded.
        base_path: path of the dashboard, without slashes around it.
    """

    def __init__(self, app: ASGIApp, base_path: str = "") -> None:
        self._app = app
        self._prefix = f"/{base_path}".rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
        elif (answer := self._below_a_page(scope["path"])) is not None:
            await answer(scope, receive, send)
        elif "." not in scope["path"]:
            # No file: a page, whatever its name.
            whole = [each for each in scope["headers"] if each[0].lower() not in _WHOLE]
            await self._app({**scope, "headers": whole}, receive, _Told(send))
        else:
            await self._app(scope, receive, send)

    def _below_a_page(self, path: str) -> Response | None:
        page, _, asked = path.removeprefix(self._prefix).partition("/_stcore/")
        if not (path.startswith(self._prefix) and page.strip("/")):
            return None
        return _ANSWERS.get(asked)


class _Told:
    """Sends an answer on; of a page with the script."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_page(message):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_page(self._start)

    async def _send_page(self, start: Message) -> None:
        body = self._body.replace(_BEFORE, _BEFORE + f"<script>{SCRIPT}</script>".encode(), 1)
        headers = MutableHeaders(raw=list(start["headers"]))
        for name in _OF_THE_FILE:
            del headers[name]
        headers["content-length"] = str(len(body))
        await self._send({**start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": body})


def _is_page(start: Message) -> bool:
    kind = Headers(raw=start["headers"]).get("content-type", "")
    return start["status"] == 200 and kind.startswith("text/html")
