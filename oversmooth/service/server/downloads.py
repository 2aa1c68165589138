"""Files for download: asked of the engine without a thread, given up with the page, kept a moment for the browser."""

from __future__ import annotations

import asyncio
import logging
import uuid
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from starlette.responses import PlainTextResponse, Response
from streamlit import runtime
from streamlit.proto.ForwardMsg_pb2 import BackendOperationResponse, DeferredFileResponsePayload
from streamlit.runtime.backend_operation_handler import DeferredFileHandler
from streamlit.runtime.media_file_storage import MediaFileStorageError

from oversmooth.core.errors import CancelledError, OutputError, OversmoothError
from oversmooth.service.server.offered_file import NamedError, Wanted, named

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send
    from streamlit.proto.BackMsg_pb2 import BackendOperationRequest

    from oversmooth.service.engine import Handle

KEPT_SECONDS: Final = 60.0
"""How long a file waits for the browser that asked for it."""
LOOK_SECONDS: Final = 0.25
"""How often it is looked whether the page is still there."""
PREFIX: Final = "/media/export-"
"""Of the addresses; Streamlit's page takes none that does not begin with its own “/media”."""
_GONE: Final = "This file is offered no more: the page has changed since. Press the button again."
_FAULT: Final = "The file could not be written, by a fault of this program. The log of the server has the details."
_LOG: Final = logging.getLogger(__name__)


class WrittenFiles:
    """Files that were written, by the random part of their address; one of each page."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[str, Wanted, bytes]] = {}

    def put(self, session: str, wanted: Wanted, content: bytes) -> str:
        """Keep a file for a moment, in place of the one that the page had before; its address."""
        for name in [name for name, (whose, _, _) in self._files.items() if whose == session]:
            del self._files[name]
        name = uuid.uuid4().hex
        self._files[name] = session, wanted, content
        asyncio.get_running_loop().call_later(KEPT_SECONDS, self._files.pop, name, None)
        return PREFIX + name

    def answer(self, name: str) -> Response:
        """The file as an attachment, or 404."""
        if name not in self._files:
            return PlainTextResponse("Not Found", 404)
        _, wanted, content = self._files[name]
        disposition = f"attachment; filename*=utf-8''{quote(wanted.file_name)}"
        headers = {"Content-Disposition": disposition, "Cache-Control": "no-store"}
        return Response(content, media_type=wanted.media_type, headers=headers)


FILES: Final = WrittenFiles()


class Downloads(DeferredFileHandler):
    """Answers Streamlit's pages that ask for a file which is made only now, in the place of Streamlit's own handler.

    That one would take a thread for each, of which there are few, and log what a visitor is refused as an error.
    """

    async def handle(self, request: BackendOperationRequest, session_id: str) -> BackendOperationResponse:
        """The address of the file, or the sentence that says why there is none."""
        answer = BackendOperationResponse(request_id=request.request_id)
        try:
            address = await self._address(request.deferred_file.file_id, session_id)
            answer.deferred_file.CopyFrom(DeferredFileResponsePayload(url=address))
        except OversmoothError as error:
            answer.error_msg = str(error)
        except Exception:
            _LOG.exception("export failed")
            answer.error_msg = _FAULT
        return answer

    async def _address(self, file_id: str, session: str) -> str:
        wanted = self._wanted(file_id)
        if wanted is None or wanted.owner is None or wanted.owner.session != session:
            raise OutputError(_GONE)
        return FILES.put(session, wanted, await _content(wanted.submit(), session))

    def _wanted(self, file_id: str) -> Wanted | None:
        try:
            with named():
                self._get_media_file_mgr().execute_deferred(file_id)
        except MediaFileStorageError as error:
            if isinstance(error.__cause__, NamedError):
                return error.__cause__.wanted
        return None


async def _content(handle: Handle[bytes], session: str) -> bytes:
    """The file, unless its page goes before it is there."""
    future = asyncio.wrap_future(handle.future)
    # Looked at even where nobody waits any more: asyncio would log what nobody has looked at as an error.
    future.add_done_callback(lambda done: done.cancelled() or done.exception())
    try:
        while not (await asyncio.wait({future}, timeout=LOOK_SECONDS))[0]:
            if not runtime.get_instance().is_active_session(session):
                raise CancelledError("The page that asked for this file has gone.")
        return handle.result()
    finally:
        handle.cancel()


class Written:
    """ASGI middleware that gives out :data:`FILES`.

    Args:
        app: what is asked for everything else.
        base_path: path of the dashboard, without slashes around it.
    """

    def __init__(self, app: ASGIApp, base_path: str = "") -> None:
        self._app = app
        self._prefix = f"/{base_path}{PREFIX}" if base_path else PREFIX

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on."""
        if scope["type"] == "http" and scope["path"].startswith(self._prefix):
            await FILES.answer(scope["path"].removeprefix(self._prefix))(scope, receive, send)
            return
        await self._app(scope, receive, send)
