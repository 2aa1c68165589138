"""What several metrics share: computed once, identities kept, decompositions chosen by the accuracy they give."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from reference import matrices
from reference.matrices import Recipe, recipes
from reference.sample import Matrix
from reference.single import Single, array, number

from oversmooth.metrics import UndefinedError, all_metrics, evaluate
from oversmooth.metrics.numerics import Array, namespace

pytestmark = pytest.mark.usefixtures("_backend")

RANDOM = settings(max_examples=200, deadline=None, derandomize=True)


class Calls:
    """Counts the decompositions of a kind; of several texts at once, each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self.count = 0
        library = namespace(array([1.0])).linalg
        original = getattr(library, name)

        def counted(matrix: Array) -> Array:
            self.count += 1
            return original(matrix)

        monkeypatch.setattr(library, name, counted)


def evaluate_all(states: Single) -> None:
    evaluate(all_metrics(), states.states)


@pytest.mark.parametrize("shape", [(128, 384), (40, 20), (2, 2)], ids=str)
def test_all_metrics_share_one_eigenvalue_decomposition(
    shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    eigenvalues, exact = Calls(monkeypatch, "eigvalsh"), Calls(monkeypatch, "svdvals")
    tokens = matrices.plain(*shape, seed=0).astype(np.float32)
    states = Single(tokens, tokens[0])
    evaluate_all(states)
    # One for all, and one for the prompt's entropy as published, whose matrix is another.
    assert eigenvalues.count == 2
    # The slow decomposition is for spectra that a Gram matrix cannot hold.
    assert exact.count == 0
    assert states.states.grams is states.states.grams
    assert states.states.cosine_gaps is states.states.cosine_gaps


@pytest.mark.parametrize("shape", [(128, 384), (40, 20)], ids=str)
@pytest.mark.parametrize("ratio", [1e-6, 1e-7])
def test_collapsed_states_need_no_slow_decomposition(
    ratio: float, shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = matrices.over_smoothed(*shape, ratio, seed=0).astype(np.float32)
    expected = np.linalg.svd(tokens.astype(np.float64), compute_uv=False)
    exact = Calls(monkeypatch, "svdvals")
    states = Single(tokens)
    evaluate_all(states)
    assert exact.count == 0
    np.testing.assert_allclose(states.singular_values, expected, rtol=1e-9, atol=4e-16 * expected[0])


@pytest.mark.parametrize("ratio", [1e-6, 1e-7, 1e-8, 1e-9])
def test_collapsed_float32_states_keep_every_direction(ratio: float) -> None:
    tokens = matrices.over_smoothed(12, 30, ratio, seed=0).astype(np.float32)
    expected = np.linalg.svd(tokens.astype(np.float64), compute_uv=False)
    shares = expected / expected.sum()
    states = Single(tokens)
    np.testing.assert_allclose(states.singular_values, expected, rtol=1e-8, atol=4e-16 * expected[0])
    known = shares[shares > 0]
    rank = math.exp(-float((known * np.log(known)).sum()))
    assert number("effective_rank", states) == pytest.approx(rank, rel=1e-12)
    moved = shares + 1e-7
    rankme = math.exp(-float((moved * np.log(moved)).sum()))
    assert number("rankme", states) == pytest.approx(rankme, rel=1e-12)


def test_a_tail_between_floor_and_accuracy_takes_the_slow_decomposition(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = Calls(monkeypatch, "svdvals")
    tokens = matrices.over_smoothed(12, 30, 1e-5, seed=0).astype(np.float32)
    expected = np.linalg.svd(tokens.astype(np.float64), compute_uv=False)
    np.testing.assert_allclose(Single(tokens).singular_values, expected, rtol=1e-9)
    assert exact.count == 1


@RANDOM
@given(recipe=recipes(scales=(1e-20, 1.0, 1e20)))
def test_energy_is_that_of_mean_and_residual(recipe: Recipe) -> None:
    states = Single(recipe.matrix())
    mean_part = states.count * float(states.means @ states.means)
    assert states.energies == pytest.approx(mean_part + states.residual_sums, rel=1e-13)
    assert states.residual_sums == pytest.approx(float((states.centred**2).sum()), rel=1e-13)
    # A recipe whose tokens were all made equal has no energy beyond its mean.
    np.testing.assert_allclose(states.centred + states.means, states.values, rtol=0, atol=1e-15 * states.energies**0.5)
    assert np.abs(states.centred.sum(axis=0)).max() <= 1e-14 * states.energies**0.5


@RANDOM
@given(recipe=recipes(scales=(1e-20, 1.0, 1e20)))
def test_gram_by_way_of_the_residual_is_the_gram_matrix(recipe: Recipe) -> None:
    tokens = recipe.matrix()
    states = Single(tokens)
    tolerance = 1e-14 * states.energies
    np.testing.assert_allclose(states.grams, tokens @ tokens.T, rtol=0, atol=tolerance)
    residual = tokens - tokens.mean(axis=0)
    np.testing.assert_allclose(states.centred_grams, residual @ residual.T, rtol=0, atol=tolerance)


@RANDOM
@given(recipe=recipes())
def test_spectra_are_those_of_a_singular_value_decomposition(recipe: Recipe) -> None:
    tokens = recipe.matrix()
    states = Single(tokens)
    pairs = (
        (states.singular_values, tokens),
        (states.centred_singular_values, tokens - tokens.mean(axis=0)),
    )
    for values, matrix in pairs:
        expected = np.linalg.svd(matrix, compute_uv=False)[: values.size]
        assert (np.abs(values - expected) <= 1e-9 * expected + 1e-14).all()


@RANDOM
@given(recipe=recipes(least=2, conditions=3, scales=(1e-20, 1.0, 1e20)))
def test_cosines_are_those_of_the_unit_tokens(recipe: Recipe) -> None:
    tokens = recipe.matrix()
    units = tokens / np.linalg.norm(tokens, axis=1, keepdims=True)
    np.testing.assert_allclose(Single(tokens).cosines, units @ units.T, rtol=0, atol=1e-10)


@pytest.mark.parametrize("size", [1e2, 1e4, 1e8, 1e16])
@pytest.mark.parametrize("position", [0, 3])
def test_cosines_between_short_tokens_hold_beside_a_massive_one(size: float, position: int) -> None:
    for seed in range(5):
        tokens = matrices.plain(8, 30, seed)
        units = tokens / np.linalg.norm(tokens, axis=1, keepdims=True)
        tokens[position] *= size
        np.testing.assert_allclose(Single(tokens).cosines, units @ units.T, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ["eigvalsh", "svdvals"])
def test_a_decomposition_that_does_not_converge_is_a_missing_value(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(matrix: Matrix) -> Matrix:
        raise np.linalg.LinAlgError("did not converge")

    monkeypatch.setattr(namespace(array([1.0])).linalg, name, fails)
    states = Single(matrices.over_smoothed(6, 5, 1e-5, seed=0))
    assert np.isnan(states.singular_values[0])
    with pytest.raises(UndefinedError, match="did not converge"):
        number("effective_rank", states)


@pytest.mark.parametrize(
    "values",
    [
        np.zeros(3),
        np.zeros((1, 2, 3, 4)),
        np.zeros((0, 3)),
        np.zeros((3, 0)),
        np.zeros((3, 3), dtype=np.float16),
        np.zeros((3, 3), dtype=np.int64),
    ],
    ids=["vector", "batch of batches", "no tokens", "no dimensions", "half", "integer"],
)
def test_anything_but_float_matrices_is_refused(values: Matrix) -> None:
    with pytest.raises(ValueError, match=r"expected (float32 or float64|matrices of tokens)"):
        Single(values)


def test_the_states_handed_in_are_not_changed() -> None:
    for dtype in (np.float32, np.float64):
        tokens = matrices.plain(6, 9, seed=0).astype(dtype)
        before = tokens.copy()
        states = Single(tokens, tokens[0])
        evaluate_all(states)
        _ = states.centred_singular_values, states.cosines
        np.testing.assert_array_equal(tokens, before)
