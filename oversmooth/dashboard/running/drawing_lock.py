"""The pen that pages draw with, one at a time, in turns that go round by address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition
from typing import Final

from oversmooth.service.engine import Owner
from oversmooth.service.engine.rounds import Rounds

LOOK_SECONDS: Final = 0.1
"""How often who waits looks whether its page is still there."""


class SupersededError(Exception):
    """A later run of the same page has taken the place."""


@dataclass(eq=False)
class _Place:
    owner: Owner | None
    superseded: bool = False

    @property
    def address(self) -> str:
        return "" if self.owner is None else self.owner.address


class Pen:
    """Held by one thread at a time. Next is the address that was served longest ago, and of it who came first.

    A page that asks again while it waits keeps its place in line; the run that waited before never draws.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._rounds = Rounds()
        self._waiting: list[_Place] = []
        self._held = False

    @property
    def waiting(self) -> int:
        """How many pages wait for it."""
        return len(self._waiting)

    def take(self, owner: Owner | None, look: Callable[[], None]) -> None:
        """Wait for the pen, and hold it.

        Args:
            owner: the page that is to be drawn; None for one of its own each time.
            look: raises where the page is not to be drawn any more.

        Raises:
            SupersededError: a later run of the page asks for it.
        """
        place = self._line_up(owner)
        try:
            while not self._taken(place):
                look()
        except BaseException:
            with self._changed:
                if place in self._waiting:
                    self._waiting.remove(place)
                    self._changed.notify_all()
            raise

    def put_down(self) -> None:
        """Let the next one have it."""
        with self._changed:
            self._held = False
            self._changed.notify_all()

    def _line_up(self, owner: Owner | None) -> _Place:
        place = _Place(owner)
        with self._changed:
            for number, before in enumerate(self._waiting):
                if owner is not None and before.owner == owner:
                    before.superseded = True
                    self._waiting[number] = place
                    self._changed.notify_all()
                    return place
            self._waiting.append(place)
        return place

    def _taken(self, place: _Place) -> bool:
        """Whether it is held now; waits a little where not."""
        with self._changed:
            if place.superseded:
                raise SupersededError
            if self._held or self._rounds.order(self._waiting, lambda each: each.address)[0] is not place:
                self._changed.wait(LOOK_SECONDS)
                return False
            self._waiting.remove(place)
            self._rounds.serve(place.address)
            self._held = True
            return True
