"""The server as an operator starts it for strangers: what it answers, refuses, counts and logs, and how it ends."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import hashlib
import http.client
import json
import re
import signal
import socket
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import psutil
import pytest
from served import Server, served
from visitor import visit
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from workers import WORDS, gone, wait

pytestmark = pytest.mark.slow

BASE = "/over"
LIMIT = 3
CANARY = "quetzal9317"
LONG = "%0A".join(f"{CANARY} {number} {WORDS}".replace(" ", "+") for number in range(40))


@pytest.fixture(scope="module")
def outside() -> Iterator[socket.socket]:
    """Where every request to the internet would arrive: the one proxy to it, which nobody should ask."""
    with socket.create_server(("127.0.0.1", 0)) as trap, pytest.MonkeyPatch.context() as environment:
        trap.setblocking(False)
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            environment.setenv(name, f"http://127.0.0.1:{trap.getsockname()[1]}")
        environment.setenv("no_proxy", "127.0.0.1")
        yield trap


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, outside: socket.socket) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("server") / "log"
    own = {"base_path": BASE, "connections": LIMIT, "hosts": "over.example,127.0.0.1"}
    with served(log, profile="hosted-xs", **own) as running:
        yield running


OF_THE_ANSWER = {
    "accept-ranges",
    "allow",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "etag",
    "last-modified",
    "vary",
}
"""Headers that say what an answer is, and nothing of what a browser may do with it."""
GUARDS = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "accelerometer=(), browsing-topics=(), camera=(), display-capture=(), geolocation=(), "
    "gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
POLICY = {
    "default-src": {"'none'"},
    "style-src": {"'self'", "'unsafe-inline'"},
    "img-src": {"'self'", "data:"},
    "font-src": {"'self'", "data:"},
    "connect-src": {"'self'"},
    "form-action": {"'none'"},
    "base-uri": {"'none'"},
    "frame-ancestors": {"'none'"},
}
"""What the page may load besides scripts; of these, its own files and those known by their hash."""


def get(server: Server, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, dict[str, str], str]:
    """Status, headers and body, whatever they are."""
    connection = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", path, headers=dict(headers or {}))
        answer = connection.getresponse()
        body = answer.read()
        told = {name.lower(): value for name, value in answer.headers.items()}
        body = gzip.decompress(body) if told.get("content-encoding") == "gzip" else body
        return answer.status, told, body.decode(errors="replace")


def open_page(server: Server, visitor: str, **headers: str) -> ClientConnection:
    """The connection that a page keeps, of a visitor at this address behind the proxy."""
    address = f"ws://{urlsplit(server.address).netloc}{BASE}/_stcore/stream"
    return connect(address, additional_headers={"X-Forwarded-For": visitor, **headers}, proxy=None)


def refusal(server: Server, visitor: str, **headers: str) -> tuple[int, Mapping[str, str], str]:
    """How a connection is refused."""
    with pytest.raises(InvalidStatus) as refused, open_page(server, visitor, **headers):
        pass
    answer = refused.value.response
    return answer.status_code, answer.headers, (answer.body or b"").decode()


def policy(headers: Mapping[str, str]) -> dict[str, set[str]]:
    directives = (part.split() for part in headers["content-security-policy"].split(";"))
    return {name: set(sources) for name, *sources in directives}


def require_headers(headers: Mapping[str, str]) -> None:
    others = {name: value for name, value in headers.items() if name.lower() not in OF_THE_ANSWER}
    directives = policy(others)
    del others["content-security-policy"]
    assert others == GUARDS
    scripts = directives.pop("script-src")
    assert directives == POLICY
    assert "'self'" in scripts
    assert all(re.fullmatch(r"'sha256-[\w+/]{43}='", source) for source in scripts - {"'self'"})


def test_every_kind_of_answer_carries_the_headers(server: Server) -> None:
    script = re.findall(r'src="\./(static/js/[^"]+)"', get(server, f"{BASE}/")[2])[0]
    asked = {
        f"{BASE}/": 200,
        f"{BASE}/compare": 200,
        f"{BASE}/{script}": 200,
        f"{BASE}/media/nothing.png": 404,
        f"{BASE}/_stcore/metrics": 404,
        "/elsewhere": 404,
        f"{BASE}/..%2f..%2fetc/passwd": 400,
        "/healthz": 200,
        "/readyz": 200,
    }
    for path, status in asked.items():
        answer, headers, _ = get(server, path)
        assert (path, answer) == (path, status)
        require_headers(headers)
    status, headers, _ = get(server, f"{BASE}/", {"Host": "evil.example"})
    assert status == 400
    require_headers(headers)
    status, refused, _ = refusal(server, "198.51.100.1", Origin="https://evil.example")
    assert status == 403
    require_headers(refused)


def test_the_policy_allows_the_scripts_of_the_page_and_no_other(server: Server) -> None:
    _, headers, page = get(server, f"{BASE}/")
    inline = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert inline
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(each.encode()).digest()).decode()}'" for each in inline}
    scripts = policy(headers)["script-src"]
    assert hashes <= scripts
    assert len(scripts - hashes - {"'self'"}) == 1  # that of the button that copies the link


@pytest.mark.parametrize("name", ["", "compare", "explain", "measure", "reference", "start", "nothing"])
def test_a_page_says_where_its_server_is(server: Server, name: str) -> None:
    for headers in ({}, {"Accept-Encoding": "gzip"}, {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}):
        status, told, page = get(server, f"{BASE}/{name}", headers)
        assert (status, "etag" in told, "last-modified" in told) == (200, False, False)
        assert page.count("BACKEND_BASE_URL") == 1
        assert page.index("BACKEND_BASE_URL") < page.index('src="./static')
    # A page that looks for it below its own name all the same is sent further up without an error.
    for asked, answer in (("health", "ok"), ("host-config", "null")):
        assert get(server, f"{BASE}/{name}/_stcore/{asked}".replace("//", "/"))[::2] == (200, answer) or not name
    assert "allowedOrigins" in get(server, f"{BASE}/_stcore/host-config")[2]
    assert get(server, "/_stcore/host-config")[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "_stcore/metrics",
        "_stcore/script-health-check",
        "_stcore/agent/openapi.json",
        "_stcore/agent/mcp",
        "component/x/index.html",
        "auth/login",
        "oauth2callback",
        "app/static/x",
        "healthz",
        "readyz",
    ],
)
def test_what_the_dashboard_has_no_use_for_is_not_there(server: Server, path: str) -> None:
    assert get(server, f"{BASE}/{path}")[::2] == (404, "Not Found")


def test_only_the_servers_own_names_are_answered(server: Server) -> None:
    for host in ("evil.example", "over.example.evil.example", ""):
        assert get(server, f"{BASE}/", {"Host": host})[0] == 400
        assert get(server, f"{BASE}/_stcore/health", {"Host": host})[0] == 400
    assert get(server, f"{BASE}/", {"Host": "OVER.example:8443"})[0] == 200
    # Who supervises a container asks by its address.
    assert get(server, "/healthz", {"Host": "10.0.0.7:8501"})[::2] == (200, "ok")


def test_a_page_of_another_site_opens_no_connection(server: Server) -> None:
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1", "http://[", "http://localhost"):
        assert refusal(server, "198.51.100.2", Origin=origin)[0] == 403
    own = f"http://{urlsplit(server.address).netloc}"
    with open_page(server, "198.51.100.2", Origin=own) as page:
        page.ping()


def test_an_address_keeps_so_many_pages_open(server: Server) -> None:
    visitor, counted = "198.51.100.3", server.counter("oversmooth_refusals_total", limit="connections")
    with contextlib.ExitStack() as stack:
        pages = [stack.enter_context(open_page(server, visitor)) for _ in range(LIMIT)]
        status, headers, told = refusal(server, visitor)
        assert status == 429
        require_headers(headers)
        assert "at most 3 pages" in told
        assert "“connections”" in told
        assert server.counter("oversmooth_refusals_total", limit="connections") == counted + 1
        stack.enter_context(open_page(server, "198.51.100.4"))
        # What is said of an address by somebody who is no proxy of ours counts for nothing: the last one named does.
        assert refusal(server, f"203.0.113.9, {visitor}")[0] == 429
        pages[0].close()
        stack.enter_context(opened_in_time(server, visitor))
        pages[1].socket.shutdown(socket.SHUT_RDWR)  # as a machine that is switched off
        stack.enter_context(opened_in_time(server, visitor))
        refusal(server, visitor, Origin="https://evil.example")
        assert refusal(server, visitor)[0] == 429
    with contextlib.ExitStack() as stack:
        for _ in range(LIMIT):
            stack.enter_context(opened_in_time(server, visitor))


def opened_in_time(server: Server, visitor: str) -> ClientConnection:
    """A connection, as soon as the server has noticed that another one is gone."""
    found: list[ClientConnection] = []

    def tried() -> bool:
        with contextlib.suppress(InvalidStatus):
            found.append(open_page(server, visitor))
        return bool(found)

    wait(tried)
    return found[0]


def test_what_a_visitor_writes_is_in_no_log(server: Server, outside: socket.socket) -> None:
    get(server, f"{BASE}/?text={CANARY}", {"User-Agent": CANARY, "Referer": f"http://{CANARY}/"})
    get(server, f"/{CANARY}")
    refusal(server, "198.51.100.5", Origin=f"https://{CANARY}.example")
    for nonsense in (CANARY, CANARY.encode()):
        # The server closes the connection.
        with open_page(server, "198.51.100.5") as page, contextlib.suppress(ConnectionClosed):
            page.send(nonsense)
            for _ in page:
                pass

    async def measure() -> list[str]:
        async with visit(f"{server.address}{BASE}", query=f"text={CANARY}+and+the+cat+sat+on+the+mat") as visitor:
            await visitor.finished()
            # As .streamlit/config.toml has it, which stands beside the script.
            assert any(b"#0072B2" in frame for frame in visitor.frames)
            return visitor.exceptions

    assert asyncio.run(measure()) == []
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert CANARY not in server.log.read_text()
    assert CANARY not in server.fetch("/readyz").decode()
    assert "server started" in {line.get("event") for line in lines}
    assert [line for line in lines if line["level"] in ("error", "critical")] == []
    with pytest.raises(BlockingIOError):
        outside.accept()


def test_the_processes_that_compute_ask_no_hub(server: Server) -> None:
    assert server.workers
    for worker in server.workers.values():
        assert {worker.environ()[name] for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")} == {"1"}


def test_the_process_that_strangers_reach_holds_no_torch(server: Server) -> None:
    assert not [each.path for each in server.process.memory_maps() if "torch" in each.path]


def test_it_is_ready_while_a_worker_is(server: Server) -> None:
    assert get(server, "/readyz")[::2] == (200, "ready")
    (before,) = server.workers
    psutil.Process(before).kill()
    wait(lambda: get(server, "/readyz")[0] == 503)
    assert get(server, "/readyz")[2] in ("no worker", "loading the model")
    assert get(server, "/healthz")[::2] == (200, "ok")
    wait(lambda: get(server, "/readyz")[0] == 200)
    assert before not in server.workers


def test_it_ends_in_good_order_in_the_middle_of_a_run(server: Server) -> None:
    async def interrupted() -> int | None:
        async with visit(f"{server.address}{BASE}", query=f"text={LONG}") as visitor:
            await visitor.until(lambda: server.counter("oversmooth_running") == 1)
            server.process.send_signal(signal.SIGTERM)
            with pytest.raises(ConnectionError):
                await visitor.finished()
            return visitor._connection.close_code

    workers = list(server.workers)
    assert asyncio.run(interrupted()) == 1012  # “service restart”: browsers try again
    assert server.process.wait(5) == 0
    wait(lambda: all(gone(pid) for pid in workers))
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert lines[-1]["event"] == "server stopped"
    assert [line for line in lines if line["level"] == "critical"] == []
    assert "Traceback" not in server.log.read_text()
