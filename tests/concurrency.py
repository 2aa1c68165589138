"""Several threads at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

Argument = TypeVar("Argument")


def at_once(work: Callable[[Argument], None], arguments: Iterable[Argument]) -> None:
    """Call ``work`` with each argument on a thread of its own, and wait, within bounds, until all have ended."""
    threads = [threading.Thread(target=work, args=(argument,)) for argument in arguments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
