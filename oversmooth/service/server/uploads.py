"""Bounds how many files a page has in memory: Streamlit keeps every one that is sent until the page is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.formparsers import MultiPartParser
from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

MOST: Final = 8
"""Files of a page; no page of the dashboard asks for more than one or two."""


def keep_in_memory() -> None:
    """Have files that are sent stay in memory, whose size Streamlit bounds: beyond a megabyte they went to the disk."""
    # Nothing is too large for what it is given: only then does a file never roll over to the disk.
    MultiPartParser.spool_max_size = 0


class KeptUploads:
    """ASGI middleware that has the oldest file of a page forgotten when one beyond :data:`MOST` comes.

    Args:
        app: what is guarded.
        base_path: path of the dashboard, without slashes around it.
    """

    def __init__(self, app: ASGIApp, base_path: str = "") -> None:
        self._app = app
        self._prefix = f"/{base_path}/_stcore/upload_file/".replace("//", "/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] == "http" and scope["method"] == "PUT" and scope["path"].startswith(self._prefix):
            session = scope["path"].removeprefix(self._prefix).partition("/")[0]
            manager = runtime.get_instance().uploaded_file_mgr
            if isinstance(manager, MemoryUploadedFileManager):
                for name in list(manager.file_storage.get(session, ()))[: -(MOST - 1)]:
                    manager.remove_file(session, name)
        await self._app(scope, receive, send)
