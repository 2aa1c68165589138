"""How soon a browser shows the first picture, beside a plain Streamlit page with one chart, and what it waits for.

Run from the repository: ``python benchmarks/first_paint.py``. It starts both servers on loopback, visits them in turn
with Chromium, each time with nothing kept from before, and prints Markdown tables; see README.md beside it. Browser and
servers share the machine's cores.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import b64decode
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, BrowserContext, Page
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from chromium import chromium
from served import Server, free_ports, served
from visitor import visit as visit_without_browser
from workers import wait

PLAIN = """
import plotly.graph_objects as go
import streamlit as st

curve = go.Scatter(x=[0, 1, 2, 3, 4, 5, 6], y=[3, 14, 29, 33, 37, 39, 37])
rows = [[(3 * row * column) % 97 for column in range(70)] for row in range(70)]
charts = [[curve]]
if "full" in st.query_params:
    charts += [[curve], [curve], [curve], [go.Heatmap(z=rows)], [go.Scatter(y=row) for row in rows[:14]]]
    with st.sidebar:
        for number in range(5):
            st.selectbox(f"Choice {number}", ["one", "another"])
        st.text_area("Text")
        st.file_uploader("File")
        st.toggle("Switch")
        st.multiselect("Several", ["a", "b", "c", "d"], ["a", "b", "c", "d"])
        st.number_input("Number", 0, 10)
st.title("Plain")
for number, traces in enumerate(charts):
    st.plotly_chart(go.Figure(traces), key=f"chart {number}")
"""
FULL = "plain, controls and charts as ours"
SEEN = """
window.drawnAt = 0
const look = () => {
  if (document.querySelector(".js-plotly-plot .scatterlayer .trace path[d], .js-plotly-plot .hm image"))
    window.drawnAt = performance.now()
  else requestAnimationFrame(look)
}
look()
"""
"""Notes when the first picture is there: a curve or a map, not only the frame of one."""
REST_SECONDS = 1.0
"""Nothing more came for so long: all that the visit brings is there."""
PATIENCE = 60.0
VISITS, SERVERS, STEPS = 8, 3, 20
"""How often each is tried."""
LAYERS = ("4", "3", "2", "1", "0", "1", "2", "3")
"""Those that the layer's slider is moved to."""
MILLI = 1e3
KILOBYTE = 1e3
MEGABYTE = 1e6


@dataclass
class Visit:
    """What one visit took; seconds since the page was asked for."""

    picture: float = 0.0
    connected: float = 0.0
    """When the page opened its connection: its own scripts have been fetched and have begun by then."""
    chart: float = 0.0
    """When the message with the first chart came."""
    library: float = 0.0
    """When the file of the charts' library had come; 0 where it was kept from an earlier visit."""
    thread_seconds: float = 0.0
    """CPU time of the page's own thread until the picture: the same whatever else the machine does."""
    server_seconds: float = 0.0
    """CPU time of the web process until the page was at rest."""
    answers: int = 0
    """Those that came over the wire."""
    kinds: Counter[str] = field(default_factory=Counter)
    """Bytes that came over the wire, by what they are; those of the connection not counted."""
    frames: list[tuple[float, bytes]] = field(default_factory=list)

    @property
    def moved(self) -> int:
        """Bytes that came over the wire."""
        return self.kinds.total()

    @property
    def before(self) -> list[bytes]:
        """Frames that came before the picture."""
        return [frame for at, frame in self.frames if at <= self.picture]

    @property
    def runs(self) -> int:
        """How often the script, or a part of it, began to run."""
        return sum(ForwardMsg.FromString(frame).HasField("new_session") for _, frame in self.frames)

    @property
    def frame_bytes(self) -> int:
        """Bytes of all frames, before the connection packs them."""
        return sum(len(frame) for _, frame in self.frames)

    @property
    def figures(self) -> int:
        """Bytes of the JSON of all charts."""
        return sum(_figure(frame) for _, frame in self.frames)


class Watch:
    """What the browser tells of a page from now on.

    Args:
        page: that has not been sent anywhere yet, or rests.
    """

    def __init__(self, page: Page) -> None:
        self._visit = Visit()
        self._page = page
        self._begun = 0.0
        self._last = time.monotonic()
        self._names: dict[str, str] = {}
        session = page.context.new_cdp_session(page)
        notes: dict[str, Callable[[dict[str, Any]], None]] = {
            "requestWillBeSent": self._asked,
            "dataReceived": self._came,
            "responseReceived": self._answered,
            "loadingFinished": self._loaded,
            "webSocketWillSendHandshakeRequest": self._connected,
            "webSocketFrameReceived": self._frame,
        }
        for event, note in notes.items():
            session.on(f"Network.{event}", note)
        session.send("Network.enable")
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        self._session = session

    def note_picture(self) -> None:
        """Ask the browser when the picture came, and what it took."""
        measured = self._session.send("Performance.getMetrics")["metrics"]
        self._visit.thread_seconds = next(each["value"] for each in measured if each["name"] == "TaskDuration")
        self._visit.picture = self._page.evaluate("window.drawnAt") / MILLI

    def at_rest(self) -> Visit:
        """All of it, once nothing more comes."""
        while time.monotonic() < self._last + REST_SECONDS:
            self._page.wait_for_timeout(REST_SECONDS * MILLI / 10)
        return self._visit

    def _asked(self, event: dict[str, Any]) -> None:
        self._begun = self._begun or event["timestamp"]
        self._names[event["requestId"]] = event["request"]["url"]
        self._came(event)

    def _came(self, _: dict[str, Any]) -> None:
        self._last = time.monotonic()

    def _answered(self, event: dict[str, Any]) -> None:
        answer = event["response"]
        # What was preloaded counts as answered from memory the second time.
        over_the_wire = answer["url"].startswith("http") and not answer.get("fromDiskCache")
        self._visit.answers += over_the_wire and answer.get("encodedDataLength", 0) > 0

    def _loaded(self, event: dict[str, Any]) -> None:
        name = self._names.get(event["requestId"], "")
        if name.startswith("http"):
            self._visit.kinds[_what(name)] += int(event["encodedDataLength"])
        if "/PlotlyChart" in name:
            self._visit.library = self._visit.library or event["timestamp"] - self._begun
        self._came(event)

    def _connected(self, event: dict[str, Any]) -> None:
        self._visit.connected = self._visit.connected or event["timestamp"] - self._begun

    def _frame(self, event: dict[str, Any]) -> None:
        at, frame = event["timestamp"] - self._begun, b64decode(event["response"]["payloadData"])
        self._visit.frames.append((at, frame))
        if not self._visit.chart and _figure(frame):
            self._visit.chart = at
        self._came(event)


def visit(page: Page, address: str, process: psutil.Process) -> Visit:
    """Go to a page and wait until everything is there."""
    before = spent(process)
    watch = Watch(page)
    page.goto(address, wait_until="commit")
    until(page, "window.drawnAt > 0")
    watch.note_picture()
    seen = watch.at_rest()
    seen.server_seconds = spent(process) - before
    return seen


def until(page: Page, condition: str) -> None:
    """Wait until a condition holds on a page, whose own policy forbids to evaluate text from within it."""
    while not page.evaluate(condition):
        page.wait_for_timeout(20)


def spent(process: psutil.Process) -> float:
    """CPU seconds of a process."""
    times = process.cpu_times()
    return times.user + times.system


@contextmanager
def fresh(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that has been nowhere."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.add_init_script(SEEN)
    yield context
    context.close()


@contextmanager
def plain(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """A plain Streamlit page with one chart: its address and its process."""
    (folder / "plain.py").write_text(PLAIN)
    (port,) = free_ports(1)
    options = {
        "server.port": port,
        "server.address": "127.0.0.1",
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
    }
    command = [sys.executable, "-m", "streamlit", "run", "plain.py"]
    command += [part for name, value in options.items() for part in (f"--{name}", str(value))]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as program:
        server = Server(f"http://127.0.0.1:{port}", "", psutil.Process(program.pid), folder / "log")
        try:
            wait(lambda: program.poll() is not None or _answers(server))
            yield server.address, server.process
        finally:
            program.terminate()


def _answers(server: Server) -> bool:
    try:
        return server.fetch("/_stcore/health") == b"ok"
    except OSError:
        return False


def _what(name: str) -> str:
    if "/PlotlyChart" in name:
        return "charts' library"
    ending = name.partition("?")[0].rpartition(".")[2]
    return {"js": "scripts", "css": "styles", "woff2": "fonts"}.get(ending, "other")


def _figure(frame: bytes) -> int:
    return len(ForwardMsg.FromString(frame).delta.new_element.plotly_chart.spec)


def both(numbers: Sequence[float], form: str = ".2f") -> str:
    """Minimum and median."""
    return f"{min(numbers):{form}} / {statistics.median(numbers):{form}}"


def table(title: str, visits: dict[str, list[Visit]]) -> None:
    """Print what visits took, a column for each kind."""
    print(f"\n| {title} | {' | '.join(visits)} |\n|---|{'---:|' * len(visits)}")
    rows: dict[str, Callable[[Visit], float]] = {
        "seconds to the first picture": lambda each: each.picture,
        "to the connection": lambda each: each.connected,
        "to the message with the first chart": lambda each: each.chart,
        "to the charts' library": lambda each: each.library,
        "CPU-s of the page's thread": lambda each: each.thread_seconds,
        "CPU-s of the web process": lambda each: each.server_seconds,
        "answers": lambda each: each.answers,
        "MB moved": lambda each: each.moved / MEGABYTE,
        **{f"of it, {what}": _megabytes(what) for what in ("charts' library", "scripts", "fonts")},
        "runs of the script": lambda each: each.runs,
        "frames": lambda each: len(each.frames),
        "of them, before the picture": lambda each: len(each.before),
        "kB of frames": lambda each: each.frame_bytes / KILOBYTE,
        "of it, charts": lambda each: each.figures / KILOBYTE,
    }
    for name, of in rows.items():
        cells = [both([of(each) for each in every]) for every in visits.values()]
        print(f"| {name} | {' | '.join(cells)} |")


def _megabytes(what: str) -> Callable[[Visit], float]:
    return lambda each: each.kinds[what] / MEGABYTE


@dataclass
class Step:
    """What moving the layer's slider once took."""

    seconds: float
    """Of the web process, CPU."""
    until: float
    """Until all of it had come."""
    moved: int
    """Bytes over the wire."""
    unpacked: int


async def steps(server: Server) -> list[Step]:
    """Move the layer's slider down and up, as its page does, on a connection that counts what comes."""
    taken = []
    async with visit_without_browser(server.address) as visitor:
        await visitor.finished()
        for number in range(STEPS + 1):
            before, begun = server.web_seconds, time.perf_counter()
            came, drawn = visitor.received, len(visitor.frames)
            await visitor.step("Layer", LAYERS[number % len(LAYERS)])
            await visitor.finished()
            until, unpacked = time.perf_counter() - begun, sum(map(len, visitor.frames[drawn:]))
            taken.append(Step(server.web_seconds - before, until, visitor.received - came, unpacked))
    return taken[1:]


def warm(folder: Path, repeats: int) -> None:
    """Time visits of servers that run, in turn, and steps of the layer."""
    first: dict[str, list[Visit]] = defaultdict(list)
    second: dict[str, list[Visit]] = defaultdict(list)
    with plain(folder) as bare, served(folder / "log") as ours:
        where = {"plain": bare, FULL: (f"{bare[0]}/?full=1", bare[1]), "Oversmooth": (ours.address, ours.process)}
        with chromium() as browser:
            for number in range(repeats + 1):
                for name, (address, process) in where.items():
                    with fresh(browser) as context:
                        seen, again = (visit(context.new_page(), address, process) for _ in range(2))
                    if number:
                        first[name].append(seen)
                        second[name].append(again)
        moved = asyncio.run(steps(ours))
    table("first visit", first)
    table("second visit", second)
    print("\n| a step of the layer | |\n|---|---:|")
    print(f"| CPU-s of the web process | {both([each.seconds for each in moved])} |")
    print(f"| seconds until all has come | {both([each.until for each in moved])} |")
    print(f"| kB moved | {both([each.moved / KILOBYTE for each in moved], '.1f')} |")
    print(f"| kB unpacked | {both([each.unpacked / KILOBYTE for each in moved], '.1f')} |")


def started(folder: Path, repeats: int) -> None:
    """Time the first visits of servers that have just said that they are ready."""
    pictures = []
    for _ in range(repeats):
        with served(folder / "log") as server, chromium() as browser, fresh(browser) as context:
            pictures.append(visit(context.new_page(), server.address, server.process).picture)
    print(f"\n| of a fresh server | |\n|---|---:|\n| seconds to the first picture | {both(pictures)} |")


def main() -> None:
    """Time what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="One visit of each kind.")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as folder:
        warm(Path(folder), 1 if quick else VISITS)
        started(Path(folder), 1 if quick else SERVERS)


if __name__ == "__main__":
    main()
