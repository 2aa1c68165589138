"""What SoftDecay does to a spectrum, and where its formula ends."""

from __future__ import annotations

import re

import numpy as np
import pytest
from acting import acted
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import spectral
from reference.matrices import orthogonal, plain, sample, with_spectrum
from reference.sample import Matrix

from oversmooth.core.errors import MitigationError
from oversmooth.mitigations import parse
from oversmooth.mitigations.softdecay import SoftDecay

ALPHAS = st.sampled_from([-0.9, -0.6, -0.2, -1e-3])
LARGEST = 40.0


def whole(tokens: Matrix, alpha: float, *, safe: bool = False) -> Matrix:
    """The transformation itself, without blending."""
    changed: Matrix = acted(SoftDecay(alpha=alpha, blend=1, safe=safe), tokens)
    return changed


def decayed(values: Matrix, alpha: float) -> Matrix:
    """The diagonal of UᵀX̃V, with the rest checked to be 0."""
    rng = np.random.default_rng(0)
    left, right = orthogonal(9, rng)[:, : len(values)], orthogonal(11, rng)[:, : len(values)]
    inside: Matrix = left.T @ whole((left * values) @ right.T, alpha) @ right
    np.testing.assert_allclose(inside, np.diag(np.diag(inside)), atol=1e-10)
    return np.diag(inside)


def spectra(least: float) -> st.SearchStrategy[Matrix]:
    """Descending singular values, the largest of them 40, apart from each other."""
    values = st.lists(st.floats(least, LARGEST - 1), min_size=2, max_size=7, unique_by=lambda value: round(value, 3))
    return values.map(lambda found: np.array([LARGEST, *sorted(found, reverse=True)]))


@settings(max_examples=60, deadline=None)
@given(spectra(0.01), ALPHAS)
def test_directions_are_kept_the_largest_value_too_and_the_order(values: Matrix, alpha: float) -> None:
    after = decayed(values, alpha)
    assert after[0] == pytest.approx(LARGEST, rel=1e-12)
    assert (np.diff(after) < 0).all()


@settings(max_examples=40, deadline=None)
@given(spectra(3), ALPHAS)
def test_the_effective_rank_does_not_fall_where_all_values_are_3_or_more(values: Matrix, alpha: float) -> None:
    tokens = with_spectrum(values, 9, 11, np.random.default_rng(1))
    assert spectral.effective_rank(sample(whole(tokens, alpha))) >= spectral.effective_rank(sample(tokens)) - 1e-9


def test_a_value_below_alpha_turns_its_sign() -> None:
    # f has its zero at σ = |α|.
    after = decayed(np.array([LARGEST, 0.7, 0.6, 0.5]), -0.6)
    assert after[1] > 0
    assert after[2] == pytest.approx(0, abs=1e-10)
    assert after[3] < 0


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), ALPHAS)
def test_it_commutes_with_rotations_and_permutations(seed: int, alpha: float) -> None:
    rng = np.random.default_rng(seed)
    tokens = plain(8, 10, seed)
    rotation, order = orthogonal(10, rng), rng.permutation(8)
    np.testing.assert_allclose(whole(tokens @ rotation, alpha), whole(tokens, alpha) @ rotation, atol=1e-9)
    np.testing.assert_allclose(whole(tokens[order], alpha), whole(tokens, alpha)[order], atol=1e-9)


def test_equal_singular_values_stay() -> None:
    tokens = with_spectrum(np.full(6, 5.0), 6, 9, np.random.default_rng(2))
    np.testing.assert_allclose(whole(tokens, -0.6), tokens, atol=1e-12)


def test_it_tends_to_the_identity_with_alpha() -> None:
    tokens = plain(8, 10, seed=3)
    change = [np.abs(whole(tokens, alpha) - tokens).max() for alpha in (-1e-2, -1e-4, -1e-6)]
    assert change[0] > change[1] > change[2]
    assert change[2] < 1e-4


@pytest.mark.parametrize("shape", [(12, 5), (5, 12)])
def test_duplicate_tokens_part_unless_it_is_safe(shape: tuple[int, int]) -> None:
    tokens = plain(*shape, seed=4)
    tokens[1] = tokens[0]
    parted = whole(tokens, -0.6)
    safe = whole(tokens, -0.6, safe=True)
    # Only a matrix with fewer tokens than dimensions has a singular value of 0 for each duplicate.
    assert (np.linalg.norm(parted[0] - parted[1]) > 0.1) == (shape[0] < shape[1])
    np.testing.assert_allclose(safe[0], safe[1], atol=1e-10)
    assert np.linalg.svd(safe, compute_uv=False)[0] == pytest.approx(np.linalg.svd(tokens, compute_uv=False)[0])


def test_one_token_stays() -> None:
    token = plain(1, 12, seed=5)
    np.testing.assert_allclose(whole(token, -0.6), token, atol=1e-12)


@pytest.mark.parametrize("size", [0.0, 0.3, 0.59])
def test_states_too_small_for_the_formula_are_refused(size: float) -> None:
    tokens = with_spectrum(np.array([size, size / 2]), 4, 6, np.random.default_rng(6))
    with pytest.raises(
        MitigationError,
        match=re.escape(f"softdecay: at block 2 the largest singular value of a text is {size:g}, and the formula "),
    ):
        whole(tokens, -0.6)


def test_without_effect_no_states_are_too_small() -> None:
    tokens = 0.01 * plain(4, 6, seed=6)
    np.testing.assert_array_equal(acted(SoftDecay(alpha=-0.6, blend=0), tokens), tokens)
    np.testing.assert_array_equal(acted(SoftDecay(alpha=0, blend=1), tokens), tokens)


def test_what_is_no_number_stays_none() -> None:
    tokens = plain(4, 6, seed=7)
    tokens[1, 2] = np.nan
    assert np.isnan(whole(tokens, -0.6)).all()


@pytest.mark.parametrize("alpha", ["-1", "-1.5", "0.1", "nan"])
def test_an_alpha_that_leaves_the_result_undefined_is_out_of_range(alpha: str) -> None:
    with pytest.raises(MitigationError, match=re.escape("softdecay: “alpha” must be in (−1, 0], not ")):
        parse(f"softdecay:alpha={alpha}")
