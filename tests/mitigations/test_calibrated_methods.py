"""Methods that are calibrated on texts: their groups, their directions, and what they refuse."""

from __future__ import annotations

import re

import numpy as np
import pytest
from acting import acted, attached
from reference import state_methods as reference
from reference.matrices import plain
from tiny import TEXT, tiny

from oversmooth.core.errors import MitigationError
from oversmooth.measuring.mitigating import mitigated
from oversmooth.mitigations import Mitigation, parse
from oversmooth.mitigations.all_but_the_top import AllButTheTop
from oversmooth.mitigations.dgn import DGN, centres

SAMPLE, TOKENS = plain(60, 8, seed=1), plain(7, 8, seed=2)
DTYPES = [pytest.param(np.float64, 1e-10, id="float64"), pytest.param(np.float32, 2e-5, id="float32")]


def test_the_centres_of_separate_groups_are_found() -> None:
    rng = np.random.default_rng(3)
    middles = np.array([[0.0, 0, 0], [20, 0, 0], [0, -20, 5]])
    own = rng.permutation(np.repeat([0, 1, 2], [30, 5, 12]))
    tokens = middles[own] + rng.standard_normal((47, 3))
    found, spread = centres(tokens, 3)
    means = np.stack([tokens[own == group].mean(axis=0) for group in range(3)])
    matching = [int(np.linalg.norm(found - mean, axis=1).argmin()) for mean in means]
    assert sorted(matching) == [0, 1, 2]
    np.testing.assert_allclose(found[matching], means, atol=1e-12)
    assert spread == pytest.approx(np.mean(np.linalg.norm(tokens - means[own], axis=1) ** 2))


def test_every_centre_is_the_mean_of_the_tokens_nearest_to_it() -> None:
    found, _ = centres(SAMPLE, 6)
    nearest = np.linalg.norm(SAMPLE[:, None] - found[None], axis=2).argmin(axis=1)
    for group in range(6):
        np.testing.assert_allclose(found[group], SAMPLE[nearest == group].mean(axis=0), atol=1e-10)


def test_the_centres_do_not_depend_on_the_order_of_the_tokens() -> None:
    order = np.random.default_rng(4).permutation(len(SAMPLE))
    np.testing.assert_allclose(centres(SAMPLE[order], 5)[0], centres(SAMPLE, 5)[0], atol=1e-10)


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("groups", [1, 4, 10])
def test_dgn_against_one_batch_normalisation_a_group(groups: int, dtype: type, tolerance: float) -> None:
    found, _ = centres(SAMPLE.astype(dtype).astype(np.float64), groups)
    expected = reference.dgn(TOKENS, SAMPLE, found, 0.3)
    changed = acted(DGN(groups=groups, strength=0.3), TOKENS.astype(dtype), sample=SAMPLE.astype(dtype))
    np.testing.assert_allclose(changed, expected, atol=tolerance * np.abs(expected).max())


def test_dgn_with_one_group_adds_the_batch_normalised_tokens() -> None:
    normalised = (TOKENS - SAMPLE.mean(axis=0)) / np.sqrt(SAMPLE.var(axis=0) + 1e-5)
    changed = acted(DGN(groups=1, strength=0.2), TOKENS, sample=SAMPLE)
    np.testing.assert_allclose(changed, TOKENS + 0.2 * normalised, atol=1e-10)


def test_dgn_on_its_own_sample_adds_nothing_on_average() -> None:
    added = acted(DGN(groups=4, strength=1), SAMPLE, sample=SAMPLE) - SAMPLE
    np.testing.assert_allclose(added.mean(axis=0), 0, atol=1e-10)


def test_dgn_of_strength_0_changes_no_bit() -> None:
    given = TOKENS.astype(np.float32)
    np.testing.assert_array_equal(acted(DGN(strength=0), given, sample=SAMPLE.astype(np.float32)), given)


@pytest.mark.parametrize("method", [DGN(groups=4), AllButTheTop(components=2)], ids=str)
def test_a_token_does_not_depend_on_the_others(method: Mitigation) -> None:
    whole = acted(method, TOKENS, sample=SAMPLE)
    for number in range(len(TOKENS)):
        alone = acted(method, TOKENS[number : number + 1], sample=SAMPLE)
        np.testing.assert_allclose(alone[0], whole[number], atol=1e-12)


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("components", [0, 1, 3, 7])
def test_all_but_the_top_against_the_directions_that_are_kept(components: int, dtype: type, tolerance: float) -> None:
    expected = reference.all_but_the_top(TOKENS, SAMPLE, components)
    changed = acted(AllButTheTop(components=components), TOKENS.astype(dtype), sample=SAMPLE.astype(dtype))
    np.testing.assert_allclose(changed, expected, atol=tolerance * np.abs(TOKENS).max())


def test_all_but_the_top_without_directions_only_centres() -> None:
    changed = acted(AllButTheTop(components=0), TOKENS, sample=SAMPLE)
    np.testing.assert_allclose(changed, TOKENS - SAMPLE.mean(axis=0), atol=1e-12)


def test_the_directions_taken_away_have_no_variance_left() -> None:
    before = np.linalg.svd(SAMPLE - SAMPLE.mean(axis=0), compute_uv=False)
    changed = acted(AllButTheTop(components=3), SAMPLE, sample=SAMPLE)
    np.testing.assert_allclose(changed.mean(axis=0), 0, atol=1e-12)
    after = np.linalg.svd(changed, compute_uv=False)
    np.testing.assert_allclose(after, [*before[3:], 0, 0, 0], atol=1e-10)


FEW = plain(6, 8, seed=5)


@pytest.mark.parametrize(
    ("text", "sample", "message"),
    [
        ("dgn:groups=7", FEW, "dgn: the texts have 6 tokens, which do not make 7 groups."),
        (
            "dgn:groups=6",
            FEW,
            "dgn: 6 groups of the texts' 6 tokens leave no two different tokens in one group at block 0.",
        ),
        (
            "dgn:groups=2",
            np.repeat(FEW[:2], 5, axis=0),
            "dgn: 2 groups of the texts' 10 tokens leave no two different tokens in one group at block 0.",
        ),
        ("dgn:groups=2", FEW * np.inf, "dgn: block 0 gives infinite values for the texts."),
        (
            "all_but_the_top:components=5",
            FEW,
            "all_but_the_top: the 6 tokens of the texts vary in 5 directions at most, so fewer than 5 can be taken "
            "away, not 5.",
        ),
        ("all_but_the_top", FEW * np.nan, "all_but_the_top: block 2 gives infinite values for the texts."),
        ("dgn", None, "dgn: it is calibrated on texts, and none were given (texts=…)."),
        ("all_but_the_top", None, "all_but_the_top: it is calibrated on texts, and none were given (texts=…)."),
    ],
)
def test_what_the_texts_do_not_carry_is_refused(text: str, sample: np.ndarray | None, message: str) -> None:
    (method,) = parse(text)
    with pytest.raises(MitigationError, match=f"^{re.escape(message)}$"):
        attached(method, sample=sample)


def test_the_model_is_calibrated_before_it_is_changed() -> None:
    # Six groups are more than a text of three tokens and two special ones has.
    model = tiny("bert")
    with (
        pytest.raises(MitigationError, match="the texts have 5 tokens"),
        mitigated(model, DGN(groups=6), texts=["the cat sat"]),
    ):
        pass
    assert not model.mitigated_by
    with mitigated(model, DGN(groups=6), texts=[TEXT]):
        assert model.mitigated_by
