"""Pages draw one at a time, and none while it waits."""

from __future__ import annotations

import math
from threading import Event, Thread

import pytest

from oversmooth.dashboard.running.one_at_a_time import drawing_alone, others_draw

PATIENCE = 10


def test_who_draws_keeps_others_waiting_until_it_waits_itself_and_goes_on_after_them() -> None:
    order: list[str] = []
    first_draws, second_asks, answer_is_there = Event(), Event(), Event()

    def first() -> None:
        with drawing_alone():
            first_draws.set()
            assert second_asks.wait(PATIENCE)
            order.append("the first begins")
            with others_draw():
                assert answer_is_there.wait(PATIENCE)
            order.append("the first ends")

    def second() -> None:
        second_asks.set()
        with drawing_alone():
            order.append("the second begins")
            answer_is_there.set()  # the first may not go on before the second has ended
            order.append("the second ends")

    pages = [Thread(target=first, daemon=True), Thread(target=second, daemon=True)]
    pages[0].start()
    assert first_draws.wait(PATIENCE)
    pages[1].start()
    for page in pages:
        page.join(PATIENCE)
    assert order == ["the first begins", "the second begins", "the second ends", "the first ends"]


def test_who_fails_while_drawing_or_waiting_lets_others_draw() -> None:
    with pytest.raises(ZeroDivisionError), drawing_alone():
        1 / 0  # noqa: B018
    with pytest.raises(ZeroDivisionError), drawing_alone(), others_draw():
        1 / 0  # noqa: B018
    drawn = Event()

    def other() -> None:
        with drawing_alone():
            drawn.set()

    Thread(target=other, daemon=True).start()
    assert drawn.wait(PATIENCE)


class Clock:
    """Time that goes on only while somebody sleeps; a page is refused at each of these times."""

    def __init__(self, *refusals: float) -> None:
        self.now = 0.0
        self.refusals = refusals

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def last_refusal(self) -> float:
        return max((each for each in self.refusals if each <= self.now), default=-math.inf)


@pytest.mark.parametrize(
    ("refusals", "begins"),
    [((), 0.0), ((-5.0,), 0.0), ((0.0,), 0.3), ((0.0, 0.2), 0.5), (tuple(n / 10 for n in range(50)), 1.0)],
    ids=["nobody", "long ago", "one", "one after the other", "without end"],
)
def test_who_draws_lets_those_go_first_who_are_refused_but_not_for_ever(
    refusals: tuple[float, ...], begins: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(*refusals)
    monkeypatch.setattr("oversmooth.dashboard.running.one_at_a_time.time", clock)
    monkeypatch.setattr("oversmooth.dashboard.running.one_at_a_time.last_refusal", clock.last_refusal)
    with drawing_alone():
        assert clock.now == pytest.approx(begins, abs=0.04)


def test_a_part_of_a_page_that_is_drawn_by_itself_waits_without_holding_anything() -> None:
    with others_draw(), drawing_alone():
        pass
