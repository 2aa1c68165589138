"""Gives out the files of the page: each packed once and kept in memory, and by a browser for good.

Streamlit sends them as they lie on the disk, seven megabytes at a first visit. Their names change with their content.
"""

from __future__ import annotations

import asyncio
import gzip
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers
from starlette.responses import Response
from streamlit import file_util

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

CACHE_CONTROL: Final = "public, max-age=31536000, immutable"
_FOLDER: Final = "static"
"""Below the page; of the files' own folder inside of Streamlit's too."""
_PACKED: Final = (".css", ".js", ".svg")
"""Endings of what gets smaller; fonts and pictures are packed already."""
SMALLEST: Final = 256
"""Bytes; less is not worth it."""
_KINDS: Final = {
    ".css": "text/css",
    ".gif": "image/gif",
    ".js": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
"""Media types by ending, whatever the machine's own list says."""
LEVEL: Final = 6
"""Of gzip's nine; the last three take twice the time for half a per cent."""


class PageFiles:
    """ASGI middleware that answers for every file in Streamlit's folder of scripts, styles, fonts and pictures.

    Args:
        app: what is asked for everything else, and where a part of a file is wanted, or one that is not packed.
        base_path: path of the dashboard, without slashes around it.
    """

    def __init__(self, app: ASGIApp, base_path: str = "") -> None:
        self._app = app
        root = Path(file_util.get_static_dir())
        place = f"/{base_path}".rstrip("/")
        # What is asked for is looked up, never made a path of.
        self._files = {
            f"{place}/{path.relative_to(root).as_posix()}": path
            for path in (root / _FOLDER).rglob("*")
            if path.suffix in _KINDS
        }
        self._answers: dict[str, Response] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on."""
        if scope["type"] == "http" and scope["method"] == "GET" and scope["path"] in self._files:
            headers = Headers(scope=scope)
            if "range" not in headers and "gzip" in headers.get("accept-encoding", ""):
                await (await self._answer(scope["path"]))(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _answer(self, name: str) -> Response:
        if name not in self._answers:
            # Not in between: the charts' library alone takes a tenth of a second.
            self._answers[name] = await asyncio.to_thread(_made, self._files[name])
        return self._answers[name]


def _made(path: Path) -> Response:
    content = path.read_bytes()
    headers = {"cache-control": CACHE_CONTROL, "vary": "accept-encoding"}
    if path.suffix in _PACKED and len(content) >= SMALLEST:
        content = gzip.compress(content, LEVEL)
        headers["content-encoding"] = "gzip"
    return Response(content, media_type=_KINDS[path.suffix], headers=headers)
