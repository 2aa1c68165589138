"""Each mitigation of attention gives what its formula says, computed a second time without tensors."""

from __future__ import annotations

import attending
import numpy as np
import pytest
import torch
from attending import BATCH, HEADS, MASKS, TOKENS, inputs
from reference.attention_methods import METHODS, outputs, plain
from torch import Tensor


def as_numpy(layers: list[attending.Inputs], allowed: Tensor) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    whole = allowed.expand(BATCH, HEADS, TOKENS, TOKENS).numpy()
    return [(layer.logits.double().numpy(), whole, layer.values.double().numpy()) for layer in layers]


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("specification", ["", *METHODS])
def test_it_gives_what_its_formula_says(specification: str, mask: str) -> None:
    layers, allowed = inputs(seed=len(specification)), MASKS[mask]
    found = torch.stack([layer.output for layer in attending.attend(specification, layers, allowed)])
    expected = outputs(METHODS.get(specification, plain()), as_numpy(layers, allowed))
    real = allowed.diagonal(dim1=-2, dim2=-1).expand(BATCH, HEADS, TOKENS)
    assert torch.isfinite(found).all(), "not even where a token is padding"
    np.testing.assert_allclose(found[:, real].numpy(), expected[:, real.numpy()], rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("blocked", [-torch.inf, -1e30])
@pytest.mark.parametrize("specification", METHODS)
def test_whatever_a_family_masks_with_it_stays_masked(specification: str, blocked: float) -> None:
    layers, allowed = inputs(seed=3), MASKS["causal"]
    usual = attending.attend(specification, layers, allowed)
    for one, other in zip(usual, attending.attend(specification, layers, allowed, blocked=blocked), strict=True):
        assert torch.equal(one.matrix, other.matrix)
        assert torch.equal(one.output, other.output)
