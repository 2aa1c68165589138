from __future__ import annotations

from oversmooth.service.engine.rounds import REMEMBERED, Rounds


def _whose(page: str) -> str:
    return page[0]


def test_who_is_served_again_comes_after_who_was_served_since() -> None:
    rounds = Rounds()
    for address in "aba":
        rounds.serve(address)
    assert rounds.order(["a1", "b1", "c1"], _whose) == ["c1", "b1", "a1"]


def test_who_was_served_too_long_ago_to_be_remembered_is_new_again() -> None:
    rounds = Rounds()
    rounds.serve("a")
    for number in range(REMEMBERED):
        rounds.serve(f"x{number}")
    assert rounds.order(["x", "a"], lambda page: "x0" if page == "x" else page) == ["a", "x"]
