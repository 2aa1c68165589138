"""What is measured of one side of a comparison, against second computations and by what must not matter."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from reference import fidelity as reference
from reference import matrices
from reference.sample import Matrix
from reference.single import Single, array, number, resolved

from oversmooth import metrics
from oversmooth.metrics import TokenStates, UndefinedError
from oversmooth.metrics.baseline import Baseline
from oversmooth.metrics.fidelity import BESIDE_BASELINE
from oversmooth.metrics.identity import retrieved

pytestmark = pytest.mark.usefixtures("_backend")

SHAPES = [(3, 5), (4, 40), (13, 8), (14, 30), (40, 12), (60, 64)]
BESIDE = pytest.mark.parametrize("name", BESIDE_BASELINE)


def pair(shape: tuple[int, int], seed: int, apart: float = 0.7) -> tuple[Matrix, Matrix]:
    """A baseline, and the same tokens changed."""
    random = np.random.default_rng(seed)
    first = random.normal(size=shape) + random.normal(size=shape[1])
    return first, first + apart * random.normal(size=shape)


def baseline(tokens: Matrix) -> Baseline:
    return Baseline.of(Single(tokens).states)


def test_declared_apart_from_the_metrics_and_found_by_name() -> None:
    names = metrics.fidelity_names()
    assert "cka_to_baseline" in names
    assert not set(names) & set(metrics.names())
    titles = {metrics.get(name).title for name in (*metrics.names(), *names)}
    assert len(titles) == len(metrics.names()) + len(names)
    for name in names:
        definition = metrics.get(name)
        assert definition.name == name
        assert definition.formula.count("{") == definition.formula.count("}")
        assert definition.paper
        assert definition.paper.url.startswith("https://")
        assert definition.lower < definition.upper
        for sentence in (definition.reads, definition.caveat):
            assert re.fullmatch(r"[A-Z].*[^.]\.", sentence)
        with pytest.raises(KeyError):
            metrics.get_metric(name)
    assert metrics.get("lsds").range_text() == "[0, ∞)"
    assert metrics.get("output_kl").unit == "nats a token"


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_values_are_those_of_a_second_computation(shape: tuple[int, int], seed: int) -> None:
    first, second = pair(shape, seed)
    kept, states = baseline(first), Single(second)
    # The baseline's Gram matrix is kept in float32.
    assert number("cka_to_baseline", states, kept) == pytest.approx(reference.cka(first, second), rel=1e-6)
    assert number("pooled_cosine_to_baseline", states, kept) == pytest.approx(
        reference.pooled_cosine(first, second), rel=1e-12
    )
    assert number("lsds", states, kept) == pytest.approx(reference.lsds(second, first), rel=1e-10)


@BESIDE
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_baseline_beside_itself_is_one(name: str, shape: tuple[int, int]) -> None:
    tokens = pair(shape, 4)[0].astype(np.float32)
    for scale in (1e-20, 1.0, 1e20):
        states = Single((tokens * scale).astype(np.float32))
        assert number(name, states, Baseline.of(states.states)) == pytest.approx(1.0, abs=1e-12)


@BESIDE
def test_rotation_of_both_scale_and_order_of_tokens_do_not_matter(name: str) -> None:
    first, second = pair((20, 16), 5)
    value = number(name, Single(second), baseline(first))
    assert not math.isclose(value, 1.0, rel_tol=1e-2)
    turn = matrices.orthogonal(16, np.random.default_rng(1))
    order = np.random.default_rng(2).permutation(20)
    assert number(name, Single(second @ turn), baseline(first @ turn)) == pytest.approx(value, rel=1e-6)
    assert number(name, Single(1e6 * second), baseline(1e-3 * first)) == pytest.approx(value, rel=1e-6)
    assert number(name, Single(second[order]), baseline(first[order])) == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("name", ["cka_to_baseline", "lsds"])
def test_arrangement_survives_rotation_shift_and_scale_of_one_side(name: str) -> None:
    first, _ = pair((20, 16), 6)
    turn = matrices.orthogonal(16, np.random.default_rng(3))
    moved = 7.0 * first @ turn + 100.0
    assert number(name, Single(moved), baseline(first)) == pytest.approx(1.0, abs=1e-9)
    # The mean token has moved, and that is what the other one is for.
    assert number("pooled_cosine_to_baseline", Single(moved), baseline(first)) < 0.9


def test_broken_neighbourhoods_lie_above_one_and_kept_ones_below() -> None:
    random = np.random.default_rng(7)
    centres = 3.0 * random.normal(size=(3, 16))
    clusters = np.repeat(centres, 15, axis=0) + random.normal(size=(45, 16))
    shuffled = clusters[random.permutation(45)]
    assert number("lsds", Single(shuffled), baseline(clusters)) > 2
    tighter = np.repeat(centres, 15, axis=0) + 0.5 * (clusters - np.repeat(centres, 15, axis=0))
    assert number("lsds", Single(tighter), baseline(clusters)) < 0.5


def test_what_over_smoothed_tokens_keep_is_not_lost_in_rounding() -> None:
    first, second = pair((12, 20), 8)
    offset = np.random.default_rng(9).normal(size=20)
    # A millionth of the whole differs between the tokens: without centring first, nothing of it would be left.
    near, far = (offset + 1e-6 * each for each in (first, second))
    assert number("cka_to_baseline", Single(far), baseline(near)) == pytest.approx(
        reference.cka(first, second), rel=1e-6
    )
    assert number("lsds", Single(far), baseline(near)) == pytest.approx(reference.lsds(second, first), rel=1e-6)


def test_a_far_token_has_neighbours_all_the_same() -> None:
    first, second = pair((20, 8), 10)
    first[0] += 1e4
    value = number("lsds", Single(second), baseline(first))
    assert math.isfinite(value)


EQUAL = np.ones((5, 4))
SPREAD = np.random.default_rng(11).normal(size=(5, 4))


@pytest.mark.parametrize("name", ["cka_to_baseline", "lsds"])
@pytest.mark.parametrize(
    ("tokens", "base", "reason"),
    [
        (SPREAD[:2], SPREAD[:2], "at least three tokens"),
        (SPREAD[:1], SPREAD[:1], "at least three tokens"),
        (EQUAL, SPREAD, "^the tokens are all equal"),
        (SPREAD, EQUAL, "tokens of the baseline are all equal"),
    ],
)
def test_without_a_value_there_is_a_reason(name: str, tokens: Matrix, base: Matrix, reason: str) -> None:
    with pytest.raises(UndefinedError, match=reason):
        number(name, Single(tokens), baseline(base))


def test_a_baseline_whose_tokens_come_in_equal_groups_has_no_local_structure() -> None:
    groups = np.repeat(np.random.default_rng(12).normal(size=(2, 6)), 13, axis=0)
    with pytest.raises(UndefinedError, match="equals its neighbours"):
        number("lsds", Single(groups + 0.1 * np.random.default_rng(0).normal(size=groups.shape)), baseline(groups))


def test_a_zero_mean_token_has_no_direction() -> None:
    opposite = np.array([[1.0, 2.0], [-1.0, -2.0]])
    with pytest.raises(UndefinedError, match="mean token of zero"):
        number("pooled_cosine_to_baseline", Single(opposite), baseline(SPREAD[:2, :2]))


def test_differences_that_rounding_made_are_told() -> None:
    tokens = (1.0 + 1e-9 * np.random.default_rng(13).normal(size=(6, 8))).astype(np.float32)
    tokens[0, 0] = np.nextafter(np.float32(1.0), np.float32(2.0))
    collapsed, spread = Single(tokens), Single(pair((6, 8), 13)[0].astype(np.float32))
    assert not resolved("cka_to_baseline", collapsed, Baseline.of(spread.states))
    assert not resolved("lsds", spread, Baseline.of(collapsed.states))
    assert resolved("lsds", spread, Baseline.of(spread.states))
    assert resolved("pooled_cosine_to_baseline", collapsed, Baseline.of(spread.states))


def test_memory_is_what_was_said() -> None:
    for shape in SHAPES:
        kept = baseline(pair(shape, 0)[0])
        arrays = (kept.means, kept.grams, kept.neighbours, kept.weights)
        assert sum(each.nbytes for each in arrays) == Baseline.size(*shape, itemsize=8)


def test_texts_that_were_kept_together_are_found_alone_and_in_another_order() -> None:
    first, second = zip(*(pair((9, 12), seed) for seed in range(3)), strict=True)
    kept = Baseline.of(TokenStates(array(np.stack(first))))
    alone = [number("lsds", Single(each), baseline(other)) for each, other in zip(second, first, strict=True)]
    states = TokenStates(array(np.stack(second)))
    metric = [each for each in metrics.beside_baselines() if each.name == "lsds"]
    assert metrics.evaluate(metric, states, kept).values[0].tolist() == pytest.approx(alone, rel=1e-12)
    states = TokenStates(array(np.stack([second[2], second[0]])))
    turned = Baseline.gathered([(kept, 2), (kept, 0)], states)
    assert metrics.evaluate(metric, states, turned).values[0].tolist() == pytest.approx(alone[2::-2], rel=1e-12)


# Retrieval.


def shares(texts: list[Matrix], identities: list[list[int]]) -> list[float]:
    states = Single(np.concatenate(texts))
    of_text = np.repeat(np.arange(len(texts)), [len(each) for each in texts])
    counted, found, _ = retrieved(states.states, np.concatenate(identities).astype(np.intp), of_text)
    assert not (found & ~counted).any()
    chosen = [counted & (of_text == number) for number in range(len(texts))]
    return [float(found[each].mean()) if each.any() else math.nan for each in chosen]


@pytest.mark.parametrize("noise", [0.1, 1.0, 3.0])
@pytest.mark.parametrize("lengths", [(9,), (6, 8), (5, 1, 12, 4)])
def test_retrieval_is_that_of_a_search_token_by_token(lengths: tuple[int, ...], noise: float) -> None:
    random = np.random.default_rng(14)
    words = random.normal(size=(6, 10))
    identities = [random.integers(0, 6, size=length).tolist() for length in lengths]
    texts = [words[each] + noise * random.normal(size=(len(each), 10)) + 2.0 for each in identities]
    assert shares(texts, identities) == pytest.approx(reference.identity_retrieval(texts, identities), nan_ok=True)


def test_tokens_that_are_their_word_are_found_and_shuffled_ones_are_not() -> None:
    random = np.random.default_rng(15)
    words = random.normal(size=(8, 12))
    first, second = [0, 1, 2, 3, 4], [4, 3, 2, 1, 7]
    assert shares([words[first], words[second]], [first, second]) == [1.0, 1.0]
    assert shares([words[first], np.roll(words[second], 1, axis=0)], [first, second]) == [0.0, 0.0]


def test_only_word_pieces_that_occur_in_another_text_count() -> None:
    words = np.random.default_rng(16).normal(size=(8, 12))
    # Word 5 is twice in the first text alone, word 0 in both.
    first, second, third = [0, 5, 5], [0, 6], [7, 3]
    found = shares([words[first], words[second], words[third]], [first, second, third])
    assert found[:2] == [1.0, 1.0]
    assert math.isnan(found[2])


def test_a_tie_with_another_word_piece_is_no_find() -> None:
    random = np.random.default_rng(17)
    states = random.normal(size=(2, 6))
    texts = [states[[0]], np.array([states[0], states[0], states[1]])]
    assert shares(texts, [[3], [3, 4, 5]])[0] == 0.0
    assert shares(texts, [[3], [3, 3, 5]])[0] == 1.0


def test_equal_tokens_cannot_be_told_apart() -> None:
    with pytest.raises(UndefinedError, match="all equal"):
        shares([EQUAL, EQUAL], [[1, 2, 3, 4, 5], [1, 2, 3, 4, 5]])
