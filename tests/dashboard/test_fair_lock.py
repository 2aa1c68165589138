"""Whose turn it is to draw, deterministically: threads ask one after another, and the order is written down."""

from __future__ import annotations

from threading import Thread

import pytest
from workers import wait

from oversmooth.dashboard.running.one_at_a_time import FairLock, SupersededError
from oversmooth.service.engine import Owner


class Desk:
    """Pages that ask for one lock, each on a thread of its own, and what became of them in order."""

    def __init__(self) -> None:
        self.lock = FairLock()
        self.order: list[str] = []
        self.superseded: list[str] = []
        self.gone: set[str] = set()
        self._threads: list[Thread] = []

    def ask(self, name: str, session: str, address: str, *, takes_a_place: bool = True) -> None:
        """Have a page ask, and come back once it waits."""
        waiting, superseded = self.lock.waiting, len(self.superseded)
        thread = Thread(target=self._draw, args=(name, Owner(session, address)), daemon=True)
        self._threads.append(thread)
        thread.start()
        if takes_a_place:
            wait(lambda: self.lock.waiting == waiting + 1)
        else:
            wait(lambda: len(self.superseded) == superseded + 1)

    def drawn(self) -> list[str]:
        """Release the lock, and give back who drew, in order."""
        self.lock.release()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()
        return self.order

    def _draw(self, name: str, owner: Owner) -> None:
        def look() -> None:
            if name in self.gone:
                raise InterruptedError

        try:
            self.lock.acquire(owner, look)
        except SupersededError:
            self.superseded.append(name)
            return
        except InterruptedError:
            return
        self.order.append(name)
        self.lock.release()


@pytest.fixture
def desk() -> Desk:
    """Somebody draws at first, so that all others wait."""
    desk = Desk()
    desk.lock.acquire(Owner("first", "first"), lambda: None)
    return desk


def test_turns_go_round_by_address_however_many_pages_one_has(desk: Desk) -> None:
    for number in range(7):
        desk.ask(f"crowd {number}", f"crowd {number}", "crowd")
    desk.ask("single", "single", "single")
    desk.ask("another", "another", "another")
    crowd = [f"crowd {number}" for number in range(1, 7)]
    assert desk.drawn() == ["crowd 0", "single", "another", *crowd]


def test_who_was_served_last_comes_last(desk: Desk) -> None:
    desk.ask("first again", "first", "first")
    desk.ask("other", "other", "other")
    assert desk.drawn() == ["other", "first again"]


def test_a_page_that_asks_again_keeps_its_place_and_draws_once(desk: Desk) -> None:
    desk.ask("a 1", "a", "home")
    desk.ask("b", "b", "home")
    for number in range(2, 6):
        desk.ask(f"a {number}", "a", "home", takes_a_place=False)
    assert desk.lock.waiting == 2
    assert desk.drawn() == ["a 5", "b"]
    assert desk.superseded == ["a 1", "a 2", "a 3", "a 4"]


def test_who_has_gone_while_waiting_never_draws(desk: Desk) -> None:
    desk.ask("leaves", "leaves", "home")
    desk.ask("stays", "stays", "home")
    desk.gone.add("leaves")
    wait(lambda: desk.lock.waiting == 1)
    assert desk.drawn() == ["stays"]
