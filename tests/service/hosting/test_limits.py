"""Requests at a limit and one beyond it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from oversmooth.core.errors import LimitError, ModelError
from oversmooth.core.texts import bundled
from oversmooth.models.allowlist import AllowedModel, AllowList
from oversmooth.results.settings import Settings
from oversmooth.service.hosting import Limits
from oversmooth.service.hosting.limits import require, run_bytes
from oversmooth.service.hosting.profiles import PROFILES

COMMIT = "a" * 40
MODEL = AllowedModel(
    name="small",
    source="hub",
    identifier="lab/small",
    commit=COMMIT,
    files={"config.json": "0" * 64},
    family="bert",
    layers=6,
    hidden_size=384,
    parameters=22_000_000,
    positions=512,
)
MODELS = AllowList(models=(MODEL,))


def asked(**fields: object) -> Settings:
    return Settings.of(**({"texts": "the cat sat", "model": "small", "max_tokens": 128} | fields))


@pytest.mark.parametrize(
    ("limit", "value", "request_of"),
    [
        ("characters", 100, lambda size: asked(texts="a" * size)),
        ("texts", 5, lambda size: asked(texts=("ab",) * size)),
        ("tokens", 200, lambda size: asked(max_tokens=size)),
    ],
)
def test_a_request_at_the_limit_passes_and_one_beyond_it_is_refused(
    limit: str, value: int, request_of: Callable[[int], Settings]
) -> None:
    limits = Limits(**{limit: value})
    require(request_of(value), limits, MODELS)
    with pytest.raises(LimitError, match=f"its limit “{limit}”") as refused:
        require(request_of(value + 1), limits, MODELS)
    assert refused.value.limit == limit
    assert str(value) in str(refused.value)
    assert str(value + 1) in str(refused.value)


def test_characters_of_all_texts_count_together() -> None:
    with pytest.raises(LimitError, match="these texts have 12"):
        require(asked(texts=("abcdef", "ghijkl")), Limits(characters=11), MODELS)


def test_a_model_beyond_the_profile_is_refused() -> None:
    require(asked(), Limits(parameters=22_000_000), MODELS)
    with pytest.raises(LimitError, match="at most 21,999,999 parameters"):
        require(asked(), Limits(parameters=21_999_999), MODELS)


def test_both_texts_of_a_pair_count() -> None:
    require(asked(texts=[("abcdef", "ghijkl")]), Limits(characters=12, texts=1), MODELS)
    with pytest.raises(LimitError, match="this text has 12"):
        require(asked(texts=[("abcdef", "ghijkl")]), Limits(characters=11), MODELS)
    assert run_bytes(asked(texts=[("ab", "cd")]), MODEL) == run_bytes(asked(texts="abcd"), MODEL)


def test_memory_is_estimated_from_above_before_anything_is_loaded() -> None:
    # 128 tokens × 384 dimensions × 7 points in float32, and 128 × 128 pairs in float64 at the 8 points of a map.
    assert run_bytes(asked(texts="a" * 1000), MODEL) == 128 * 384 * 7 * 4 + 128**2 * 8 * 8
    # A short text has no more tokens than characters and special ones.
    assert run_bytes(asked(texts="abcd", similarity=False), MODEL) == 12 * 384 * 7 * 4 + 12**2 * 8
    # The model's positions end a text too.
    assert run_bytes(asked(texts="a" * 9000, max_tokens=4096), MODEL) == run_bytes(
        asked(texts="a" * 9000, max_tokens=512), MODEL
    )
    # Each method is set against states without it.
    plain, mitigated = asked(texts="a" * 1000), asked(texts="a" * 1000, mitigations=("noise:ratio=0.1",))
    assert run_bytes(mitigated, MODEL) - run_bytes(plain, MODEL) == 128 * 384 * 7 * 4


def test_float64_counts_twice() -> None:
    doubled = asked(texts="a" * 1000, precision="float64", similarity=False)
    assert run_bytes(doubled, MODEL) == 128 * 384 * 7 * 8 + 128**2 * 8
    require(doubled, Limits(parameters=44_000_000), MODELS)
    with pytest.raises(LimitError, match=r"each counts twice in float64; small has 22,000,000\. Choose the precision"):
        require(doubled, Limits(parameters=43_999_999), MODELS)


def test_a_run_that_needs_too_much_memory_is_refused() -> None:
    needed = run_bytes(asked(), MODEL)
    require(asked(), Limits(run_bytes=needed), MODELS)
    with pytest.raises(LimitError, match="its limit “run_bytes”"):
        require(asked(), Limits(run_bytes=needed - 1), MODELS)


def test_a_revision_is_the_listed_commit_or_refused() -> None:
    require(asked(revision=COMMIT), Limits(), MODELS)
    with pytest.raises(ModelError, match="one commit alone"):
        require(asked(revision="main"), Limits(), MODELS)


def test_without_a_list_any_model_passes() -> None:
    require(asked(model="./anything"), Limits(), None)


@pytest.mark.parametrize("profile", ["hosted-xs", "hosted-s", "hosted-m", "hosted-gpu"])
def test_every_profile_takes_what_the_pages_ask_for_at_first(profile: str) -> None:
    limits = PROFILES[profile]  # type: ignore[index]
    sentences = tuple(sentence.text for sentence in bundled())
    most = min(512, limits.tokens or 512)
    require(asked(texts=sentences, explanation=True, similarity=False, max_tokens=most), limits, MODELS)
    require(asked(texts="word " * 400, max_tokens=most, mitigations=("noise:ratio=0.1",)), limits, MODELS)
