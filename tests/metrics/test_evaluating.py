"""Several texts at once: each has the number, the reason or the verdict that it has alone, on every backend."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import matrices
from reference.sample import Matrix
from reference.single import array

from oversmooth.core.plugins import Plugin
from oversmooth.metrics import Metric, TokenStates, all_metrics, evaluate, get_metric
from oversmooth.metrics.numerics import Array, on_host
from oversmooth.metrics.requirements import Requirement

RANDOM = settings(max_examples=60, deadline=None, derandomize=True)
pytestmark = pytest.mark.usefixtures("_backend")


def text(kind: str, shape: tuple[int, int], seed: int) -> Matrix:
    """Tokens as they come, and such as have something undefined or unresolved."""
    tokens = matrices.plain(*shape, seed=seed)
    match kind:
        case "zero token":
            tokens[seed % len(tokens)] = 0.0
        case "zero":
            tokens[:] = 0.0
        case "equal":
            tokens[:] = tokens[0]
        case "alike" if len(tokens) > 1:
            tokens = matrices.over_smoothed(*shape, 1e-9, seed)
        case "long tail" if len(tokens) > 1:
            tokens = matrices.over_smoothed(*shape, 1e-5, seed)
        case "massive":
            tokens[0] *= 1e7
    return tokens.astype(np.float32)


KINDS = ("plain", "zero token", "zero", "equal", "alike", "long tail", "massive")
batches = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 50)), min_size=2, max_size=6)
shapes = st.sampled_from([(5, 9), (9, 5), (2, 3), (1, 4), (6, 6)])


def states(texts: list[Matrix], *, on_numpy: bool = False) -> TokenStates:
    made = np.stack(texts)
    return TokenStates(made if on_numpy else array(made), (made if on_numpy else array(made))[:, 0, :])


@RANDOM
@given(batch=batches, shape=shapes)
def test_no_text_has_a_part_in_the_numbers_of_another(batch: list[tuple[str, int]], shape: tuple[int, int]) -> None:
    texts = [text(kind, shape, seed) for kind, seed in batch]
    together = evaluate(all_metrics(), states(texts))
    for number, tokens in enumerate(texts):
        alone = evaluate(all_metrics(), states([tokens]))
        np.testing.assert_allclose(together.values[:, number], alone.values[:, 0], rtol=1e-12, atol=1e-14)
        assert {at[0]: why for at, why in together.missing.items() if at[1] == number} == {
            at[0]: why for at, why in alone.missing.items()
        }
        defined = np.isfinite(alone.values[:, 0])
        assert together.resolved[defined, number].tolist() == alone.resolved[defined, 0].tolist()


@RANDOM
@given(batch=batches, shape=shapes)
def test_numbers_are_those_of_numpy(batch: list[tuple[str, int]], shape: tuple[int, int]) -> None:
    texts = [text(kind, shape, seed) for kind, seed in batch]
    here, there = evaluate(all_metrics(), states(texts)), evaluate(all_metrics(), states(texts, on_numpy=True))
    assert here.missing == there.missing
    for number, metric in enumerate(all_metrics()):
        both = here.resolved[number] & there.resolved[number]
        # What rests on noise is another on another library, and is marked so.
        np.testing.assert_allclose(
            here.values[number][both], there.values[number][both], rtol=1e-12, atol=1e-12, err_msg=metric.name
        )


def declared(compute: object) -> Metric:
    assert callable(compute)
    words = dict.fromkeys(("title", "formula", "reads", "caveat"), "x")
    return Metric(name="token_cosine", paper=None, lower=0, upper=1, compute=compute, **words)  # type: ignore[arg-type]


def test_code_of_a_plug_in_that_fails_for_one_text_leaves_the_others_their_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(given: TokenStates) -> Array:
        if on_host(given.stored).max() > 1e6:
            raise ValueError("too large")
        return given.means[:, 0]

    texts = [text(kind, (4, 3), 1) for kind in ("plain", "massive", "plain")]
    with pytest.raises(ValueError, match="too large"):  # our own is a fault of the product
        evaluate([declared(fails)], states(texts))
    monkeypatch.setattr("oversmooth.metrics.evaluating.plugin", lambda _: Plugin("a", "1"))
    found = evaluate([get_metric("mean_norm"), declared(fails)], states(texts))
    assert found.missing == {(1, 1): "the plug-in fails (ValueError: too large)"}
    assert found.values[1, 0] == pytest.approx(float(texts[0][:, 0].mean()), rel=1e-6)
    assert math.isnan(found.values[1, 1])
    assert np.isfinite(found.values[0]).all()


def test_a_requirement_of_a_plug_in_that_fails_costs_its_number_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: TokenStates) -> Array:
        raise RuntimeError("broken")

    texts = [text("plain", (4, 3), seed) for seed in range(2)]
    asking = replace(declared(lambda given: given.means[:, 0]), requires=(Requirement(fails, "never told"),))
    with pytest.raises(RuntimeError, match="broken"):
        evaluate([asking], states(texts))
    monkeypatch.setattr("oversmooth.metrics.evaluating.plugin", lambda _: Plugin("a", "1"))
    found = evaluate([get_metric("mean_norm"), asking], states(texts))
    assert found.missing == {(1, text): "the plug-in fails (RuntimeError: broken)" for text in (0, 1)}
    assert np.isfinite(found.values[0]).all()


def test_numbers_of_another_type_are_taken_for_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [text("plain", (4, 3), seed) for seed in range(2)]
    counting = declared(lambda given: given.xp.sum(given.xp.astype(given.stored > 0, given.xp.int64), axis=(1, 2)))
    found = evaluate([get_metric("mean_norm"), counting], states(texts))
    assert found.values[1].tolist() == [float((each > 0).sum()) for each in texts]


def test_one_number_for_several_texts_is_no_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [text("plain", (4, 3), seed) for seed in range(2)]
    wrong = declared(lambda given: given.means[:1, 0])
    with pytest.raises(TypeError, match="for 2 texts"):
        evaluate([wrong], states(texts))
    monkeypatch.setattr("oversmooth.metrics.evaluating.plugin", lambda _: Plugin("a", "1"))
    assert evaluate([declared(lambda given: 1.0)], states(texts)).missing.keys() == {(0, 0), (0, 1)}
