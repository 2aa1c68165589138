"""One server and its visitors: what a crowd meets, what a lost process does to whom, and how the server ends.

A visitor gets an answer or a sentence, and what one does or suffers is nothing to the others.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack
from functools import partial
from io import BytesIO
from zipfile import ZipFile

import pytest
from crowd import SMALL, answered, come_and_go, endless, measuring, placed, short
from served import STOP_SECONDS, Server, full_disk_of, served
from visitor import PATIENCE, Visitor, visit
from workers import gone, wait

pytestmark = pytest.mark.slow

CROWD = 24
WAITING = int(str(SMALL["waiting"]))
FULL = re.compile(
    r"This server is busy: \d+ pages wait or are being drawn, .* \(the limit “waiting”\)\. Try again in a moment\."
)
MEGABYTE = 1e6
STARTING_SECONDS = 0.1
"""CPU time that a worker takes at least to load its model."""
PAGE_SECONDS = 0.1
"""CPU time of the web process that a page may take which is refused, or drawn up to where it waits."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for strangers whose queue is soon full. It was visited before, which has it import what draws."""
    with served(tmp_path_factory.mktemp("server") / "log", **SMALL) as server:
        asyncio.run(_first_visit(server))
        wait(lambda: len(server.workers) == 2)
        yield server
    log = server.log.read_text()
    assert "Traceback" not in log
    assert '"level": "error"' not in log


async def _first_visit(server: Server) -> None:
    async with visit(server.address) as visitor:
        await visitor.finished()
        assert answered(visitor), visitor.alerts


async def arrive(server: Server, stack: AsyncExitStack, *queries: str) -> list[Visitor]:
    """Visitors who open these pages at once, until the stack is closed."""
    return [await stack.enter_async_context(visit(server.address, query=query)) for query in queries]


def idle(server: Server) -> bool:
    """Whether no run waits or is computed."""
    return server.counter("oversmooth_queue_length") + server.counter("oversmooth_running") == 0


def test_everybody_of_a_burst_gets_an_answer_or_is_told_that_the_queue_is_full(server: Server) -> None:
    workers = server.workers.keys()

    async def burst() -> None:
        async with AsyncExitStack() as stack:
            async with AsyncExitStack() as meanwhile:
                for visitor in await arrive(server, meanwhile, endless("first"), endless("second")):
                    await visitor.until(partial(measuring, visitor))
                before = server.web_seconds
                crowd = await arrive(server, stack, *(short(f"burst {number}") for number in range(CROWD)))
                for visitor in crowd:
                    await visitor.until(partial(placed, visitor))
                assert server.web_seconds - before < CROWD * PAGE_SECONDS
                refused = [visitor for visitor in crowd if visitor.done]
                waiting = [visitor for visitor in crowd if not visitor.done]
                assert server.counter("oversmooth_queue_length") == len(waiting) == WAITING
                assert server.counter("oversmooth_refusals_total", limit="waiting") == len(refused) == CROWD - WAITING
                assert server.workers.keys() == workers
            for visitor in refused:
                assert len(visitor.alerts) == 1
                assert FULL.fullmatch(visitor.alerts[0])
            for visitor in waiting:
                await visitor.finished()
                assert answered(visitor), visitor.alerts
            await refused[0].press("Try again")
            await refused[0].finished()
            assert answered(refused[0]), refused[0].alerts
            assert [trace for visitor in crowd for trace in (*visitor.traces, *visitor.exceptions)] == []

    memory = server.process.memory_info().rss
    asyncio.run(burst())
    assert server.process.memory_info().rss - memory < 100 * MEGABYTE
    assert server.counter("oversmooth_runs_total", outcome="workerlost") == 0


def test_runs_that_their_visitors_have_left_are_not_computed(server: Server) -> None:
    async def leave() -> float:
        async with AsyncExitStack() as stack:
            for visitor in await arrive(server, stack, *(endless(f"left {number}") for number in range(10))):
                await visitor.until(partial(placed, visitor))
            return server.seconds

    wait(partial(idle, server))
    before = asyncio.run(leave())
    wait(partial(idle, server))
    # One alone takes more than this to the end.
    assert server.seconds - before < 5


def test_visits_leave_nothing_behind(server: Server) -> None:
    asyncio.run(come_and_go(server.address, (f"visit {number % 5}" for number in range(8))))
    # Of the process that draws: a worker's depends on what it was asked before, and when it was started.
    memory, threads = server.process.memory_info().rss, server.process.num_threads()
    asyncio.run(come_and_go(server.address, (f"visit {number % 5}" for number in range(24))))
    assert server.process.memory_info().rss - memory < 12 * MEGABYTE
    assert server.process.num_threads() <= threads


async def at_rest(server: Server) -> dict[int, float]:
    """CPU seconds of both workers once neither computes, nor starts up any more."""
    async with asyncio.timeout(PATIENCE):
        while True:
            before = server.working_seconds
            await asyncio.sleep(1)
            if len(before) == 2 and min(before.values()) > STARTING_SECONDS and before == server.working_seconds:
                return before


async def worker_of(before: dict[int, float], server: Server, visitor: Visitor) -> int:
    """The process that computes for this visitor, the only one who asks since the workers were at rest."""
    await visitor.until(partial(measuring, visitor))
    async with asyncio.timeout(PATIENCE):
        while True:
            taken = {pid: now - before[pid] for pid, now in server.working_seconds.items()}
            pid = max(taken, key=taken.__getitem__)
            if taken[pid] > 0.2:
                return pid
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (signal.SIGKILL, "was killed (SIGKILL), most likely because the machine ran out of memory"),
        (signal.SIGSEGV, "crashed or was ended from outside (SIGSEGV)"),
        (signal.SIGSTOP, "Stopped. Nothing was lost"),
    ],
)
def test_who_loses_a_worker_is_told_and_the_other_gets_the_answer(
    server: Server, number: signal.Signals, said: str
) -> None:
    async def lose() -> None:
        async with AsyncExitStack() as stack:
            before = await at_rest(server)
            victim = await stack.enter_async_context(visit(server.address, query=endless(f"victim of {number}")))
            lost = await worker_of(before, server, victim)
            other = await stack.enter_async_context(visit(server.address, query=short(f"beside {number}")))
            os.kill(lost, number)
            await other.finished()
            assert answered(other), other.alerts
            if number == signal.SIGSTOP:  # Hangs until its deadline, or until somebody has enough.
                await victim.press("Stop")
            await victim.finished()
            assert len(victim.alerts) == 1
            assert said in victim.alerts[0]
            assert victim.traces == victim.exceptions == other.traces == []
            wait(lambda: gone(lost) and len(server.workers) == 2)
            await victim.change("Texts, one a line", f"After {number} the cat sat.\nThe dog looked at the rain.")
            await victim.finished()
            assert answered(victim), victim.alerts

    asyncio.run(lose())


def test_a_download_needs_no_disk(server: Server) -> None:
    async def download() -> tuple[bytes, bytes]:
        async with visit(server.address, query=short("download")) as visitor:
            await visitor.finished()
            with full_disk_of(server.process):
                return server.fetch(await visitor.download("JSON")), server.fetch(await visitor.download("CSV"))

    numbers, tables = asyncio.run(download())
    assert "Visitor download: the cat sat on the mat" in numbers.decode()
    with ZipFile(BytesIO(tables)) as files:
        assert "curves.csv" in files.namelist()
        assert files.testzip() is None


def test_a_server_that_is_stopped_in_the_middle_of_a_run_ends_well_and_leaves_nothing(server: Server) -> None:
    # The last test of this server.
    async def stop() -> int:
        async with visit(server.address, query=endless("stopped")) as visitor:
            await visitor.until(partial(measuring, visitor))
            server.process.send_signal(signal.SIGTERM)
            code = await asyncio.to_thread(server.process.wait, STOP_SECONDS)
            assert visitor.traces == visitor.exceptions == []
            return int(code)

    workers = tuple(server.workers)
    assert asyncio.run(stop()) == 0
    assert workers
    assert all(map(gone, workers))
