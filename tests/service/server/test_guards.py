"""The guards by themselves, where a real server would show too little."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from oversmooth.service.engine.rounds import network
from oversmooth.service.server import headers, routes
from oversmooth.service.server.connections import Connections
from oversmooth.service.server.hosts import OwnHosts, OwnOrigin
from oversmooth.service.server.sent import BinaryFrames, KeptUploads


def scope(kind: str = "http", path: str = "/", client: str = "198.51.100.1", **headers: str) -> Scope:
    named = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {"type": kind, "path": path, "method": "GET", "client": (client, 1), "headers": named}


def answered(app: ASGIApp, asked: Scope) -> list[Message]:
    """What the application sends."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(asked, receive, send))  # type: ignore[arg-type]
    return sent


class Inside:
    """An application that notes what reaches it, and does what it is told to."""

    def __init__(self, act: Callable[[], None] = lambda: None) -> None:
        self.reached: list[Scope] = []
        self._act = act

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.reached.append(scope)
        self._act()


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:aaaa:bbbb:cccc:dddd", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unknown", "unknown"),
    ],
)
def test_a_customer_is_counted_once_whatever_addresses_it_may_choose(address: str, counted: str) -> None:
    assert network(address) == counted


def test_a_connection_that_fails_leaves_its_place() -> None:
    def fail() -> None:
        raise RuntimeError

    guard = Connections(Inside(fail), limit=1)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            answered(guard, scope("websocket"))


def test_who_has_too_many_pages_reads_why() -> None:
    inside = Inside()

    async def visit(asked: Scope) -> list[Message]:
        """What is answered while a page of the same address is open."""
        open_, leave = asyncio.Event(), asyncio.Event()
        sent: list[Message] = []

        async def page(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "websocket":
                await inside(scope, receive, send)
                return
            open_.set()
            await asyncio.wait_for(leave.wait(), 30)

        async def send(message: Message) -> None:
            sent.append(message)

        guard = Connections(page, limit=1, base_path="over")
        kept = asyncio.create_task(guard(scope("websocket"), None, send))  # type: ignore[arg-type]
        await asyncio.wait_for(open_.wait(), 30)
        await guard(asked, None, send)  # type: ignore[arg-type]
        leave.set()
        await kept
        return sent

    start, body = asyncio.run(visit(scope(path="/over/compare", accept="text/html,*/*;q=0.8")))
    assert start["status"] == 429
    assert b"at most 1 page open" in body["body"]
    assert "“connections”".encode() in body["body"]
    assert inside.reached == []
    parts = [scope(path="/over/static/x.js", accept="*/*"), scope(path="/over/media/x.pdf", accept="text/html")]
    for part in (*parts, scope(path="/over/", accept="text/html", client="198.51.100.2")):
        assert asyncio.run(visit(part)) == []
    assert len(inside.reached) == 3


def test_streamlit_never_meets_an_origin() -> None:
    """It would ask a service on the internet for this machine's address."""
    inside = Inside()
    for kind in ("http", "websocket"):
        assert (
            answered(OwnOrigin(inside), scope(kind, host="Over.example:8501", origin="http://over.example:8501")) == []
        )
    assert [each["headers"] for each in inside.reached] == 2 * [[(b"host", b"Over.example:8501")]]


LOOPBACK = ["localhost", "LOCALHOST:8501", "127.0.0.1", "127.9.8.7:1", "[::1]", "[::1]:8501"]
ELSEWHERE = ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8501", "10.0.0.7", "[::2]:8501", "[", ""]


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("host", [*LOOPBACK, *ELSEWHERE, "lab.example", "a.lab.example:80"])
@pytest.mark.parametrize("hosts", [(), ("*.lab.example",)])
def test_on_loopback_the_names_of_this_machine_and_the_operators_alone_are_answered(
    kind: str, host: str, hosts: tuple[str, ...]
) -> None:
    """A page of the internet whose name was made to lead here is not taken for the server's own."""
    inside = Inside()
    answered(OwnHosts(inside, hosts, loopback=True), scope(kind, host=host))
    assert bool(inside.reached) is (host in LOOPBACK or (bool(hosts) and host.startswith("a.lab.example")))


def test_where_others_reach_the_server_every_name_is_its_own_until_some_are_named() -> None:
    inside = Inside()
    answered(OwnHosts(inside), scope(host="lab.example"))
    answered(OwnHosts(inside, ("lab.example",)), scope(host="localhost"))
    answered(OwnHosts(inside, ("lab.example",), loopback=True), scope(path="/healthz", host="10.0.0.7"))
    assert [each["path"] for each in inside.reached] == ["/", "/healthz"]


def test_a_text_frame_is_the_end_of_a_connection() -> None:
    heard: list[Message] = []
    sent: list[Message] = []
    frames: list[Message] = [
        {"type": "websocket.receive", "bytes": b"1", "text": None},
        {"type": "websocket.receive", "text": "2"},
    ]

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, send
        while not heard or heard[-1]["type"] != "websocket.disconnect":
            heard.append(await receive())

    async def receive() -> Message:
        return frames.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(BinaryFrames(page)(scope("websocket"), receive, send))
    assert [each["type"] for each in heard] == ["websocket.receive", "websocket.disconnect"]
    assert sent == [{"type": "websocket.close", "code": 1003}]


def test_the_answer_to_a_fault_of_the_server_carries_the_headers_and_no_word_of_it() -> None:
    answer = asyncio.run(headers.failure(None, ValueError("quetzal")))  # type: ignore[arg-type]
    assert answer.status_code == 500
    assert b"quetzal" not in answer.body
    assert answer.headers["content-security-policy"] == headers.content_security_policy()


class StandIn:
    """An engine in a given state."""

    def __init__(self, ready: bool, worker_pids: tuple[int, ...]) -> None:
        self.ready, self.worker_pids = ready, worker_pids


@pytest.mark.parametrize(
    ("engine", "status", "word"),
    [
        (StandIn(False, ()), 503, b"no worker"),
        (StandIn(False, (7,)), 503, b"loading the model"),
        (StandIn(True, (7,)), 200, b"ready"),
    ],
)
def test_readiness_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, engine: StandIn, status: int, word: bytes
) -> None:
    monkeypatch.setattr(routes, "shared_engine", lambda: engine)
    (ready,) = [route for route in routes.routes("") if route.path == "/readyz"]
    start, body = answered(ready.app, scope(path="/readyz"))
    assert (start["status"], body["body"]) == (status, word)


def test_a_page_keeps_its_latest_files_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    files = MemoryUploadedFileManager("/upload")

    class Running:
        uploaded_file_mgr = files

    monkeypatch.setattr(runtime, "get_instance", Running)
    sent: list[str] = []

    def store() -> None:
        files.add_file("page", UploadedFileRec(sent[-1], "name", "text/plain", b"x"))

    guard = KeptUploads(Inside(store), "over")
    files.add_file("other", UploadedFileRec("mine", "name", "text/plain", b"x"))
    for number in range(20):
        sent.append(str(number))
        put: dict[str, Any] = {**scope(path=f"/over/_stcore/upload_file/page/{number}"), "method": "PUT"}
        answered(guard, put)
        assert len(files.file_storage["page"]) <= 8
    assert list(files.file_storage["page"]) == [str(number) for number in range(12, 20)]
    assert list(files.file_storage["other"]) == ["mine"]
