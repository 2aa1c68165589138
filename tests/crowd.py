"""What visitors ask of a server, as queries of an address: runs of milliseconds, each another, and runs without end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlencode

from streamlit.proto.WidgetStates_pb2 import WidgetState
from visitor import Visitor, visit
from workers import WORDS

SMALL: Final[dict[str, object]] = {
    "profile": "hosted-s",
    "waiting": 8,
    "connections": 200,
    "texts": 2_000,
    "characters": 10**6,
    "run_bytes": 2**34,
    "deadline": 600,
}
"""A server for strangers with a queue that is soon full, and room for runs without end from one address."""


def short(name: str) -> str:
    """A run of milliseconds, unlike that of any other name."""
    return urlencode({"text": f"Visitor {name}: the cat sat on the mat and looked at the rain."})


def endless(name: str) -> str:
    """A run that takes far longer than any test waits, in steps of a fraction of a second."""
    return urlencode([("text", f"{name} {number} {WORDS}") for number in range(1000)])


async def restless(address: str, name: str, stop: asyncio.Event) -> None:
    """A page of one address that changes its text fifteen times a second, whether it was drawn or not."""
    async with visit(address, query=short(f"restless {name}"), headers={"X-Forwarded-For": "198.51.100.1"}) as visitor:
        await visitor.finished()
        control = visitor.widget("text").id
        number = 0
        while not stop.is_set():
            number += 1
            text = f"Restless {name}, {number}: the cat sat on the mat."
            await visitor.ask({control: WidgetState(id=control, string_value=text)})
            await asyncio.sleep(1 / 15)


def measuring(visitor: Visitor) -> bool:
    """Whether a worker has begun with what the visitor asked for."""
    return any(step.startswith("Measuring") for step in visitor.steps)


def placed(visitor: Visitor) -> bool:
    """Whether the visitor has an answer or a refusal, is being computed for, or was told a place in the queue."""
    return visitor.done or measuring(visitor) or any("place" in step for step in visitor.steps)


def answered(visitor: Visitor) -> bool:
    """Whether the visitor sees charts and nothing that went wrong."""
    return visitor.done and bool(visitor.figures) and not visitor.alerts and not visitor.exceptions


async def come_and_go(address: str, names: Iterable[str]) -> None:
    """Visits, four at a time, that open a page of these names, get an answer and leave."""
    together = asyncio.Semaphore(4)

    async def one(name: str) -> None:
        async with together, visit(address, query=short(name)) as visitor:
            await visitor.finished()
            assert answered(visitor), visitor.alerts or visitor.exceptions

    await asyncio.gather(*map(one, names))
