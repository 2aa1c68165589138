"""Strangers at one server: what one of them gives stays theirs, and whatever they send, the others are served."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import http.client
import json
import random
import secrets
import socket
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from any_texts import HALF, sentence, texts
from served import Server, served
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.Common_pb2 import FileUploaderState, UploadedFileInfo
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from visitor import Visitor, visit
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol
from workers import WORDS, wait

pytestmark = pytest.mark.slow

TYPED = 100
SOON = "curve=stable_rank&max_tokens=32&"
"""A page that is drawn soon."""
QUICK = "text=+"
"""A page that has a sentence to show, and no chart."""
MEGABYTE = 2**20


@dataclass(frozen=True)
class Place:
    """A server, and where it may write."""

    server: Server
    folders: tuple[Path, ...]
    begun: float

    def written(self) -> Iterator[Path]:
        """Files that are new since the server was started."""
        for folder in self.folders:
            for path in folder.rglob("*"):
                with contextlib.suppress(OSError):
                    if path.is_file() and not path.is_symlink() and path.stat().st_mtime >= self.begun:
                        yield path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A server for strangers whose home and temporary folder are its own."""
    home, temporary = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("temporary")
    log = tmp_path_factory.mktemp("server") / "log"
    begun = time.time() - 1
    with pytest.MonkeyPatch.context() as environment:
        for name, folder in {"HOME": home, "HF_HOME": home / "hub", "TMPDIR": temporary}.items():
            environment.setenv(name, str(folder))
        environment.setenv("DISPLAY", ":0")  # on which nobody sits
        limits = {"profile": "hosted-s", "workers": 1, "connections": 50, "texts": 2_000, "characters": 10**6}
        with served(log, **limits, run_bytes=2**34) as server:
            here = tuple(Path.cwd() / name for name in ("oversmooth", "pages", "assets", ".streamlit"))
            yield Place(server, (home, temporary, log.parent, *here), begun)
    assert "Traceback" not in log.read_text()


@pytest.fixture
def server(place: Place) -> Server:
    return place.server


def unharmed(visitor: Visitor, what: object) -> None:
    """The page shows no exception and nothing of a traceback, and every error is a sentence."""
    assert (visitor.exceptions, visitor.traces) == ([], []), what
    assert not any(b"stack_trace" in frame or b"/site-packages/" in frame for frame in visitor.frames), what
    for alert in visitor.alerts:
        sentence(alert.replace("\u2060", ""))


# Any text


def test_any_text_typed_into_an_open_page_is_drawn_or_refused_in_a_sentence(server: Server) -> None:
    typed = list(islice((text for text in texts(2 * TYPED, 31) if not HALF.search(text)), TYPED))

    async def type_all() -> int:
        drawn = 0
        async with visit(server.address, query=f"{SOON}text=the+cat+sat") as visitor:
            await visitor.finished()
            for text in typed:
                await visitor.change("text", text)
                await visitor.finished()
                unharmed(visitor, text)
                errors = [message for kind, message in visitor.elements if kind == "alert" and message.format == 1]
                assert bool(visitor.figures) != bool(errors), text
                drawn += bool(visitor.figures)
        return drawn

    assert len(typed) == TYPED
    assert 0.8 * TYPED < asyncio.run(type_all()) < TYPED


# Hostile frames


def random_frames(chance: random.Random) -> Iterator[bytes | str]:
    yield from (chance.randbytes(size) for size in (0, 1, 2, 7, 100, 10_000, 3 * MEGABYTE, 51 * MEGABYTE))
    yield "a text frame"
    yield json.dumps({"rerun_script": {}})
    # Strings that are no UTF-8, and messages that end too soon.
    whole = BackMsg(rerun_script=ClientState(query_string="text=XXX", page_name="XXX")).SerializeToString()
    yield whole.replace(b"XXX", b"\xed\xa0\x80")
    yield whole[:-3]
    yield b"\x22\xff\xff\xff\xff\x7f"


def wild_messages(chance: random.Random, session: str, widget: str) -> Iterator[BackMsg]:
    """What is well formed and yet sent by no page."""
    yield BackMsg(clear_cache=True)
    yield BackMsg(debug_shutdown_runtime=True)
    yield BackMsg(set_run_on_save=True)
    yield BackMsg(load_git_info=True)
    yield BackMsg(stop_script=True)
    yield BackMsg(rerun_script=ClientState(page_script_hash="../../etc/passwd", query_string="%ff=%00&&&=;" * 1000))
    yield BackMsg(rerun_script=ClientState(fragment_id="no such part", page_name="../reference"))
    for state in (
        WidgetState(id=widget, bool_value=True),
        WidgetState(id=widget, json_value='{"a": ['),
        WidgetState(id=widget, bytes_value=b"\xff"),
        WidgetState(id=f"$$ID-{chance.random()}-text", string_value="x"),
        WidgetState(id="", trigger_value=True),
    ):
        message = BackMsg(rerun_script=ClientState())
        message.rerun_script.widget_states.widgets.append(state)
        yield message
    message = BackMsg()
    message.file_urls_request.session_id, message.file_urls_request.request_id = "another", "1"
    message.file_urls_request.file_names.extend(["../../etc/passwd", "a\x00b"])
    yield message
    for number, name in enumerate(("install_skills", "dismiss_skills_nudge", "deferred_file", "dataframe_chunk")):
        message = BackMsg()
        request = message.backend_operation_request
        request.request_id, request.session_id = str(number), session
        getattr(request, name).SetInParent()
        yield message


@contextlib.asynccontextmanager
async def connected(server: Server) -> AsyncIterator[ClientConnection]:
    """A bare connection to the stream of a server."""
    async with connect(
        f"ws{server.address.removeprefix('http')}/_stcore/stream",
        origin=Origin(server.address),
        subprotocols=[Subprotocol("streamlit")],
        max_size=None,
        proxy=None,
    ) as connection:
        yield connection


async def served_still(visitor: Visitor, number: int) -> None:
    """A visitor who was there before gets an answer, of something never asked for."""
    await visitor.change("text", f"Visit {number}: the cat sat on the mat.")
    await visitor.finished()
    unharmed(visitor, number)
    assert visitor.figures
    assert not visitor.alerts


def test_frames_that_no_page_sends_end_their_own_connection_at_most(server: Server) -> None:
    chance = random.Random(8)

    async def attack() -> None:
        async with visit(server.address, query=f"{SOON}text=the+cat+sat") as neighbour:
            await neighbour.finished()
            for frame in random_frames(chance):
                async with connected(server) as connection:
                    with contextlib.suppress(ConnectionClosed):
                        await connection.send(frame)
                        # Until the server has read it: it closes, or answers a ping.
                        await (await connection.ping())
            await served_still(neighbour, 1)

    asyncio.run(attack())
    assert server.fetch("/healthz") == b"ok"


def test_messages_that_no_page_sends_harm_nobody_else(server: Server) -> None:
    chance = random.Random(9)

    async def attack() -> list[bytes]:
        frames: list[bytes] = []
        async with visit(server.address, query=f"{SOON}text=the+cat+sat") as neighbour:
            await neighbour.finished()
            for number in range(len(list(wild_messages(chance, "", "")))):
                async with visit(server.address, query=QUICK) as attacker:
                    await attacker.finished()
                    widget = attacker.widget("text").id
                    message = list(wild_messages(chance, attacker.session, widget))[number]
                    await attacker._send(message)
                    await attacker.ask()
                    await attacker.finished()
                    assert attacker.traces == [], message
                    frames += attacker.frames
            await served_still(neighbour, 2)
        return frames

    workers = server.workers.keys()
    frames = asyncio.run(attack())
    assert server.fetch("/healthz") == b"ok"
    assert server.workers.keys() == workers
    kinds = {ForwardMsg.FromString(frame).WhichOneof("type") for frame in frames}
    assert "git_info_changed" not in kinds
    answers = [ForwardMsg.FromString(frame).backend_operation_response for frame in frames]
    assert all(answer.error_msg for answer in answers if answer.request_id)


def test_connections_that_are_left_half_open_keep_nobody_out(server: Server) -> None:
    address = urlsplit(server.address)
    upgrade = (
        f"GET /_stcore/stream HTTP/1.1\r\nHost: {address.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    ).encode()
    # Nothing at all; half a request; a whole one and half a frame; a frame that says it has 2^62 bytes.
    beginnings = (b"", upgrade[:60], upgrade + b"\x82", upgrade + b"\x82\xff\x40" + bytes(7) + b"mask")

    async def hold() -> None:
        with contextlib.ExitStack() as held:
            for beginning in beginnings * 5:
                opened = held.enter_context(socket.create_connection((address.hostname, address.port), timeout=10))
                opened.sendall(beginning)
            async with visit(server.address, query=f"{SOON}text=the+cat+sat") as neighbour:
                await neighbour.finished()
                await served_still(neighbour, 3)

    asyncio.run(hold())
    assert server.fetch("/healthz") == b"ok"


# What one visitor gives


def spellings(canary: str) -> tuple[bytes, ...]:
    """A word as it is, and as it stands in UTF-16 and in base64 wherever in a text it begins."""
    encoded = (base64.b64encode(b"\0" * before + canary.encode())[4:-4] for before in range(3))
    return canary.encode(), canary.encode("utf-16-le"), *encoded


def multipart(name: str, content: bytes) -> tuple[bytes, str]:
    border = "border-of-the-form"
    head = f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return head.encode() + content + f"\r\n--{border}--\r\n".encode(), f"multipart/form-data; boundary={border}"


def store(server: Server, path: str, name: str, content: bytes) -> None:
    """Upload a file as a page does: with the token against forged requests, from a cookie."""
    body, kind = multipart(name, content)
    connection = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", "/_stcore/health")
        answer = connection.getresponse()
        answer.read()
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
        token = cookie.partition("=")[2].strip('"')
        headers = {"Content-Type": kind, "Cookie": cookie, "X-Xsrftoken": token}
        connection.request("PUT", path, body, headers)
        assert connection.getresponse().status == 204


async def upload(server: Server, visitor: Visitor, control: str, name: str, content: bytes) -> None:
    message = BackMsg()
    request = message.file_urls_request
    request.request_id, request.session_id = f"upload {len(visitor.frames)}", visitor.session
    request.file_names.append(name)
    await visitor._send(message)
    before = len(visitor.frames)

    def answers() -> list[ForwardMsg]:
        found = map(ForwardMsg.FromString, visitor.frames[before:])
        return [each for each in found if each.WhichOneof("type") == "file_urls_response"]

    await visitor.until(lambda: bool(answers()))
    (urls,) = answers()[0].file_urls_response.file_urls
    await asyncio.to_thread(store, server, urls.upload_url, name, content)
    state = WidgetState(id=visitor.widget(control).id)
    info = UploadedFileInfo(file_id=urls.file_id, name=name, size=len(content), file_urls=urls)
    state.file_uploader_state_value.CopyFrom(FileUploaderState(uploaded_file_info=[info]))
    await visitor.ask({state.id: state})
    await visitor.finished()


async def give_away(server: Server, canary: str) -> list[bytes]:
    """Bring a word in by every way there is; what the page showed of it."""
    frames: list[bytes] = []
    link = urlencode({"text": f"{canary} in a link", "model": f"{canary}/model", canary: canary})
    async with visit(server.address, query=SOON + link) as visitor:
        await visitor.finished()
        await visitor.change("text", f"The {canary} was typed here.")
        await visitor.finished()
        assert visitor.figures
        await visitor.change("text", f"{canary} " * 60_000)
        await visitor.finished()
        assert any("characters" in alert for alert in visitor.alerts), visitor.alerts
        await upload(server, visitor, "upload", f"{canary}.txt", f"A file with {canary} in it.".encode())
        assert visitor.figures
        await upload(server, visitor, "upload", f"{canary}.txt", b"\xff\xfe" + canary.encode())
        assert any("not UTF-8" in alert for alert in visitor.alerts), visitor.alerts
        await upload(server, visitor, "settings_file", f"{canary}.json", json.dumps({canary: canary}).encode())
        assert any(f"{canary}.json" in alert for alert in visitor.alerts), visitor.alerts
        frames += visitor.frames
    variant = json.dumps({"label": f"{canary} label", "mitigations": ["neutreno:strength=0.5"]})
    async with visit(server.address, "compare", urlencode({"text": f"{canary} sat", "variant": variant})) as visitor:
        await visitor.finished()
        assert any(f"{canary} label" in text for text in visitor.texts)
        frames += visitor.frames
    cancelled = urlencode([("text", f"{canary} {number} {WORDS}") for number in range(1000)])
    async with visit(server.address, query=cancelled) as visitor:
        await visitor.until(lambda: any(step.startswith("Measuring") for step in visitor.steps))
        frames += visitor.frames
    return frames


def answers_of(server: Server) -> dict[str, bytes]:
    """What every address of the server says to anybody."""
    stream = ("health", "host-config", "metrics", "script-health-check", "agent/openapi.json", "upload_file/")
    paths = ("/", "/healthz", "/readyz", "/metrics", "/media/", *(f"/_stcore/{name}" for name in stream))
    found = {}
    for path in paths:
        connection = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=30)
        with contextlib.closing(connection):
            connection.request("GET", path)
            answer = connection.getresponse()
            found[path] = str(answer.headers).encode() + answer.read()
    counters = urlsplit(server.counters_address)
    connection = http.client.HTTPConnection(counters.netloc, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", counters.path)
        found["counters"] = connection.getresponse().read()
    assert b"oversmooth_runs_total" in found["counters"]
    return found


def processes_of(server: Server) -> dict[str, bytes]:
    """Command lines, environments and names of open files of the server and its workers."""
    found = {}
    for process in (server.process, *server.workers.values()):
        told = [*process.cmdline(), json.dumps(process.environ()), *(each.path for each in process.open_files())]
        found[f"process {process.pid}"] = "\n".join(told).encode()
    assert len(found) >= 2
    return found


def test_what_one_visitor_gives_is_nowhere_else(place: Place) -> None:
    server, canary = place.server, f"quetzal{secrets.token_hex(6)}"

    async def visits() -> tuple[list[bytes], list[bytes]]:
        async with visit(server.address, query=f"{SOON}text=the+cat+sat") as neighbour:
            await neighbour.finished()
            giving = asyncio.create_task(give_away(server, canary))
            number = 10
            while not giving.done():
                await served_still(neighbour, number := number + 1)
            await served_still(neighbour, number + 1)
            own = await giving
            async with visit(server.address, "compare") as newcomer:
                await newcomer.finished()
                return own, neighbour.frames + newcomer.frames

    own, others = asyncio.run(visits())
    wait(lambda: server.counter("oversmooth_running") + server.counter("oversmooth_queue_length") == 0)
    known = spellings(canary)

    def holds(content: bytes) -> bool:
        return any(spelling in content for spelling in known)

    assert any(map(holds, own))
    assert not any(map(holds, others))
    everywhere = answers_of(server) | processes_of(server) | {"log": server.log.read_bytes()}
    everywhere |= {str(path): str(path).encode() + path.read_bytes() for path in place.written()}
    assert len(everywhere) > 12
    assert [name for name, content in everywhere.items() if holds(content)] == []
