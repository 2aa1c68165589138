"""Downloads of one server: what one page asks for without measure is nothing to the others, and ends with the page."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from functools import partial

import pytest
from crowd import SMALL, answered, short
from served import Server, served
from visitor import Visitor, visit
from workers import gone, wait

pytestmark = pytest.mark.slow

FLOOD = 300
ZIP = "Everything in one zip"
REFUSED = "This page has a file written already. Wait until it is there, then ask for the next one."

GONE = "This file is offered no more: the page has changed since. Press the button again."


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("server") / "log", **SMALL) as server:
        yield server
    log = server.log.read_text()
    assert "Traceback" not in log
    assert '"level": "error"' not in log


async def reader(server: Server, stack: AsyncExitStack, name: str) -> Visitor:
    """Somebody who sees an answer, until the stack is closed."""
    visitor = await stack.enter_async_context(visit(server.address, query=short(name)))
    await visitor.finished()
    assert answered(visitor), visitor.alerts
    return visitor


async def flood(visitor: Visitor) -> list[str]:
    """Ask for the zip over and over without waiting; the names of the answers."""
    return [await visitor.wish(visitor.widget(ZIP).deferred_file_id) for _ in range(FLOOD)]


def writing(server: Server) -> bool:
    return server.counter("oversmooth_exports_running") > 0


def test_a_flood_from_one_page_holds_up_nobody(server: Server) -> None:
    async def meet() -> None:
        async with AsyncExitStack() as stack:
            greedy, other = [await reader(server, stack, name) for name in ("greedy", "other")]
            wishes = await flood(greedy)
            for name in ("CSV", "JSON", "CSV"):
                began = time.monotonic()
                assert server.fetch(await other.download(name))
                assert time.monotonic() - began < 2
            await greedy.until(lambda: all(wish in greedy.answers for wish in wishes))
            told = Counter(greedy.answers[wish].error_msg for wish in wishes)
            assert told == {"": 1, REFUSED: FLOOD - 1}
            assert greedy.traces == greedy.exceptions == other.exceptions == []

    asyncio.run(meet())
    assert server.counter("oversmooth_refusals_total", limit="exports_in_flight") == FLOOD - 1
    assert server.counter("oversmooth_exports_total", outcome="done") == 4


def test_nothing_is_written_for_a_page_that_has_gone(server: Server) -> None:
    async def leave() -> None:
        async with AsyncExitStack() as stack:
            await flood(await reader(server, stack, "leaves"))
            await asyncio.to_thread(wait, partial(writing, server))

    asyncio.run(leave())
    time_out = time.monotonic() + 2
    wait(lambda: not writing(server))
    assert time.monotonic() < time_out
    assert server.counter("oversmooth_exports_queue_length") == 0


def test_a_file_of_another_page_or_of_nobody_is_refused(server: Server) -> None:
    async def ask() -> list[str]:
        async with AsyncExitStack() as stack:
            owner, stranger = [await reader(server, stack, name) for name in ("owner", "stranger")]
            wishes = [await stranger.wish(file) for file in (owner.widget("JSON").deferred_file_id, "0" * 32, "")]
            await stranger.until(lambda: all(wish in stranger.answers for wish in wishes))
            return [stranger.answers[wish].error_msg for wish in wishes]

    assert asyncio.run(ask()) == 3 * [
        "This file is offered no more: the page has changed since. Press the button again."
    ]


def test_progress_is_shown_and_the_zip_can_be_stopped(server: Server) -> None:
    async def stop() -> str:
        async with AsyncExitStack() as stack:
            visitor = await reader(server, stack, "stops")
            file = visitor.widget(ZIP).deferred_file_id
            # As the page does: the press first, then the wish for the file that the button had.
            await visitor.press(ZIP)
            wish = await visitor.wish(file)
            # Which figures a page hears of depends on how quick they are: one of them.
            await visitor.until(lambda: any(step.startswith("Writing") and ".pdf" in step for step in visitor.steps))
            await visitor.until(lambda: "Stop" in [getattr(message, "label", "") for _, message in visitor.elements])
            await visitor.press("Stop")
            await visitor.until(lambda: wish in visitor.answers)
            await visitor.finished()
            return str(visitor.answers[wish].error_msg)

    assert asyncio.run(stop()) == "The run was cancelled."
    wait(lambda: not writing(server))


def test_a_server_that_is_stopped_while_files_are_written_ends_at_once(server: Server) -> None:
    # The last test of this server.
    async def end() -> tuple[int, float]:
        async with AsyncExitStack() as stack:
            for name in ("one", "two", "three"):
                await flood(await reader(server, stack, name))
            await asyncio.to_thread(wait, partial(writing, server))
            began = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            code = await asyncio.to_thread(server.process.wait, 30)
            return int(code), time.monotonic() - began

    workers = tuple(server.workers)
    code, seconds = asyncio.run(end())
    assert code == 0
    assert seconds < 3
    assert all(map(gone, workers))
