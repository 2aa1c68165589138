"""Methods on hidden states against a second implementation of each formula, and what their formulas promise."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from acting import Array, acted, attached
from reference import state_methods as reference
from reference.matrices import plain
from reference.sample import Matrix

from oversmooth.mitigations import Mitigation
from oversmooth.mitigations.contranorm import ContraNorm
from oversmooth.mitigations.featscale import FeatScale
from oversmooth.mitigations.high_frequency_gain import HighFrequencyGain
from oversmooth.mitigations.noise import Noise
from oversmooth.mitigations.pairnorm import PairNorm
from oversmooth.mitigations.softdecay import SoftDecay

TOKENS = plain(9, 12, seed=1)
DTYPES = [pytest.param(np.float64, 1e-10, id="float64"), pytest.param(np.float32, 1e-5, id="float32")]


@dataclass(frozen=True)
class Case:
    """A method and its formula."""

    method: Mitigation
    formula: Callable[[Matrix, bool], Matrix]
    """Of the tokens, and whether the model is causal."""


CASES = [
    Case(SoftDecay(), lambda x, _: reference.softdecay(x, -0.6, 0.2)),
    Case(SoftDecay(alpha=-0.9, blend=1), lambda x, _: reference.softdecay(x, -0.9, 1)),
    Case(SoftDecay(alpha=-1e-4, blend=0.5), lambda x, _: reference.softdecay(x, -1e-4, 0.5)),
    Case(SoftDecay(blend=1, safe=True), lambda x, _: reference.softdecay(x, -0.6, 1, safe=True)),
    Case(ContraNorm(), lambda x, causal: reference.contranorm(x, 0.05, 1, causal=causal)),
    Case(ContraNorm(scale=0.7, temperature=0.1), lambda x, causal: reference.contranorm(x, 0.7, 0.1, causal=causal)),
    Case(FeatScale(), lambda x, causal: reference.featscale(x, -0.05, 0.05, causal=causal)),
    Case(FeatScale(dc=0.5, hc=-1), lambda x, causal: reference.featscale(x, 0.5, -1, causal=causal)),
    Case(HighFrequencyGain(gain=0.4), lambda x, causal: reference.featscale(x, 0, 0.4, causal=causal)),
    Case(PairNorm(scale=3), lambda x, _: reference.pairnorm(x, 3)),
]


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.method))
def test_the_formula(case: Case, dtype: type, tolerance: float, causal: bool) -> None:
    given: Array = TOKENS.astype(dtype)
    expected = case.formula(given.astype(np.float64), causal)
    assert np.abs(expected - given).max() > 1e-3 or case.method == CASES[2].method
    np.testing.assert_allclose(acted(case.method, given, causal=causal), expected, atol=tolerance * abs(expected).max())


NEUTRAL = [
    SoftDecay(alpha=0),
    SoftDecay(blend=0),
    ContraNorm(scale=0),
    FeatScale(dc=0, hc=0),
    HighFrequencyGain(gain=0),
    Noise(ratio=0),
]


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("method", NEUTRAL, ids=str)
def test_the_neutral_value_changes_no_bit(method: Mitigation, causal: bool) -> None:
    given = plain(7, 12, seed=2).astype(np.float32)
    np.testing.assert_array_equal(acted(method, given, causal=causal), given)


@pytest.mark.parametrize("method", [ContraNorm(scale=0.5), FeatScale(), HighFrequencyGain(), Noise()], ids=str)
def test_the_causal_form_gives_each_token_what_it_would_get_at_the_end_of_the_text(method: Mitigation) -> None:
    whole = acted(method, TOKENS, causal=True)
    for end in range(1, len(TOKENS) + 1):
        np.testing.assert_allclose(whole[end - 1], acted(method, TOKENS[:end])[-1], atol=1e-12)


def test_only_a_causal_model_gets_the_causal_form() -> None:
    for method in (ContraNorm(), FeatScale(), HighFrequencyGain(), Noise()):
        assert not np.allclose(acted(method, TOKENS, causal=True), acted(method, TOKENS, causal=False), atol=1e-6)


@pytest.mark.parametrize(
    "method", [ContraNorm(scale=0.5), FeatScale(), HighFrequencyGain(), PairNorm(), SoftDecay(blend=1)], ids=str
)
def test_the_order_of_the_tokens_does_not_matter(method: Mitigation) -> None:
    order = np.random.default_rng(3).permutation(len(TOKENS))
    np.testing.assert_allclose(acted(method, TOKENS[order]), acted(method, TOKENS)[order], atol=1e-12)


def test_featscale_scales_the_mean_and_the_rest() -> None:
    changed = acted(FeatScale(dc=0.25, hc=-0.5), TOKENS)
    np.testing.assert_allclose(changed.mean(axis=0), 1.25 * TOKENS.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(changed - changed.mean(axis=0), 0.5 * (TOKENS - TOKENS.mean(axis=0)), atol=1e-12)


@pytest.mark.parametrize("causal", [False, True])
def test_featscale_with_one_weight_for_both_is_a_plain_factor(causal: bool) -> None:
    np.testing.assert_allclose(acted(FeatScale(dc=0.3, hc=0.3), TOKENS, causal=causal), 1.3 * TOKENS, atol=1e-12)


@pytest.mark.parametrize("causal", [False, True])
def test_equal_tokens_stay_where_they_are(causal: bool) -> None:
    # 0.1 has no exact mean in float32: rounding must not be taken for a difference between tokens.
    equal = np.tile(np.array([0.1, -3, 7e-4], dtype=np.float32), (7, 1))
    for method in (HighFrequencyGain(gain=5), Noise(ratio=10)):
        np.testing.assert_array_equal(acted(method, equal, causal=causal), equal)
    np.testing.assert_allclose(acted(ContraNorm(scale=1), equal, causal=causal), equal, rtol=1e-6)


def test_contranorm_takes_a_token_without_length() -> None:
    tokens = TOKENS.copy()
    tokens[2] = 0
    assert np.isfinite(acted(ContraNorm(temperature=0.01), tokens)).all()


def test_contranorm_of_equally_unlike_tokens_is_the_high_frequency_gain() -> None:
    # Orthogonal tokens of one length at a high temperature: the weights of the softmax are all 1/n.
    tokens = 3 * np.eye(6, 8)
    gained = acted(HighFrequencyGain(gain=0.5), tokens)
    np.testing.assert_allclose(acted(ContraNorm(scale=0.5, temperature=100), tokens), gained, atol=0.02)
    assert not np.allclose(acted(ContraNorm(scale=0.5, temperature=0.1), tokens), gained, atol=0.02)


def test_pairnorm_has_mean_0_and_the_mean_squared_length_asked_for() -> None:
    changed = acted(PairNorm(scale=4), TOKENS)
    np.testing.assert_allclose(changed.mean(axis=0), 0, atol=1e-12)
    assert math.isclose(np.square(changed).sum(axis=1).mean(), 16, rel_tol=1e-12)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_pairnorm_of_equal_tokens_is_no_number(count: int) -> None:
    equal = np.tile(np.array([0.1, -3, 7e-4], dtype=np.float32), (count, 1))
    assert np.isnan(acted(PairNorm(), equal)).all()


def noise(method: Noise, tokens: Array, *, causal: bool = False) -> Array:
    """What was added, as a multiple of its size."""
    added = acted(method, tokens, causal=causal) - tokens
    rows: Array = added[1:] / (method.ratio * reference.spread(tokens, causal=causal)[1:])
    return rows


@pytest.mark.parametrize("causal", [False, True])
def test_noise_is_standard_gaussian_in_units_of_the_spread(causal: bool) -> None:
    drawn = noise(Noise(ratio=0.3), plain(400, 64, seed=4), causal=causal)
    size = drawn.size
    assert abs(drawn.mean()) < 5 / math.sqrt(size)
    assert abs(drawn.var() - 1) < 5 * math.sqrt(2 / size)
    assert abs((drawn**4).mean() - 3) < 5 * math.sqrt(96 / size)
    # Isotropic: no dimension and no token gets more of it.
    np.testing.assert_allclose(drawn.var(axis=0), 1, atol=5 * math.sqrt(2 / len(drawn)))
    np.testing.assert_allclose(drawn.var(axis=1), 1, atol=6 * math.sqrt(2 / drawn.shape[1]))


def test_noise_has_the_norm_asked_for() -> None:
    tokens = plain(300, 64, seed=5)
    added = acted(Noise(ratio=0.25), tokens) - tokens
    share = np.linalg.norm(added) / np.linalg.norm(tokens - tokens.mean(axis=0))
    assert math.isclose(share, 0.25, rel_tol=0.02)


def test_noise_depends_on_seed_and_place_alone() -> None:
    tokens, others = plain(9, 12, seed=6), plain(14, 12, seed=7)
    np.testing.assert_array_equal(acted(Noise(seed=3), tokens), acted(Noise(seed=3), tokens))
    np.testing.assert_allclose(noise(Noise(seed=3), tokens), noise(Noise(seed=3), others)[:8], atol=1e-12)
    assert abs(np.corrcoef(noise(Noise(seed=3), tokens).ravel(), noise(Noise(seed=4), tokens).ravel())[0, 1]) < 0.4
    first, second = (noise(Noise(layers=(layer,)), tokens).ravel() for layer in (0, 1))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.4


def test_the_first_token_of_a_causal_model_gets_no_noise() -> None:
    # Alone, it does not differ from the mean of the tokens so far.
    np.testing.assert_array_equal(acted(Noise(), TOKENS, causal=True)[0], TOKENS[0])


@pytest.mark.parametrize(
    ("method", "kinds"),
    [
        (ContraNorm(), ["block"] * 3),
        (ContraNorm(where="paper"), ["attention_norm_input"] * 3),
        (FeatScale(), ["block"] * 3),
        (FeatScale(where="paper"), ["attention"] * 3),
        (PairNorm(), ["block"] * 3),
        (Noise(), ["block"] * 3),
        (HighFrequencyGain(layers=(0, 2)), ["block"] * 2),
        (SoftDecay(), ["block"]),
        (SoftDecay(where="paper"), ["mlp_norm_input"]),
        (SoftDecay(layers=()), []),
    ],
    ids=str,
)
def test_positions(method: Mitigation, kinds: list[str]) -> None:
    assert [site.kind for site in attached(method).found] == kinds
