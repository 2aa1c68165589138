"""What a server for strangers gives a crowd, and what the crowd costs it.

Run from the repository: ``python benchmarks/load.py``. It starts servers on loopback, visits them without a browser,
and prints Markdown tables; see README.md beside it. The visitors share the machine with the server: CPU seconds, which
are the server's and its workers' alone, say more than times.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from crowd import answered, come_and_go, endless, restless, short
from hanging import SNOWMAN, hanging
from served import Server, served
from visitor import Visitor, visit
from workers import wait

from oversmooth.core.errors import DeadlineError
from oversmooth.results.settings import Settings
from oversmooth.service.engine import Engine
from oversmooth.service.hosting import Limits

MEGABYTE = 1e6
PAGES = {"Measure": "", "Compare": "compare"}
HOSTED: dict[str, object] = {"profile": "hosted-s", "connections": 500}
"""Everybody comes from one address here."""
ENDLESS: dict[str, object] = HOSTED | {"texts": 2_000, "characters": 10**6, "run_bytes": 2**34}
SENTENCE = (
    "the old river carries more water than its narrow bed can hold and every child of our village builds small boats "
    "of bark while a patient ferryman who has seen forty floods moves his chairs to the second floor nobody calls it "
    "disaster they call this season when meadows learn to swim and foxes sleep on warm roofs until summer returns"
)
WORDS = SENTENCE.split()


@dataclass(frozen=True)
class Plan:
    """How much is tried."""

    sessions: int
    think_seconds: float
    steady_seconds: float
    neighbour_seconds: float
    burst: int
    abandoned: int
    visits: int
    warm_up: int
    deadline: float
    restless: int
    answers: int
    flood: int


FULL = Plan(20, 10.0, 300.0, 120.0, 64, 10, 1000, 100, 10.0, 7, 60, 300)
QUICK = Plan(3, 0.5, 5.0, 5.0, 6, 2, 8, 4, 10.0, 2, 3, 20)
ZIP = "Everything in one zip"


@dataclass
class Seen:
    """What visitors met."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    """From asking to the end of the answer, by page."""
    refusals: list[float] = field(default_factory=list)
    """Seconds from asking to a sentence that names a limit."""
    errors: list[str] = field(default_factory=list)

    @property
    def answers(self) -> list[float]:
        """Of all pages."""
        return [each for page in self.seconds.values() for each in page]

    def note(self, visitor: Visitor, page: str, seconds: float) -> None:
        """Add how one request ended."""
        if visitor.traces or visitor.exceptions:
            self.errors.append("an exception")
        elif answered(visitor):
            self.seconds.setdefault(page, []).append(seconds)
        elif visitor.alerts and "limit" in visitor.alerts[0]:
            self.refusals.append(seconds)
        else:
            self.errors.append("; ".join(visitor.alerts) or "nothing shown")


def text_of(number: int) -> str:
    """About a hundred words, unlike those of any other number."""
    draw = random.Random(number)
    return " ".join(draw.sample(WORDS, len(WORDS)) + draw.choices(WORDS, k=100 - len(WORDS)))


def percentiles(seconds: Sequence[float]) -> str:
    """The 50th, 95th and 99th, and the largest."""
    if len(seconds) < 2:
        return " / ".join(f"{each:.2f}" for each in seconds) or "–"
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return " / ".join(f"{each:.2f}" for each in (cuts[49], cuts[94], cuts[98], max(seconds)))


async def let_in(visitor: Visitor) -> None:
    """Try again, as the page of a busy server says, until it is drawn."""
    await visitor.finished()
    while not visitor.figures and any("“waiting”" in alert for alert in visitor.alerts):
        await asyncio.sleep(1)
        await visitor.press("Try again")
        await visitor.finished()


async def session(server: Server, page: str, number: int, plan: Plan, until: float, seen: Seen) -> None:
    """One visitor who reads what came, thinks, and asks for another text."""
    think = random.Random(number)
    async with visit(server.address, PAGES[page]) as visitor:
        await let_in(visitor)
        going = True
        while going:
            await asyncio.sleep(think.expovariate(1 / plan.think_seconds))
            began = time.monotonic()
            await visitor.change("text", text_of(think.getrandbits(40)))
            await visitor.finished()
            seen.note(visitor, page, time.monotonic() - began)
            await let_in(visitor)
            going = time.monotonic() < until


async def steady(server: Server, plan: Plan, seconds: float) -> Seen:
    """So many sessions for so long, on each page in turn."""
    seen, until = Seen(), time.monotonic() + seconds
    pages = list(PAGES)
    await asyncio.gather(
        *(session(server, pages[number % len(pages)], number, plan, until, seen) for number in range(plan.sessions))
    )
    return seen


async def peak(server: Server, stop: asyncio.Event) -> float:
    """The most memory that the server and its workers hold until told to stop, in megabytes."""
    most = 0
    while not stop.is_set():
        with contextlib.suppress(Exception):  # a worker that ends while it is looked at
            most = max(most, server.resident)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 0.5)
    return most / MEGABYTE


def steady_rows(server: Server, plan: Plan) -> Iterator[str]:
    """Quiet, and beside two processes that spin."""
    quiet = 0.0
    for beside, seconds in (("nothing", plan.steady_seconds), ("two busy processes", plan.neighbour_seconds)):
        before = server.seconds
        with busy_neighbours(2 if beside != "nothing" else 0):
            seen = asyncio.run(steady(server, plan, seconds))
        each = (server.seconds - before) / max(1, len(seen.answers))
        for page, taken in sorted(seen.seconds.items(), reverse=True):
            yield f"| {beside} | {page} | {len(taken)} | {percentiles(taken)} | | | |"
        slowest = statistics.quantiles(seen.answers, n=100, method="inclusive")[94]
        ratio = f"{slowest / quiet:.1f}" if quiet else ""
        quiet = quiet or slowest
        cells = f"{each:.2f} | {server.resident / MEGABYTE:.0f} | {ratio}"
        yield f"| {beside} | all | {len(seen.answers)}, {_failures(seen)} | {percentiles(seen.answers)} | {cells} |"


@contextlib.contextmanager
def busy_neighbours(number: int) -> Iterator[None]:
    """Processes that spin meanwhile."""
    spinning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(number)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


async def burst(server: Server, queries: Sequence[str]) -> tuple[Seen, float]:
    """Everybody at once; what they met, and the most memory meanwhile."""
    seen, stop = Seen(), asyncio.Event()

    async def one(query: str) -> None:
        began = time.monotonic()
        async with visit(server.address, query=query) as visitor:
            await visitor.finished()
            seen.note(visitor, "Measure", time.monotonic() - began)

    watch = asyncio.create_task(peak(server, stop))
    await asyncio.gather(*map(one, queries))
    stop.set()
    return seen, await watch


def burst_rows(server: Server, plan: Plan) -> Iterator[str]:
    """With runs of a fraction of a second, and with such as fill the queue."""
    asyncio.run(come_and_go(server.address, names(range(1))))  # which has it import what draws
    light = [urlencode({"text": text_of(-1 - number)}) for number in range(plan.burst)]
    heavy = [urlencode({"texts": "bundled", "max_tokens": 40 + number}) for number in range(plan.burst)]
    for name, queries in (("100 words each", light), ("64 sentences each", heavy)):
        workers, lost = server.workers.keys(), server.counter("oversmooth_runs_total", outcome="workerlost")
        seen, most = asyncio.run(burst(server, queries))
        restarts = len(workers - server.workers.keys())
        lost = server.counter("oversmooth_runs_total", outcome="workerlost") - lost
        yield (
            f"| {name} | {len(seen.answers)} | {percentiles(seen.answers)} | {len(seen.refusals)} | "
            f"{percentiles(seen.refusals)} | {_failures(seen)} | {most:.0f} | {restarts}, {lost:.0f} runs lost |"
        )


def abandoned_row(server: Server, plan: Plan) -> str:
    """Visitors who leave a tenth of a second after they asked for a long run."""

    async def leave(number: int) -> None:
        async with visit(server.address, query=endless(f"left {number}")):
            await asyncio.sleep(0.1)

    async def all_leave() -> None:
        await asyncio.gather(*map(leave, range(plan.abandoned)))

    before, began = server.seconds, time.monotonic()
    asyncio.run(all_leave())
    # The scripts, too, take a moment to notice: two looks in a row must find nothing that goes on.
    wait(lambda: _resting(server))
    spent = server.seconds - before
    return f"| {plan.abandoned} | {spent:.2f} | {spent / plan.abandoned:.2f} | {time.monotonic() - began:.1f} |"


def _resting(server: Server) -> bool:
    before = server.seconds
    time.sleep(0.5)
    queue = server.counter("oversmooth_queue_length") + server.counter("oversmooth_running")
    return queue == 0 and server.seconds - before < 0.1


def names(numbers: range) -> Iterator[str]:
    """Of what visitors ask for: one in ten a text of its own."""
    return (f"own {number}" if number % 10 == 0 else f"shared {number % 7}" for number in numbers)


def memory_row(server: Server, plan: Plan) -> str:
    """What visits leave behind."""
    asyncio.run(come_and_go(server.address, names(range(plan.warm_up))))
    web, all_of_it, before = server.process.memory_info().rss, server.resident, server.seconds
    asyncio.run(come_and_go(server.address, names(range(plan.warm_up, plan.warm_up + plan.visits))))
    grown, all_grown = server.process.memory_info().rss - web, server.resident - all_of_it
    return (
        f"| {plan.visits} | {web / MEGABYTE:.0f} | {grown / MEGABYTE:+.1f} | {all_grown / MEGABYTE:+.1f} | "
        f"{(server.seconds - before) / plan.visits:.2f} | {server.process.num_threads()} | {server.process.num_fds()} |"
    )


async def beside_restless(server: Server, plan: Plan, pages: int) -> list[float]:
    """Seconds of a visitor's answers beside restless pages of another address."""
    stop, seconds = asyncio.Event(), []
    tasks = [asyncio.create_task(restless(server.address, str(number), stop)) for number in range(pages)]
    async with visit(server.address, query=short("other"), headers={"X-Forwarded-For": "198.51.100.2"}) as visitor:
        await visitor.finished()
        for number in range(plan.answers):
            began = time.monotonic()
            await visitor.change("text", text_of(10**6 * (pages + 1) + number))
            await visitor.finished()
            seconds.append(time.monotonic() - began)
    stop.set()
    await asyncio.gather(*tasks)
    return seconds


def turns_rows(server: Server, plan: Plan) -> Iterator[str]:
    """Alone, and beside pages that change a control fifteen times a second."""
    for pages in (0, plan.restless):
        yield f"| {pages} | {plan.answers} | {percentiles(asyncio.run(beside_restless(server, plan, pages)))} |"


async def beside_flood(server: Server, plan: Plan) -> tuple[list[float], int]:
    """Seconds of a visitor's downloads while another page has asked for the zip over and over; how often in vain."""
    seconds = []
    async with visit(server.address, query=short("greedy")) as greedy, visit(server.address) as visitor:
        await greedy.finished()
        await visitor.finished()
        wishes = [await greedy.wish(greedy.widget(ZIP).deferred_file_id) for _ in range(plan.flood)]
        for name in ("CSV", "JSON", "NPZ"):
            began = time.monotonic()
            server.fetch(await visitor.download(name))
            seconds.append(time.monotonic() - began)
        await greedy.until(lambda: all(wish in greedy.answers for wish in wishes))
        return seconds, sum(bool(greedy.answers[wish].error_msg) for wish in wishes)


async def left_in_the_middle(server: Server) -> float:
    """Seconds until nothing is written any more for a page that has gone."""
    async with visit(server.address, query=short("leaves")) as visitor:
        await visitor.finished()
        await visitor.wish(visitor.widget(ZIP).deferred_file_id)
        await asyncio.to_thread(wait, lambda: server.counter("oversmooth_exports_running") > 0)
    began = time.monotonic()
    await asyncio.to_thread(wait, lambda: server.counter("oversmooth_exports_running") == 0)
    return time.monotonic() - began


def exports_row(server: Server, plan: Plan) -> str:
    """A flood of zips from one page, a visitor who leaves, and the end of the server: its last row."""
    seconds, refused = asyncio.run(beside_flood(server, plan))
    left = asyncio.run(left_in_the_middle(server))
    ended = asyncio.run(_ended_while_writing(server))
    return f"| {plan.flood} | {refused} | {percentiles(seconds)} | {left:.2f} | {ended:.2f} |"


async def _ended_while_writing(server: Server) -> float:
    async with visit(server.address, query=short("ends")) as visitor:
        await visitor.finished()
        await visitor.wish(visitor.widget(ZIP).deferred_file_id)
        await asyncio.to_thread(wait, lambda: server.counter("oversmooth_exports_running") > 0)
        began = time.monotonic()
        server.process.terminate()
        await asyncio.to_thread(server.process.wait, 30)
        return time.monotonic() - began


def deadline_rows(folder: Path, plan: Plan) -> Iterator[str]:
    """A run that is too long, and a tokenizer that hangs."""
    with Engine(Limits(workers=1, threads=1, deadline=plan.deadline)) as engine:
        wait(lambda: engine.ready)
        model = hanging(folder)
        texts = tuple(f"{number} {SENTENCE}" for number in range(2000))
        requests = {"a long run": Settings.of(texts=texts), "a hung tokenizer": Settings.of(texts=SNOWMAN, model=model)}
        for name, settings in requests.items():
            began = time.monotonic()
            late = engine.submit(settings)
            following = engine.submit(Settings.of(texts=f"Behind {name} the cat sat."))
            with contextlib.suppress(DeadlineError):
                late.result(60)
            ended = time.monotonic()
            following.result(60)
            answered_after = time.monotonic() - ended
            yield f"| {name} | {plan.deadline:g} | {ended - began:.2f} | {answered_after:.2f} |"


def _failures(seen: Seen) -> str:
    kinds = f": {'; '.join(sorted(set(seen.errors)))}" if seen.errors else ""
    return f"{len(seen.errors)} errors{kinds}"


def table(title: str, head: str, rows: Iterator[str]) -> None:
    """Print one, row by row as they come."""
    print(f"\n## {title}\n\n{head}\n|{'---|' * (head.count('|') - 1)}")
    for row in rows:
        print(row, flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: every row, no meaning in the numbers")
    plan = QUICK if parser.parse_args().quick else FULL
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before; profile hosted-s: 2 workers of 1 thread.")
    with tempfile.TemporaryDirectory() as folder:
        about = "50th / 95th / 99th percentile / most, seconds"
        with served(Path(folder) / "log", **HOSTED) as server:
            head = f"| asked for | answers | {about} | refused | {about} | errors | most MB | workers restarted |"
            table(f"{plan.burst} visitors at once, of a server that was visited before", head, burst_rows(server, plan))
        with served(Path(folder) / "log", **HOSTED) as server:
            head = f"| beside | page | answers | {about} | CPU-s an answer | MB at the end | 95th : quiet |"
            title = f"{plan.sessions} sessions, {plan.think_seconds:g} s between an answer and the next text"
            table(title, head, steady_rows(server, plan))
            head = "| visits | web process, MB | grown, MB | with workers, MB | CPU-s a visit | threads | open files |"
            table("Visits, four at a time", head, iter([memory_row(server, plan)]))
        with served(Path(folder) / "log", **ENDLESS) as server:
            head = "| visitors | CPU-s in all | CPU-s each | seconds until nothing goes on |"
            table("Visitors who leave at once", head, iter([abandoned_row(server, plan)]))
        with served(Path(folder) / "log", **HOSTED) as server:
            head = f"| restless pages of one address | answers of another | {about} |"
            table("Pages that change a control fifteen times a second", head, turns_rows(server, plan))
            head = (
                f"| zips asked for | refused | another's downloads, {about} | goes on after leaving, s | SIGTERM, s |"
            )
            table("A flood of exports", head, iter([exports_row(server, plan)]))
        head = "| what | deadline, s | told after, s | the next one's answer, s later |"
        table("Deadline", head, deadline_rows(Path(folder) / "model", plan))


if __name__ == "__main__":
    main()
