"""What a stranger may send: each is answered in a sentence or refused, nothing is written, no error is logged."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import math
import zipfile
from collections.abc import Callable, Iterator

import pytest
from crowd import SMALL, answered, short
from served import Server, full_disk_of, served
from streamlit.proto.WidgetStates_pb2 import WidgetState
from visitor import Visitor, visit
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

pytestmark = pytest.mark.slow

LARGE = 3 * 2**20
UPLOADER = "Upload a .txt file"
SETTINGS = "settings_file"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    own = {**SMALL, "upload_bytes": LARGE}
    with served(tmp_path_factory.mktemp("server") / "log", **own) as server:
        yield server
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert [line for line in lines if line["level"] in ("error", "critical")] == []


def told(server: Server, *sent: tuple[str, bytes], control: str = UPLOADER, given: int = -1) -> tuple[Visitor, str]:
    """What stands on the page of somebody who has sent these files, when a control is said to hold one of them."""

    async def meet() -> Visitor:
        async with visit(server.address, query=short("stranger")) as visitor:
            await visitor.finished()
            for number, (name, content) in enumerate(sent):
                assert await visitor.upload(str(number), name, content) == 204
            number = range(len(sent))[given]
            await visitor.give(control, str(number), sent[number][0])
            await visitor.finished()
            return visitor

    visitor = asyncio.run(meet())
    assert visitor.exceptions == visitor.traces == []
    return visitor, " ".join(visitor.alerts).replace("\\", "")


def test_a_file_of_megabytes_is_taken_without_a_disk(server: Server) -> None:
    async def send() -> int:
        async with visit(server.address, query=short("large")) as visitor:
            await visitor.finished()
            with full_disk_of(server.process):
                return await visitor.upload("1", "large.txt", b"x" * (LARGE - 1000))

    assert asyncio.run(send()) == 204


def test_the_oldest_of_nine_files_is_gone_and_its_control_says_so(server: Server) -> None:
    files = [("text.txt", f"The cat sat on mat {number}.".encode()) for number in range(9)]
    visitor, alert = told(server, *files)
    assert answered(visitor), alert
    visitor, alert = told(server, *files, given=0)
    assert "The server holds this file no more" in alert
    assert visitor.figures
    _, alert = told(server, ("settings.json", b"{}"), *files, control=SETTINGS, given=0)
    assert "The server holds this file no more" in alert


def test_a_file_of_a_kind_that_its_control_does_not_take_is_no_error(server: Server) -> None:
    told(server, ("text.exe", b"MZ"))


def packed(method: int, damage: bool = False, flags: int = 0) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("settings.json", b'{"texts": ["The cat sat."]}' + b" " * 3000)
    content = bytearray(buffer.getvalue())
    start = content.index(b"settings.json") + len("settings.json")
    if damage:
        content[start + 6 : start + 16] = b"\xff" * 10
    if flags:
        content[6] |= flags
        content[content.index(b"PK\x01\x02") + 8] |= flags
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (packed(zipfile.ZIP_LZMA, damage=True), "packed in an unusual way"),
        (packed(zipfile.ZIP_BZIP2, damage=True), "packed in an unusual way"),
        (packed(zipfile.ZIP_DEFLATED, damage=True), "this zip cannot be read"),
        (packed(zipfile.ZIP_STORED, flags=1), "is encrypted"),
        (packed(zipfile.ZIP_DEFLATED)[:-30], "this zip cannot be read"),
    ],
    ids=["lzma", "bzip2", "deflate", "encrypted", "cut"],
)
def test_a_zip_that_cannot_be_read_is_one_sentence(server: Server, content: bytes, why: str) -> None:
    visitor, alert = told(server, ("run.zip", content), control=SETTINGS)
    assert why in alert
    assert len(visitor.alerts) == 1
    assert visitor.figures


FORGED: dict[str, Callable[[WidgetState], object]] = {
    "a list": lambda state: state.string_array_value.data.extend(["x", "y"]),
    "an object": lambda state: setattr(state, "json_value", '{"a": 1}'),
    "no JSON": lambda state: setattr(state, "json_value", "{"),
    "bytes": lambda state: setattr(state, "bytes_value", b"x"),
    "a number": lambda state: setattr(state, "double_value", math.nan),
    "numbers": lambda state: state.double_array_value.data.extend([math.inf] * 3),
    "a word": lambda state: setattr(state, "string_value", "quetzal" * 2000),
}
OWN = {("a word", "text"), ("a list", "metrics")}
"""What a control may hold: any text, none of the curves that there are."""
CONTROLS = ("text", "metrics", "special_tokens", "precision", "scale", "max_tokens", UPLOADER)


@pytest.mark.parametrize("kind", FORGED)
def test_a_value_that_no_control_can_have_is_left_aside(server: Server, kind: str) -> None:
    async def meet() -> Visitor:
        async with visit(server.address, query=short("forged")) as visitor:
            await visitor.finished()
            before = len(visitor.figures)
            kept = [name for name in CONTROLS if (kind, name) not in OWN]
            states = [WidgetState(id=visitor.widget(name).id) for name in kept] + [WidgetState(id="$$ID-none-none")]
            for state in states:
                FORGED[kind](state)
            await visitor.ask({state.id: state for state in states})
            await visitor.finished()
            assert len(visitor.figures) == before
            return visitor

    visitor = asyncio.run(meet())
    assert visitor.exceptions == visitor.traces == visitor.alerts == []
    assert answered(visitor)


def test_text_where_bytes_belong_closes_the_connection(server: Server) -> None:
    address = f"ws{server.address.removeprefix('http')}/_stcore/stream"
    with connect(address, proxy=None) as page:
        page.send("text")
        with contextlib.suppress(ConnectionClosed):
            for _ in page:
                pass
        assert page.close_code == 1003
