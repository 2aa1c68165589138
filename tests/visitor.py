"""One visitor of a dashboard without a browser: speaks Streamlit's protocol on its websocket, as its page would."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from shown import Page
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

PATIENCE = 120.0
"""Seconds after which waiting for the server is given up."""


class Visitor(Page):
    """Somebody with a page open, and what stands on it. Made by :func:`visit`.

    Args:
        connection: to the server's stream.
        page: its name in the address; empty for the first one.
        query: that of the address, without the question mark.
        address: of the server.
    """

    def __init__(self, connection: ClientConnection, page: str, query: str, address: str = "") -> None:
        super().__init__()
        self._address = address
        self.session = ""
        """The id by which the server knows this visit."""
        self.query = query
        self.page = page
        self.page_found = True
        self.frames: list[bytes] = []
        """Every message received, unpacked."""
        self._connection = connection
        self._hash = ""
        self._states: dict[str, WidgetState] = {}
        self.answers: dict[str, Any] = {}
        """What was answered to each wish for a file."""
        self._wishes = 0
        self._running = self._begun = False
        self._news = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())

    @property
    def received(self) -> int:
        """Bytes of all messages as they came over the wire."""
        return self._connection.received if isinstance(self._connection, _Counting) else 0

    @property
    def done(self) -> bool:
        """Whether the script has run to its end since it was last asked to."""
        return self._begun and not self._running and self.outcome != "FINISHED_EARLY_FOR_RERUN"

    async def change(self, name: str, value: str | float | bool) -> None:
        """Set a control that holds one value and have the script run; see :meth:`finished`."""
        widget = self.widget(name)
        state = WidgetState(id=widget.id)
        field = {bool: "bool_value", int: "int_value", float: "double_value", str: "string_value"}[type(value)]
        setattr(state, field, value)
        await self.ask({widget.id: state})

    async def press(self, name: str) -> None:
        """Press a button and have the script run; see :meth:`finished`."""
        identifier = self.widget(name).id
        await self.ask({identifier: WidgetState(id=identifier, trigger_value=True)})
        del self._states[identifier]

    async def step(self, name: str, option: str) -> None:
        """Move a slider of options, and have the part of the page run that it stands in; see :meth:`finished`."""
        widget, part = self.placed(name)
        state = WidgetState(id=widget.id)
        state.string_array_value.data.append(option)
        await self.ask({widget.id: state}, part)

    async def ask(self, changed: Mapping[str, WidgetState] | None = None, part: str = "") -> None:
        """Have the script run, or a part of it that redraws by itself, with these controls changed."""
        if self._running and not self._begun:
            await self.until(lambda: self._begun)  # else the beginning of that run would be taken for this one's
        self._states.update(changed or {})
        client = ClientState(query_string=self.query, page_script_hash=self._hash, fragment_id=part)
        if not self._hash:
            client.page_name = self.page
        client.widget_states.widgets.extend(self._states.values())
        self._running, self._begun = True, False
        self.steps.clear()
        await self._send(BackMsg(rerun_script=client))

    async def upload(self, file: str, file_name: str, content: bytes) -> int:
        """Send a file under an id of one's choice, as the page does before a control holds it; the answer's status."""
        return await asyncio.to_thread(self._put, file, file_name, content)

    async def give(self, name: str, file: str, file_name: str) -> None:
        """Tell a control that it holds a file that was sent, and have the script run; see :meth:`finished`."""
        state = WidgetState(id=self.widget(name).id)
        told = state.file_uploader_state_value.uploaded_file_info.add()
        told.file_id = told.file_urls.file_id = file
        told.name = file_name
        await self.ask({state.id: state})

    def _put(self, file: str, file_name: str, content: bytes) -> int:
        with contextlib.closing(http.client.HTTPConnection(urlsplit(self._address).netloc, timeout=PATIENCE)) as server:
            server.request("GET", "/_stcore/health")
            health = server.getresponse()
            health.read()
            cookie = (health.getheader("Set-Cookie") or "").partition(";")[0]
            disposition = f'Content-Disposition: form-data; name="file"; filename="{file_name}"'
            body = f"--edge\r\n{disposition}\r\n\r\n".encode() + content + b"\r\n--edge--\r\n"
            headers = {"Content-Type": "multipart/form-data; boundary=edge"}
            if cookie:
                headers |= {"Cookie": cookie, "X-Xsrftoken": cookie.partition("=")[2]}
            server.request("PUT", f"/_stcore/upload_file/{self.session}/{file}", body=body, headers=headers)
            return server.getresponse().status

    async def stop(self) -> None:
        """Stop the script, as the page's own “Stop” at its top would."""
        await self._send(BackMsg(stop_script=True))

    async def download(self, name: str) -> str:
        """Press a download button whose file is made only now; the path of the file.

        Raises:
            RuntimeError: where the server says that it cannot.
        """
        wish = await self.wish(self.widget(name).deferred_file_id)
        await self.until(lambda: wish in self.answers)
        answer = self.answers[wish]
        if answer.error_msg:
            raise RuntimeError(answer.error_msg)
        path: str = answer.deferred_file.url
        return path

    async def wish(self, file: str) -> str:
        """Ask for a file by its id and do not wait; the name under which :attr:`answers` has the answer."""
        self._wishes += 1
        request = BackMsg()
        operation = request.backend_operation_request
        operation.request_id, operation.session_id = f"wish {self._wishes}", self.session
        operation.deferred_file.file_id = file
        await self._send(request)
        return operation.request_id

    async def finished(self, timeout: float = PATIENCE) -> None:
        """Wait until the script that was asked for has run to its end.

        Raises:
            TimeoutError: where it does not.
            ConnectionError: where the server closes the connection.
        """
        await self.until(lambda: self.done, timeout)

    async def until(self, condition: Callable[[], bool], timeout: float = PATIENCE) -> None:
        """Wait until a condition on this visitor holds; errors as of :meth:`finished`."""
        async with asyncio.timeout(timeout), self._news:
            await self._news.wait_for(lambda: condition() or self._reader.done())
        if not condition():
            raise ConnectionError("the server closed the connection") from self._reader.exception()

    async def leave(self) -> None:
        """Close the page without waiting for anything."""
        self._reader.cancel()
        await self._connection.close()

    async def _send(self, message: BackMsg) -> None:
        with contextlib.suppress(ConnectionClosed):  # told by whoever waits for the answer
            await self._connection.send(message.SerializeToString())

    async def _read(self) -> None:
        try:
            async for frame in self._connection:
                assert isinstance(frame, bytes)
                self._take(frame)
                async with self._news:
                    self._news.notify_all()
        finally:
            async with self._news:
                self._news.notify_all()

    def _take(self, frame: bytes) -> None:
        self.frames.append(frame)
        if b"Traceback (most recent call" in frame:
            self.traces.append(frame.decode(errors="replace"))
        message = ForwardMsg.FromString(frame)
        self.take(message)
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.session = message.new_session.initialize.session_id
            self._running = self._begun = True
        elif kind == "navigation":
            self._hash = message.navigation.page_script_hash
        elif kind == "script_finished":
            self._running = False
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "page_not_found":
            self.page_found = False
        elif kind == "backend_operation_response":
            self.answers[message.backend_operation_response.request_id] = message.backend_operation_response
        elif kind == "delta":
            self._forget(message)

    def _forget(self, message: ForwardMsg) -> None:
        """Let go of the value of a control that the page itself has set anew."""
        element = message.delta.new_element
        control = getattr(element, element.WhichOneof("type") or "empty")
        if getattr(control, "set_value", False):
            self._states.pop(control.id, None)


class _Counting(ClientConnection):
    received = 0

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        super().data_received(data)


@asynccontextmanager
async def visit(
    address: str, page: str = "", query: str = "", headers: Mapping[str, str] | None = None
) -> AsyncIterator[Visitor]:
    """Open a page as a browser does; its script has been asked to run, and the page is left at the end.

    Args:
        address: of the server, as ``http://127.0.0.1:8501``, with a base path where it has one.
        page: the page's name in the address; empty for the first one.
        query: that of the address, without the question mark.
        headers: of the request that opens the connection, besides ``Origin``.

    Raises:
        websockets.exceptions.InvalidStatus: where the server refuses the connection.
    """
    async with connect(
        f"ws{address.removeprefix('http')}/_stcore/stream",
        origin=Origin("/".join(address.split("/")[:3])),
        subprotocols=[Subprotocol("streamlit")],
        create_connection=_Counting,
        additional_headers=dict(headers or {}),
        max_size=None,
        open_timeout=PATIENCE,
        proxy=None,
    ) as connection:
        visitor = Visitor(connection, page, query, address)
        try:
            await visitor.ask()
            yield visitor
        finally:
            await visitor.leave()
