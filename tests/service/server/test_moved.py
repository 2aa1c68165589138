"""What goes over the wire: packed where that makes it smaller, and once where it never changes."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import http.client
import re
from collections.abc import Iterator, Mapping
from email.message import Message
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from served import Server, served
from streamlit import file_util
from visitor import visit

pytestmark = pytest.mark.slow

BASE = "/over"
PACKED = {"Accept-Encoding": "gzip, deflate, br"}
FOLDER = Path(file_util.get_static_dir())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("server") / "log", base_path=BASE) as running:
        yield running


def get(server: Server, path: str, headers: Mapping[str, str]) -> tuple[int, Message, bytes]:
    """Status, headers and body as they come."""
    connection = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", f"{BASE}/{path}", headers=dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def files(page: bytes) -> list[str]:
    """Those that the page names, and the library of the charts."""
    named = re.findall(r'"\./(static/[^"]+)"', page.decode())
    return [*named, *(path.relative_to(FOLDER).as_posix() for path in FOLDER.glob("static/js/PlotlyChart.*.js"))]


def test_files_of_the_page_are_packed_and_kept_for_good(server: Server) -> None:
    _, _, page = get(server, "", {})
    asked = files(page)
    assert {path.rpartition(".")[2] for path in asked} == {"js", "css", "woff2"}
    moved = 0
    for path in asked:
        status, headers, body = get(server, path, PACKED)
        whole = (FOLDER / path).read_bytes()
        assert (status, headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
        assert headers["vary"].lower() == "accept-encoding"
        assert (gzip.decompress(body) if headers["content-encoding"] == "gzip" else body) == whole
        if path.endswith(("js", "css")):
            assert headers["content-encoding"] == "gzip" or len(whole) < 256
        else:
            assert "content-encoding" not in headers
        assert (
            headers["content-type"].partition(";")[0]
            == {
                "js": "text/javascript",
                "css": "text/css",
                "woff2": "font/woff2",
            }[path.rpartition(".")[2]]
        )
        moved += len(body)
    assert moved < 2.5e6


def test_who_does_not_read_what_is_packed_gets_it_plain(server: Server) -> None:
    (path,) = [path for path in files(get(server, "", {})[2]) if "PlotlyChart" in path]
    whole = (FOLDER / path).read_bytes()
    for accepted in ({}, {"Accept-Encoding": "identity"}, {"Accept-Encoding": "br"}):
        status, headers, body = get(server, path, accepted)
        assert (status, body == whole, "content-encoding" in headers) == (200, True, False)
        assert "immutable" in headers["cache-control"]
    status, headers, body = get(server, path, PACKED | {"Range": "bytes=10-19"})
    assert (status, body, "content-encoding" in headers) == (206, whole[10:20], False)


@pytest.mark.parametrize("path", ["static/js/../../index.html", "static/js/nothing.js", "static/js", "static/"])
def test_only_files_of_the_page_are_kept(server: Server, path: str) -> None:
    _, headers, body = get(server, path, PACKED)
    assert "immutable" not in (headers["cache-control"] or "") or not body


def test_the_page_itself_is_packed_and_asked_for_anew(server: Server) -> None:
    for name in ("", "compare"):
        status, headers, body = get(server, name, PACKED)
        assert (status, headers["content-encoding"], headers["cache-control"]) == (200, "gzip", "no-cache")
        assert gzip.decompress(body) == get(server, name, {})[2]


def test_a_step_of_the_layer_moves_little(server: Server) -> None:
    async def moved() -> tuple[int, int, int]:
        async with visit(f"{server.address}{BASE}") as visitor:
            await visitor.finished()
            page, drawn = visitor.received, len(visitor.frames)
            await visitor.step("Layer", "3")
            await visitor.finished()
            return page, visitor.received - page, sum(len(frame) for frame in visitor.frames[drawn:])

    page, step, unpacked = asyncio.run(moved())
    assert page < 80_000
    assert unpacked > 60_000  # both charts of the layer came
    assert step < 60_000
