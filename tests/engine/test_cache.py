from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from oversmooth.engine.cache import ByteCache, folder_fingerprint, request_key
from oversmooth.settings import Settings


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
        assert cache.bytes == sum(size for _, size in order) <= limit
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


def test_a_model_folder_that_is_saved_over_is_another_request(tmp_path: Path) -> None:
    settings = Settings.of(texts="one text", model=str(tmp_path))
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"first")
    before = request_key(settings)
    assert request_key(settings) == before
    weights.write_bytes(b"second weights")
    after = request_key(settings)
    assert after != before
    weights.unlink()
    assert request_key(settings) != after


def test_other_settings_are_another_request() -> None:
    settings = Settings.of(texts="one text")
    assert request_key(settings) == request_key(Settings.of(texts=["one text"]))
    assert request_key(settings) != request_key(Settings.of(texts="one text", special_tokens=True))


def test_names_that_are_no_folder_have_no_fingerprint() -> None:
    for name in ("all-MiniLM-L6-v2", "owner/name", "nul\0in it", "~nobody-of-this-name/model", "x" * 5000):
        assert folder_fingerprint(name) == ()
