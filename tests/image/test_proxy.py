"""The nginx of deploy/ before the real server: what passes, what does not, and whose address the server sees."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from crowd import answered
from served import Server, free_ports, served
from streamlit import file_util
from visitor import visit
from workers import wait

pytestmark = pytest.mark.slow

SAMPLE = Path(__file__).resolve().parents[2] / "deploy/nginx.conf"
BASE = "/lab/tools"
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
    """nginx on ports of loopback: for visitors, and for the operator."""

    port: int
    operator: int
    log: Path

    def connection(self, source: str) -> http.client.HTTPConnection:
        """As a visitor with that address of loopback."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60, source_address=(source, 0))

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
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that grants each address one page, under a path that stands nowhere in the sample."""
    log = tmp_path_factory.mktemp("server") / "log"
    with served(log, profile="hosted-s", base_path=BASE.strip("/"), proxies="127.0.0.1", connections=1) as server:
        yield server


@pytest.fixture(scope="module")
def proxy(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """The sample, with other addresses, before that server."""
    with started(tmp_path_factory.mktemp("proxy"), server) as proxy:
        yield proxy


@contextmanager
def started(folder: Path, server: Server, *uncommented: str) -> Iterator[Proxy]:
    """The sample, some of its lines that are comments put in force."""
    nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    assert nginx, "nginx is missing. On Debian and Ubuntu: sudo apt-get install nginx-light"
    port, operator = free_ports(2)
    sample = SAMPLE.read_text("utf-8")
    for ours, here in {
        "server web:8501;": f"server {server.address.removeprefix('http://')};",
        "server web:9090;": f"server {server.counters_address.removeprefix('http://').removesuffix('/metrics')};",
        "listen 8080;": f"listen 127.0.0.1:{port};",
        "listen 8081;": f"listen 127.0.0.1:{operator};",
        "pid /tmp/nginx.pid;": f"pid {folder}/nginx.pid;",
    }.items():
        assert sample.count(ours) == 1
        sample = sample.replace(ours, here)
    for line in uncommented:
        name = line.partition(" ")[0]
        sample, replaced = re.subn(rf"^    # {name} .*;$", f"    {line};", sample, flags=re.MULTILINE)
        assert replaced == 1
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
        yield Proxy(port, operator, log)
    finally:
        program.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            program.wait(30)
        program.kill()
        program.wait(30)


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


@pytest.mark.parametrize(
    "path", ["/_stcore/health", "/healthz", "/readyz", "/metrics", "/other/", "/static/js/other.js"]
)
def test_nothing_is_served_beside_its_path(proxy: Proxy, path: str) -> None:
    assert proxy.ask(path).status == http.HTTPStatus.NOT_FOUND


def test_the_operator_alone_reads_health_and_counters(proxy: Proxy) -> None:
    def told(path: str) -> tuple[int, str]:
        asked = http.client.HTTPConnection("127.0.0.1", proxy.operator, timeout=60)
        asked.request("GET", path, headers={"Host": "127.0.0.1:8081"})
        answer = asked.getresponse()
        status, body = answer.status, answer.read().decode()
        asked.close()
        return status, body

    assert told("/healthz") == (200, "ok")
    assert told("/readyz") == (200, "ready")
    status, counters = told("/metrics")
    assert status == http.HTTPStatus.OK
    assert "oversmooth_running" in counters
    for path in ("/", f"{BASE}/", f"{BASE}/_stcore/health"):
        assert told(path)[0] == http.HTTPStatus.NOT_FOUND


def test_nothing_is_written_through_the_way_of_the_files(proxy: Proxy) -> None:
    answer = proxy.ask(f"{BASE}/_stcore/upload_file/static/js/file", "PUT")
    assert answer.status not in (http.HTTPStatus.OK, http.HTTPStatus.NO_CONTENT)
    assert proxy.ask(f"{BASE}/static/js/file.js", "PUT").status == http.HTTPStatus.FORBIDDEN


def test_behind_a_further_proxy_visitors_are_told_apart_once_it_is_named(server: Server, tmp_path: Path) -> None:
    lines = ("set_real_ip_from 127.0.0.10", "real_ip_header X-Forwarded-For", "real_ip_recursive on")
    with started(tmp_path, server, *lines) as proxy, ExitStack() as stack:
        for visitor in ("192.0.2.1", "192.0.2.2"):
            opened = proxy.open_page(stack, "127.0.0.10", **{"X-Forwarded-For": f"198.51.100.9, {visitor}"})
            assert opened.status == http.HTTPStatus.SWITCHING_PROTOCOLS
        again = proxy.open_page(stack, "127.0.0.10", **{"X-Forwarded-For": "192.0.2.1"})
        assert again.status == http.HTTPStatus.TOO_MANY_REQUESTS
        # Who is not that proxy is not believed.
        for status in (http.HTTPStatus.SWITCHING_PROTOCOLS, http.HTTPStatus.TOO_MANY_REQUESTS):
            assert proxy.open_page(stack, "127.0.0.11", **{"X-Forwarded-For": "192.0.2.3"}).status == status


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
    assert statuses.count(http.HTTPStatus.OK) > 100
    assert statuses[-1] == http.HTTPStatus.TOO_MANY_REQUESTS
    assert proxy.ask(f"{BASE}/_stcore/health", source="127.0.0.7").status == http.HTTPStatus.OK


def test_a_group_behind_one_address_gets_every_file_of_its_pages(proxy: Proxy) -> None:
    root = Path(file_util.get_static_dir())
    files = [f"{BASE}/{path.relative_to(root)}" for path in (root / "static").rglob("*") if path.is_file()]
    assert len(files) > 200
    asked = [f"{BASE}/", f"{BASE}/_stcore/health", f"{BASE}/_stcore/host-config", *files]

    def visits(_: int) -> list[str]:
        """A browser that has nothing yet asks for more than any page needs; what it does not get."""
        kept = proxy.connection("127.0.0.9")
        missed = []
        for path in asked:
            kept.request("GET", path)
            answer = kept.getresponse()
            body = answer.read()
            if answer.status != http.HTTPStatus.OK or (
                path in files and body != (root / path.removeprefix(f"{BASE}/")).read_bytes()
            ):
                missed.append(f"{answer.status} {path}")
        kept.close()
        return missed

    with ThreadPoolExecutor(8) as group:
        assert [missed for each in group.map(visits, range(8)) for missed in each] == []


def test_pages_are_not_opened_without_end(proxy: Proxy) -> None:
    with ExitStack() as stack:
        answers = [proxy.open_page(stack, "127.0.0.8") for _ in range(100)]
    assert answers[0].status == http.HTTPStatus.SWITCHING_PROTOCOLS
    # The server refuses the others too, but some do not even come to it.
    assert [answer for answer in answers if answer.status == 429 and "“connections”" not in answer.body]
