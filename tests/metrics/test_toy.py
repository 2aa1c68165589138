"""The linear recurrence against what its eigenvalues predict."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from oversmooth.core.errors import SettingsError
from oversmooth.metrics.toy import DIMENSIONS, FLOOR, TOKENS, Toy, ToySettings, run, verdict


def gains_of(toy: Toy) -> NDArray[np.float64]:
    """What one step multiplies each pair of modes by: (eigenvalue of H, eigenvalue of A)."""
    kept = 1.0 if toy.settings.residual else 0.0
    identity = np.eye(TOKENS * DIMENSIONS)
    # The Kronecker form of the recurrence, of matrices with these eigenvalues.
    operator = kept * identity + np.kron(np.diag(toy.weight_eigenvalues), np.diag(toy.attention_eigenvalues))
    return operator.diagonal().reshape(DIMENSIONS, TOKENS)


def test_attention_is_of_a_row_stochastic_positive_matrix_with_real_eigenvalues() -> None:
    for seed in range(5):
        eigenvalues = run(ToySettings(seed=seed, depth=1)).attention_eigenvalues
        assert eigenvalues.shape == (TOKENS,)
        assert eigenvalues[-1] == 1.0
        assert np.abs(eigenvalues[:-1]).max() < 0.95
        assert eigenvalues.min() < 0


@pytest.mark.parametrize("ends", [(-3.0, 3.0), (0.25, 0.5), (-1.0, -1.0)])
def test_eigenvalues_of_the_weight_fill_their_range_to_both_ends(ends: tuple[float, float]) -> None:
    eigenvalues = run(ToySettings(*ends, depth=1)).weight_eigenvalues
    assert eigenvalues.shape == (DIMENSIONS,)
    assert (eigenvalues[0], eigenvalues[-1]) == ends
    assert len(set(eigenvalues.tolist())) == (1 if ends[0] == ends[1] else DIMENSIONS)


@pytest.mark.parametrize(
    ("low", "high", "residual", "converges"),
    [
        (0.0, 1.0, True, True),
        (-1.0, 0.0, True, False),
        (-1.0, 1.0, True, True),
        (0.0, 1.0, False, True),
        (-1.0, 0.0, False, True),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_the_four_cases(low: float, high: float, residual: bool, converges: bool, seed: int) -> None:
    toy = run(ToySettings(low, high, residual, depth=2000, seed=seed))
    assert toy.absolute_cosine[-1] == pytest.approx(1.0, abs=1e-9)
    assert toy.effective_rank[-1] == pytest.approx(1.0, abs=1e-6)
    if converges:
        assert toy.ratio[-1] < 1e-12
        assert toy.cosine[-1] == pytest.approx(1.0, abs=1e-12)
    else:
        # Tokens on one line to both sides of 0: not smoothed, though their rank has collapsed.
        assert toy.ratio[-1] > 3
        assert abs(toy.cosine[-1]) < 0.3
    assert toy.input_converged is converges
    assert toy.angles_converged
    assert toy.rank_collapsed


@pytest.mark.parametrize(
    ("low", "high", "residual"), [(0.2, 0.9, True), (-1.0, 1.0, True), (0.1, 0.8, False), (2.0, 3.0, True)]
)
def test_high_frequencies_fade_as_fast_as_the_eigenvalues_say(low: float, high: float, residual: bool) -> None:
    toy = run(ToySettings(low, high, residual, depth=400))
    gains = np.abs(gains_of(toy))
    expected = math.log(gains[:, :-1].max() / gains[:, -1].max())
    early, late = -12, -1
    slope = math.log(toy.ratio[late] / toy.ratio[early]) / (toy.steps[late] - toy.steps[early])
    assert slope == pytest.approx(expected, rel=0.02)
    # Far below what a subtraction of stored tokens would leave.
    assert toy.ratio[-1] < FLOOR**2


def test_angles_close_in_as_fast_as_all_other_lines_fall_behind() -> None:
    toy = run(ToySettings(-0.9, -0.1, depth=1500, seed=4))
    gains = np.abs(gains_of(toy))
    assert toy.dominating is not None
    assert toy.dominating.weight == -0.9
    assert toy.dominating.attention == toy.attention_eigenvalues[0]
    assert not toy.dominating.uniform
    # Modes that share an eigenvalue with the first leave the tokens on one line; 1 − |cos| is the square of the rest.
    apart = np.maximum(gains[1:, 1:] * gains[0, 0], gains[1:, :1] * gains[:1, 1:])
    expected = 2 * math.log(apart.max() / gains[0, 0] ** 2)
    early, late = (int(np.searchsorted(toy.steps, step)) for step in (35, 70))
    distances = 1 - toy.absolute_cosine[[early, late]]
    slope = math.log(distances[1] / distances[0]) / (toy.steps[late] - toy.steps[early])
    assert slope == pytest.approx(expected, rel=0.15)


@settings(max_examples=25, deadline=None)
@given(
    ends=st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
    residual=st.booleans(),
    seed=st.integers(0, 50),
)
def test_the_dominating_pair_decides_the_limit(ends: tuple[float, float], residual: bool, seed: int) -> None:
    low, high = sorted(round(end, 3) for end in ends)
    assume((low, high) != (0, 0))
    toy = run(ToySettings(low, high, residual, depth=2000, seed=seed))
    for values in (toy.ratio, toy.cosine, toy.absolute_cosine, toy.effective_rank):
        assert np.isfinite(values).all()
        assert len(values) == len(toy.steps)
    assert toy.dominating is not None
    gains = np.abs(gains_of(toy))
    uniform, others = gains[:, -1].max(), gains[:, :-1].max()
    assert abs(toy.dominating.gain) == pytest.approx(gains.max())
    assert toy.dominating.uniform == (uniform >= others)
    if max(uniform, others) > 1.02 * min(uniform, others):
        assert toy.input_converged == (uniform > others)
    second = np.sort(gains.ravel())[-2]
    if others > 1.02 * max(second, uniform):
        assert toy.rank_collapsed
        assert toy.angles_converged


def test_step_0_is_the_random_beginning_and_steps_end_at_the_depth() -> None:
    for depth in (1, 2, 37, 2000):
        toy = run(ToySettings(depth=depth))
        assert (toy.steps[0], toy.steps[1], toy.steps[-1]) == (0, 1, depth)
        assert (np.diff(toy.steps) > 0).all()
        assert len(toy.steps) <= 82
        assert toy.ratio[0] > 1
        assert toy.effective_rank[0] > 5


def test_a_longer_run_passes_through_a_shorter_one() -> None:
    short, long = (run(ToySettings(-1, 0.5, depth=depth, seed=3)) for depth in (100, 2000))
    both, one, other = np.intersect1d(short.steps, long.steps, return_indices=True)
    assert len(both) > 10
    for name in ("ratio", "cosine", "absolute_cosine", "effective_rank"):
        np.testing.assert_array_equal(getattr(short, name)[one], getattr(long, name)[other])


def test_eigenvalues_of_zero_leave_the_tokens_as_they_are() -> None:
    toy = run(ToySettings(0, 0, depth=50))
    np.testing.assert_allclose(toy.cosine, toy.cosine[0], rtol=1e-9)
    np.testing.assert_allclose(toy.ratio, toy.ratio[0], rtol=1e-9)
    assert toy.dominating is None
    assert verdict(toy).endswith("so the tokens stay as they are.")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, ("Input convergence after 200 steps", "mean cosine 1.00", "the mode in which all tokens are equal.")),
        ({"depth": 60}, ("Input convergence after 60 steps", "×10⁻⁸, mean cosine 1.00")),
        (
            {"low": -1.0, "high": 0.0, "depth": 2000},
            ("Rank collapse without input convergence", "mean |cosine| 1.00", "a mode in which tokens differ."),
        ),
        ({"low": -1.0, "high": 0.0, "residual": False}, ("Input convergence", "|λᴴλᴬ|", "its sign alternating.")),
        ({"depth": 2}, ("No limit is reached after 2 steps",)),
        ({"depth": 1}, ("after 1 step:",)),
    ],
)
def test_the_verdict_says_what_happened_and_why(arguments: dict[str, Any], said: tuple[str, ...]) -> None:
    sentence = verdict(run(ToySettings(**arguments)))
    for words in said:
        assert words in sentence


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"low": 0.5, "high": 0.2}, "cannot reach from 0.5 to 0.2"),
        ({"low": -3.1, "high": 0.2}, "cannot reach from -3.1 to 0.2"),
        ({"low": math.nan}, "cannot reach from nan"),
        ({"depth": 0}, "cannot run 0 steps"),
        ({"depth": 2001}, "cannot run 2,001 steps: choose from 1 to 2,000"),
        ({"seed": -1}, "-1 is not a seed"),
        ({"low": 0.0, "high": 0.0, "residual": False}, "no token is left"),
    ],
)
def test_settings_out_of_range_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        ToySettings(**arguments)
