"""What holds of the mitigations that hide keys or replace attention, whatever the model and the text."""

from __future__ import annotations

import pytest
import torch
from attending import BATCH, HEADS, MASKS, TOKENS, Inputs, attend, causal, full, inputs, mean_of_allowed, real

ALL = pytest.mark.parametrize("mask", MASKS)


@ALL
def test_a_temperature_of_zero_is_uniform_attention(mask: str) -> None:
    for layer, given in zip(attend("attention_temperature:beta=0", inputs(), MASKS[mask]), inputs(), strict=True):
        expected = mean_of_allowed(given.values, MASKS[mask])
        chosen = real(MASKS[mask])
        torch.testing.assert_close(layer.output[chosen], expected[chosen], atol=1e-6, rtol=1e-5)


def test_a_high_factor_sees_the_strongest_key_alone() -> None:
    # Logits at least 1 apart.
    layers = [Inputs(layer.logits.argsort(dim=-1).float(), layer.values) for layer in inputs()]
    for layer, given in zip(attend("attention_temperature:beta=100", layers, full()), layers, strict=True):
        strongest = torch.nn.functional.one_hot(given.logits.argmax(dim=-1), TOKENS).float()
        torch.testing.assert_close(layer.matrix, strongest)


@pytest.mark.parametrize(
    "specification",
    ["attention_window:width=2+attention_temperature:beta=0", "attention_temperature:beta=0+attention_window:width=2"],
)
def test_what_a_window_hides_stays_hidden_from_a_temperature(specification: str) -> None:
    near = full().tril(1) & full().triu(-1)
    for layer in attend(specification, inputs(), causal()):
        kept = (near & causal()).float()
        torch.testing.assert_close(layer.matrix, (kept / kept.sum(dim=-1, keepdim=True)).expand_as(layer.matrix))


def test_no_token_attends_to_itself_but_one_that_sees_nothing_else() -> None:
    for layer in attend("no_diagonal", inputs(), causal()):
        diagonal = layer.matrix.diagonal(dim1=-2, dim2=-1)
        assert (diagonal[..., 0] == 1).all()
        assert (diagonal[..., 1:] == 0).all()
    for layer in attend("no_diagonal", inputs(tokens=1), full(1)):
        assert (layer.matrix == 1).all()


def test_removing_the_diagonal_keeps_the_proportions_of_the_rest() -> None:
    for plain, changed in zip(attend("", inputs(), full()), attend("no_diagonal", inputs(), full()), strict=True):
        rest = plain.matrix * (1 - torch.eye(TOKENS))
        torch.testing.assert_close(changed.matrix, rest / rest.sum(dim=-1, keepdim=True))


@pytest.mark.parametrize(
    "specification", ["no_diagonal+attention_window:width=2", "attention_window:width=2+no_diagonal"]
)
@ALL
def test_two_masks_leave_every_token_a_key_in_either_order(specification: str, mask: str) -> None:
    allowed = MASKS[mask].expand(BATCH, HEADS, TOKENS, TOKENS)
    neighbours = (full().tril(1) & full().triu(-1) & allowed).expand_as(allowed)
    for layer in attend(specification, inputs(), MASKS[mask]):
        for place in real(MASKS[mask]).nonzero().tolist():
            row, seen = layer.matrix[tuple(place)], neighbours[tuple(place)]
            others = [key for key in range(TOKENS) if seen[key] and key != place[-1]] or [place[-1]]
            assert row.nonzero().flatten().tolist() == others


def test_a_convolution_of_width_one_gives_every_token_its_own_value() -> None:
    found = attend("local_convolution:width=1,layers=0-2", inputs(), causal())
    for layer, given in zip(found, inputs(), strict=True):
        assert torch.equal(layer.output, given.values)


def test_a_convolution_does_not_depend_on_the_logits() -> None:
    other = [Inputs(-layer.logits, layer.values) for layer in inputs()]
    for layers in (inputs(), other):
        found = attend("local_convolution:width=2", layers, full())
        band = (full().tril(1) & full().triu(-1)).float()
        torch.testing.assert_close(found[0].matrix, (band / band.sum(dim=-1, keepdim=True)).expand_as(found[0].matrix))
        assert torch.equal(found[1].matrix, layers[1].logits.softmax(dim=-1)), "only every second layer by default"


def test_a_convolution_as_wide_as_the_text_is_uniform_attention() -> None:
    for layer, given in zip(
        attend(f"local_convolution:width={TOKENS},layers=0-2", inputs(), causal()), inputs(), strict=True
    ):
        torch.testing.assert_close(layer.output, mean_of_allowed(given.values, causal()))


def test_a_run_of_layers_shares_the_matrices_of_its_first() -> None:
    plain = attend("", inputs(), causal())
    shared = attend("shared_attention:first=1,last=2", inputs(), causal())
    assert torch.equal(shared[0].matrix, plain[0].matrix)
    assert torch.equal(shared[1].matrix, plain[1].matrix)
    assert torch.equal(shared[2].matrix, plain[1].matrix)
    narrowed = attend("shared_attention:first=0,last=2,layers=2", inputs(), causal())
    assert torch.equal(narrowed[1].matrix, plain[1].matrix)
    assert torch.equal(narrowed[2].matrix, plain[0].matrix)
