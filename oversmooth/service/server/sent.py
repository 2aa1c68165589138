"""What a page sends, held against what Streamlit's own page would: frames, values of controls, files.

Text on its connection ends it, since Streamlit's page never sends any and its server fails on it. What is sent as the
value of a control and cannot be one is left aside. Of files, which Streamlit keeps until the page is left, there are so
many at the most.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from starlette.formparsers import MultiPartParser
from streamlit import runtime
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.state.session_state import Serialized, WStates

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST: Final = 8
"""Files of a page; no page of the dashboard asks for more than one or two."""
_UNSUPPORTED: Final = 1003
"""“Unsupported data”, of RFC 6455."""
_NUMBERS: Final = ({"int_value", "double_value"}, {"int_array_value", "double_array_value"})
"""Kinds of which a page sends the one that its number has, and Streamlit names the other."""
_LOG: Final = logging.getLogger(__name__)
_read: Final = WStates.__getitem__


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


def require_kinds() -> None:
    """Have a control keep its value where what a page sends for it is of another kind, which no page of ours does.

    Streamlit takes it as it is: a list would be the text of a box, and the script would fail on it.
    """
    WStates.__getitem__ = _value  # type: ignore[method-assign]


def _value(states: WStates, key: str) -> Any:  # noqa: ANN401  as Streamlit's own
    sent, control = states.states.get(key), states.widget_metadata.get(key)
    if not isinstance(sent, Serialized) or control is None:
        return _read(states, key)
    if not _is_of_kind(sent.value, control.value_type):
        _LOG.info("value of a control refused")
        raise KeyError(key)  # as if nothing had been sent
    try:
        return _read(states, key)
    except Exception as error:
        _LOG.info("value of a control refused", extra={"reason": type(error).__name__})
        raise KeyError(key) from error


def _is_of_kind(sent: WidgetState, kind: str) -> bool:
    given = sent.WhichOneof("value")
    return given in (None, kind) or any({given, kind} <= alike for alike in _NUMBERS)


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
