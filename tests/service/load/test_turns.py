"""Seven pages of one address that change a control fifteen times a second are nothing to a visitor of another."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from crowd import SMALL, answered, restless, short
from served import Server, served
from visitor import visit

pytestmark = pytest.mark.slow

ANSWERS = 8


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("server") / "log", **SMALL) as server:
        yield server
    assert '"level": "error"' not in server.log.read_text()


@asynccontextmanager
async def beside(server: Server, pages: int) -> AsyncIterator[None]:
    """So many restless pages of one address meanwhile, each of which has drawn."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(restless(server.address, str(number), stop)) for number in range(pages)]
    try:
        await asyncio.sleep(2 if pages else 0)  # lets them come up to their pace
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def waited(server: Server, pages: int) -> list[float]:
    """Seconds of each of a visitor's answers, beside so many restless pages, sorted."""
    seconds = []
    async with beside(server, pages), visit(server.address, query=short("other"), headers=ELSEWHERE) as visitor:
        await visitor.finished()
        for number in range(ANSWERS):
            began = time.monotonic()
            await visitor.change("text", f"Beside {pages} the dog looked at rain {number}.")
            await visitor.finished()
            seconds.append(time.monotonic() - began)
            assert answered(visitor), visitor.alerts
    return sorted(seconds)


ELSEWHERE = {"X-Forwarded-For": "198.51.100.2"}


def test_others_wait_for_one_page_at_most(server: Server) -> None:
    quiet, busy = (asyncio.run(waited(server, pages)) for pages in (0, 7))
    # Without turns the median is the time that seven pages take.
    assert busy[ANSWERS // 2] < 4 * quiet[ANSWERS // 2] + 0.5, (quiet, busy)
    assert busy[-1] < 8 * quiet[ANSWERS // 2] + 2, (quiet, busy)
