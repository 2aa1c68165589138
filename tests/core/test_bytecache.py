from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from oversmooth.core.bytecache import ByteCache


@given(
    limit=st.integers(0, 30),
    puts=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 12)), max_size=30),
)
def test_never_holds_more_than_its_limit_and_keeps_the_latest(limit: int, puts: list[tuple[int, int]]) -> None:
    cache: ByteCache[int, str] = ByteCache(limit, len)
    order: list[tuple[int, int]] = []
    for key, size in puts:
        cache.put(key, "x" * size)
        order = [entry for entry in order if entry[0] != key] + [(key, size)]
        if size > limit:
            order.pop()
        while sum(size for _, size in order) > limit:
            order.pop(0)
        assert cache.currsize == sum(size for _, size in order) <= limit
        assert len(cache) == len(order)
    for key, size in order:
        assert cache.get(key) == "x" * size


def test_what_was_asked_for_lately_stays() -> None:
    cache: ByteCache[str, str] = ByteCache(10, len)
    cache.put("old", "xxxxx")
    cache.put("older", "xxxxx")
    assert cache.get("old") is not None
    cache.put("new", "xxxxx")
    assert cache.get("old") is not None
    assert cache.get("older") is None


def test_too_large_a_value_pushes_nothing_else_out() -> None:
    cache: ByteCache[str, str] = ByteCache(10, len)
    cache.put("small", "x")
    cache.put("huge", "x" * 11)
    assert cache.get("huge") is None
    assert cache.get("small") == "x"
