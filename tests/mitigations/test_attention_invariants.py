"""What holds of each mitigation of attention whatever the model and the text."""

from __future__ import annotations

import pytest
import torch
from attending import BATCH, HEADS, MASKS, TOKENS, Inputs, attend, causal, full, inputs, mean_of_allowed, real
from reference.attention_methods import METHODS

ALL = pytest.mark.parametrize("mask", MASKS)


def constant() -> list[Inputs]:
    """All tokens with the same values."""
    return [Inputs(layer.logits, torch.ones_like(layer.values) * layer.values[:, :, :1]) for layer in inputs()]


@ALL
@pytest.mark.parametrize(
    ("specification", "total"),
    [
        ("", 1),
        ("attnscale:omega=1.5", 1),
        ("attnscale:omega=-1", 1),
        ("gfsa:weight=-0.3,order=3", 0.7),
        ("gfsa:weight=0.5,order=10", 1.5),
        ("centred_attention:kappa=0.3", 0.7),
        ("centred_attention:kappa=1", 0),
        ("laplacian_heads:fraction=1", 0),
        ("attention_temperature:beta=7", 1),
        ("no_diagonal", 1),
        ("attention_window:width=2", 1),
        ("no_diagonal+attention_window:width=2", 1),
        ("local_convolution:width=2,layers=0-2", 1),
        ("shared_attention:first=0,last=2", 1),
    ],
)
def test_rows_sum_to_what_the_formula_says(specification: str, total: float, mask: str) -> None:
    for layer in attend(specification, inputs(), MASKS[mask]):
        sums = layer.matrix.sum(dim=-1)[real(MASKS[mask])]
        torch.testing.assert_close(sums, torch.full_like(sums, total), atol=1e-5, rtol=0)


@pytest.mark.parametrize("mask", [name for name in MASKS if name != "full"])
@pytest.mark.parametrize("specification", METHODS)
def test_what_may_not_be_seen_has_no_weight_at_all(specification: str, mask: str) -> None:
    allowed = MASKS[mask].expand(BATCH, HEADS, TOKENS, TOKENS)
    for layer in attend(specification, inputs(), MASKS[mask]):
        assert (layer.matrix[~allowed & real(MASKS[mask])[..., None]] == 0).all()


@pytest.mark.parametrize("specification", METHODS)
def test_a_later_token_changes_no_earlier_one_in_a_causal_model(specification: str) -> None:
    before, after = inputs(), inputs()
    for layer in after:
        layer.logits[..., 5] += 4
        layer.logits[..., 5, :] -= 2
        layer.values[..., 5, :] *= -3
    pairs = zip(attend(specification, before, causal()), attend(specification, after, causal()), strict=True)
    for one, other in pairs:
        assert torch.equal(one.output[..., :5, :], other.output[..., :5, :])
        assert not torch.equal(one.output[..., 5:, :], other.output[..., 5:, :])


NEUTRAL = (
    "neutreno:strength=0",
    "value_residual:strength=0",
    "attnscale:omega=0",
    "centred_attention:kappa=0",
    "gfsa:weight=0,order=5",
    "laplacian_heads:fraction=0",
    "attention_temperature:beta=1",
    f"attention_window:width={TOKENS}",
    "shared_attention:first=1,last=1",
    "neutreno:strength=0.4,heads=none",
    "no_diagonal:layers=none",
    "local_convolution:layers=none",
)


@ALL
@pytest.mark.parametrize("specification", NEUTRAL)
def test_at_its_neutral_value_nothing_changes_bit_for_bit(specification: str, mask: str) -> None:
    for one, other in zip(attend("", inputs(), MASKS[mask]), attend(specification, inputs(), MASKS[mask]), strict=True):
        assert torch.equal(one.matrix, other.matrix)
        assert torch.equal(one.output, other.output)


@pytest.mark.parametrize("specification", METHODS)
def test_heads_that_were_not_chosen_stay_as_they_are(specification: str) -> None:
    colon = "," if ":" in specification else ":"
    plain = attend("", inputs(), full())
    chosen = attend(f"{specification}{colon}heads=1/3", inputs(), full())
    changed = {
        head
        for one, other in zip(plain, chosen, strict=True)
        for head in range(HEADS)
        if not torch.equal(one.output[:, head], other.output[:, head])
    }
    expected = {1} if "fraction=0.5" in specification else {1, 3}
    assert changed == expected


@pytest.mark.parametrize("name", ["neutreno", "value_residual"])
@pytest.mark.parametrize("strength", [0.1, 0.4, 1])
def test_the_first_layer_is_untouched_at_every_strength(name: str, strength: float) -> None:
    for layers in ("default", "0-2"):
        plain = attend("", inputs(), causal())
        changed = attend(f"{name}:strength={strength},layers={layers}", inputs(), causal())
        assert torch.equal(plain[0].output, changed[0].output)
        assert not torch.allclose(plain[1].output, changed[1].output)
        assert not torch.allclose(plain[2].output, changed[2].output)


def test_where_values_stay_those_of_the_first_layer_they_are_not_drawn_anywhere() -> None:
    layers = [Inputs(layer.logits, inputs()[0].values) for layer in inputs()]
    for name in ("neutreno", "value_residual"):
        for one, other in zip(attend("", layers, full()), attend(f"{name}:strength=0.6", layers, full()), strict=True):
            assert torch.equal(one.output, other.output)


def test_neutreno_is_the_value_residual_where_every_token_attends_to_itself_alone() -> None:
    layers = [Inputs(layer.logits + 1000 * torch.eye(TOKENS), layer.values) for layer in inputs()]
    pairs = zip(
        attend("neutreno:strength=0.3", layers, full()),
        attend("value_residual:strength=0.3", layers, full()),
        strict=True,
    )
    for one, other in pairs:
        torch.testing.assert_close(one.output, other.output)
    elsewhere = [attend(f"{name}:strength=0.3", inputs(), full())[1] for name in ("neutreno", "value_residual")]
    assert not torch.allclose(elsewhere[0].output, elsewhere[1].output)


def test_a_whole_value_residual_mixes_the_values_of_the_first_layer() -> None:
    layers = inputs()
    for plain, changed in zip(
        attend("", layers, full()), attend("value_residual:strength=1", layers, full()), strict=True
    ):
        torch.testing.assert_close(changed.output, plain.matrix @ layers[0].values, atol=1e-5, rtol=1e-5)


def test_neutreno_applied_to_one_values_everywhere_keeps_them() -> None:
    # The rows of A − λI and λI sum to 1 together: where all values are equal, so is what comes out.
    layers = [Inputs(layer.logits, constant()[0].values) for layer in inputs()]
    for layer, given in zip(attend("neutreno:strength=0.7", layers, full()), layers, strict=True):
        torch.testing.assert_close(layer.output, given.values)


@ALL
def test_attnscale_at_minus_one_gives_the_mean_of_the_values_a_token_may_see(mask: str) -> None:
    found = attend("attnscale:omega=-1", inputs(), MASKS[mask])
    for layer, given in zip(found, inputs(), strict=True):
        expected = mean_of_allowed(given.values, MASKS[mask])
        chosen = real(MASKS[mask])
        torch.testing.assert_close(layer.output[chosen], expected[chosen], atol=1e-5, rtol=1e-5)


def test_gfsa_of_order_one_scales_attention() -> None:
    for plain, changed in zip(
        attend("", inputs(), causal()), attend("gfsa:weight=-0.4,order=1", inputs(), causal()), strict=True
    ):
        torch.testing.assert_close(changed.matrix, 0.6 * plain.matrix)


def test_gfsa_of_order_two_takes_the_true_square() -> None:
    for plain, changed in zip(
        attend("", inputs(), full()), attend("gfsa:weight=-0.4,order=2", inputs(), full()), strict=True
    ):
        torch.testing.assert_close(changed.matrix, plain.matrix - 0.4 * torch.linalg.matrix_power(plain.matrix, 2))


@pytest.mark.parametrize("specification", ["laplacian_heads:fraction=1", "centred_attention:kappa=1"])
@ALL
def test_what_all_tokens_share_is_taken_away(specification: str, mask: str) -> None:
    for layer in attend(specification, constant(), MASKS[mask]):
        output = layer.output[real(MASKS[mask])]
        torch.testing.assert_close(output, torch.zeros_like(output), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("heads", "fraction", "changed"),
    [
        (12, "0.17", {0, 1}),
        (4, "0.17", {0}),
        (4, "0.01", {0}),
        (4, "0.625", {0, 1, 2}),
        (12, "1", set(range(12))),
        (12, "0.5,heads=2-5", {2, 3}),
        (12, "0", set()),
    ],
)
def test_which_heads_are_laplacian(heads: int, fraction: str, changed: set[int]) -> None:
    layers = inputs(heads=heads)
    pairs = zip(attend("", layers, full()), attend(f"laplacian_heads:fraction={fraction}", layers, full()), strict=True)
    for plain, found in pairs:
        for head in range(heads):
            expected = torch.eye(TOKENS) - plain.matrix[:, head] if head in changed else plain.matrix[:, head]
            assert torch.equal(found.matrix[:, head], expected)


@pytest.mark.parametrize("specification", METHODS)
def test_nothing_is_kept_from_one_pass_to_the_next(specification: str) -> None:
    first = attend(specification, inputs(seed=1), full())
    attend(specification, inputs(seed=2), full())
    again = attend(specification, inputs(seed=1), full())
    assert all(torch.equal(one.output, other.output) for one, other in zip(first, again, strict=True))


@pytest.mark.parametrize("after", ["attnscale:omega=0.5", "centred_attention:kappa=1"])
def test_the_uniform_attention_of_a_method_keeps_to_the_window_of_one_before_it(after: str) -> None:
    outside = (torch.arange(TOKENS)[:, None] - torch.arange(TOKENS)).abs() >= 3
    (first, *_) = attend(f"attention_window:width=3+{after}", inputs(), full())
    assert not first.matrix[..., outside].any()
    assert first.matrix[..., ~outside].any()
