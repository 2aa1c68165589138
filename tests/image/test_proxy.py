"""The nginx of deploy/ before the real server: what passes, what does not, and whose address the server sees."""

from __future__ import annotations

import asyncio
import http.client
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from crowd import answered
from served import free_ports, served
from visitor import visit
from workers import wait

pytestmark = pytest.mark.slow

SAMPLE = Path(__file__).resolve().parents[2] / "deploy/nginx.conf"
BASE = "/oversmooth"
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "streamlit",
}
MOST = 2_000
"""Requests of a flood, at most."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: str


@dataclass(frozen=True)
class Proxy:
    """nginx on a port of loopback."""

    port: int
    log: Path

    def connection(self, source: str) -> http.client.HTTPConnection:
        """As a visitor with that address of loopback."""
        return http.client.HTTPConnection("127.0.0.1", self.port, source_address=(source, 0))

    def ask(self, path: str, method: str = "GET", source: str = "127.0.0.1", **headers: str) -> Answer:
        """One request; a body that is announced is not sent."""
        asked = self.connection(source)
        asked.putrequest(method, path)
        for name, value in headers.items():
            asked.putheader(name.replace("_", "-"), value)
        asked.endheaders()
        answer = asked.getresponse()
        given = Answer(
            answer.status,
            {name.lower(): value for name, value in answer.headers.items()},
            answer.read().decode(errors="replace"),
        )
        asked.close()
        return given

    def open_page(self, stack: ExitStack, source: str, **headers: str) -> Answer:
        """A websocket's handshake; the page stays open until the stack is closed."""
        asked = self.connection(source)
        stack.callback(asked.close)
        asked.request("GET", f"{BASE}/_stcore/stream", headers=HANDSHAKE | headers)
        answer = asked.getresponse()
        # An open websocket has no end to read to.
        body = "" if answer.status == http.HTTPStatus.SWITCHING_PROTOCOLS else answer.read().decode()
        return Answer(answer.status, {}, body)


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """The sample, with other addresses, before a server that grants each address one page."""
    folder = tmp_path_factory.mktemp("proxy")
    settings = {"profile": "hosted-s", "base_path": BASE.strip("/"), "proxies": "127.0.0.1", "connections": 1}
    with served(folder / "server.log", **settings) as server, started(folder, server.address) as proxy:
        yield proxy


@contextmanager
def started(folder: Path, server: str) -> Iterator[Proxy]:
    nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    assert nginx, "nginx is missing. On Debian and Ubuntu: sudo apt-get install nginx-light"
    (port,) = free_ports(1)
    sample = SAMPLE.read_text("utf-8")
    for ours, here in {
        "server web:8501;": f"server {server.removeprefix('http://')};",
        "listen 8080;": f"listen 127.0.0.1:{port};",
        "pid /tmp/nginx.pid;": f"pid {folder}/nginx.pid;",
    }.items():
        assert sample.count(ours) == 1
        sample = sample.replace(ours, here)
    (folder / "nginx.conf").write_text(sample.replace("/tmp/nginx-", f"{folder}/nginx-"), "utf-8")
    # Root would hand its workers to a user who cannot read this folder.
    rights = "user root; " if os.geteuid() == 0 else ""
    command = [nginx, "-c", str(folder / "nginx.conf"), "-e", "stderr", "-g", f"{rights}daemon off;"]
    log = folder / "proxy.log"
    with log.open("w") as sink:
        program = subprocess.Popen(command, stdout=sink, stderr=sink)
    try:
        wait(lambda: program.poll() is not None or (folder / "nginx.pid").exists())
        assert program.poll() is None, log.read_text()
        yield Proxy(port, log)
    finally:
        program.terminate()
        program.wait()


def test_the_page_loads_under_its_path(proxy: Proxy) -> None:
    assert proxy.ask("/").headers["location"] == f"{BASE}/"
    assert proxy.ask(BASE).headers["location"] == f"{BASE}/"
    page = proxy.ask(f"{BASE}/")
    assert page.status == http.HTTPStatus.OK
    assert "default-src 'none'" in page.headers["content-security-policy"]
    scripts = re.findall(r'src="\./(static/js/[^"]+)"', page.body)
    assert scripts
    assert {proxy.ask(f"{BASE}/{script}").status for script in scripts} == {http.HTTPStatus.OK}


def test_a_visitor_gets_an_analysis_and_the_log_none_of_the_text(proxy: Proxy) -> None:
    async def measure() -> None:
        address = f"http://127.0.0.1:{proxy.port}{BASE}"
        async with visit(address, query="text=A+marmalade+cat+sat+on+the+mat.") as visitor:
            await visitor.finished()
            assert answered(visitor), (visitor.alerts, visitor.exceptions)

    assert proxy.ask(f"{BASE}/?text=marmalade").status == http.HTTPStatus.OK
    asyncio.run(measure())
    wait(lambda: "_stcore/stream 101" in proxy.log.read_text())
    assert "marmalade" not in proxy.log.read_text()


@pytest.mark.parametrize(
    "path", ["/_stcore/metrics", "/_stcore/metrics/", "/x/../_stcore/metrics", "/%5Fstcore/metrics"]
)
def test_figures_of_the_process_are_not_for_visitors(proxy: Proxy, path: str) -> None:
    assert proxy.ask(BASE + path).status == http.HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("path", ["/_stcore/health", "/healthz", "/readyz", "/other/"])
def test_nothing_is_served_beside_its_path(proxy: Proxy, path: str) -> None:
    assert proxy.ask(path).status == http.HTTPStatus.NOT_FOUND


def test_a_large_body_is_refused_before_it_is_sent(proxy: Proxy) -> None:
    path = f"{BASE}/_stcore/upload_file/session/file"
    assert proxy.ask(path, "PUT", Content_Length=str(4 * 2**20)).status == http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def test_the_server_counts_pages_by_the_visitors_address_and_believes_no_other(proxy: Proxy) -> None:
    with ExitStack() as stack:
        for visitor in ("127.0.0.4", "127.0.0.5"):
            assert proxy.open_page(stack, visitor).status == http.HTTPStatus.SWITCHING_PROTOCOLS
        refused = proxy.open_page(stack, "127.0.0.4", **{"X-Forwarded-For": "192.0.2.1"})
        assert refused.status == http.HTTPStatus.TOO_MANY_REQUESTS
        assert "“connections”" in refused.body


def test_a_flood_of_requests_of_one_address_is_refused_and_others_are_served(proxy: Proxy) -> None:
    flood = proxy.connection("127.0.0.6")
    statuses: list[int] = []
    while http.HTTPStatus.TOO_MANY_REQUESTS not in statuses and len(statuses) < MOST:
        flood.request("GET", f"{BASE}/_stcore/health")
        answer = flood.getresponse()
        answer.read()
        statuses.append(answer.status)
    flood.close()
    # A first visit asks for some hundred files.
    assert statuses.count(http.HTTPStatus.OK) > 100
    assert statuses[-1] == http.HTTPStatus.TOO_MANY_REQUESTS
    assert proxy.ask(f"{BASE}/_stcore/health", source="127.0.0.7").status == http.HTTPStatus.OK


def test_pages_are_not_opened_without_end(proxy: Proxy) -> None:
    with ExitStack() as stack:
        answers = [proxy.open_page(stack, "127.0.0.8") for _ in range(40)]
    assert answers[0].status == http.HTTPStatus.SWITCHING_PROTOCOLS
    # The server refuses the others too, but some do not even come to it.
    assert [answer for answer in answers if answer.status == 429 and "“connections”" not in answer.body]
