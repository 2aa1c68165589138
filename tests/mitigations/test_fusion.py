"""Hierarchical fusion: what is made of the outputs of the blocks."""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import pytest
import torch
from acting import attached
from tiny import TEXT, tiny
from torch import Tensor

from oversmooth import Settings, measure
from oversmooth.core.errors import MitigationError
from oversmooth.mitigations import parse
from oversmooth.mitigations.fusion import Fusion
from oversmooth.results.measurement import Measurement

RANDOM = torch.Generator().manual_seed(1)
STATES = [torch.randn(2, 5, 4, generator=RANDOM) for _ in range(3)]


def fused(method: Fusion, states: list[Tensor] | None = None) -> Tensor:
    read_out = attached(method).read_out
    assert read_out is not None
    return read_out.fuse(STATES if states is None else states)


def close(actual: Tensor, expected: Any) -> None:
    np.testing.assert_allclose(actual.numpy(), expected, atol=1e-6)


def test_mean_and_max() -> None:
    stacked = np.stack([state.numpy() for state in STATES])
    close(fused(Fusion()), stacked.mean(axis=0))
    np.testing.assert_array_equal(fused(Fusion(mode="max")).numpy(), stacked.max(axis=0))


def test_concat_is_the_weighted_sum() -> None:
    expected = 0.5 * STATES[0].numpy() - 2 * STATES[1].numpy() + 0.25 * STATES[2].numpy()
    close(fused(Fusion(mode="concat", weights=(0.5, -2, 0.25))), expected)


def test_concat_with_all_weight_on_the_last_block_is_that_block() -> None:
    assert torch.equal(fused(Fusion(mode="concat", weights=(0, 0, 1))), STATES[2])


def test_the_gate_weighs_by_a_softmax() -> None:
    shares = np.exp([1.0, 0.0, -2.0]) / np.exp([1.0, 0.0, -2.0]).sum()
    stacked = np.stack([state.numpy() for state in STATES])
    close(fused(Fusion(mode="gate", weights=(1, 0, -2))), np.tensordot(shares, stacked, 1))


@pytest.mark.parametrize("weights", [(), (0, 0, 0), (700, 700, 700), (-1e9, 5, 1e9)])
def test_the_weights_of_the_gate_sum_to_1(weights: tuple[float, ...]) -> None:
    ones = [torch.ones(1, 2, 3)] * 3
    close(fused(Fusion(mode="gate", weights=weights), ones), 1)


@pytest.mark.parametrize("weights", [(), (0, 0, 0), (-3, -3, -3)])
def test_a_gate_of_equal_logits_is_the_mean(weights: tuple[float, ...]) -> None:
    close(fused(Fusion(mode="gate", weights=weights)), fused(Fusion()))


def test_max_does_not_depend_on_the_order_of_the_blocks() -> None:
    for order in itertools.permutations(STATES):
        assert torch.equal(fused(Fusion(mode="max"), list(order)), fused(Fusion(mode="max")))


@pytest.mark.parametrize("mode", ["mean", "max", "gate"])
def test_one_block_alone_is_that_block(mode: str) -> None:
    assert torch.equal(fused(Fusion(mode=mode, last=1)), STATES[2])
    assert torch.equal(fused(Fusion(mode=mode, layers=(1,))), STATES[1])


@pytest.mark.parametrize("block", [0, 1, 2])
def test_exit_reads_one_block(block: int) -> None:
    assert torch.equal(fused(Fusion(mode="exit", exit=block)), STATES[block])


def test_last_and_layers_choose_the_blocks() -> None:
    close(fused(Fusion(last=2)), (STATES[1] + STATES[2]) / 2)
    close(fused(Fusion(layers=(0, 2))), (STATES[0] + STATES[2]) / 2)
    close(fused(Fusion(mode="concat", last=2, weights=(1, 3))), STATES[1] + 3 * STATES[2])


def test_fusion_acts_token_by_token() -> None:
    for mode in ("mean", "max", "gate"):
        whole = fused(Fusion(mode=mode))
        assert torch.equal(fused(Fusion(mode=mode), [state[:, 1:4] for state in STATES]), whole[:, 1:4])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "fusion:mode=concat",
            "fusion: the mode concat takes one weight for each of 3 blocks, and 0 weights were given.",
        ),
        (
            "fusion:mode=concat,weights=1/2/3/4",
            "fusion: the mode concat takes one weight for each of 3 blocks, and 4 weights were given.",
        ),
        (
            "fusion:mode=gate,weights=1",
            "fusion: the mode gate takes one weight for each of 3 blocks, and 1 weight was given.",
        ),
        ("fusion:mode=exit,exit=3", "fusion: there is no block 3: they are counted from 0 to 2."),
        ("fusion:last=4", "fusion: it cannot fuse the last 4 of 3 blocks."),
        ("fusion:layers=7", "fusion: there is no block 7: they are counted from 0 to 2."),
    ],
)
def test_what_does_not_fit_the_model_is_refused(text: str, message: str) -> None:
    (method,) = parse(text)
    with pytest.raises(MitigationError, match=f"^{re.escape(message)}$"):
        attached(method)


def measured(mitigations: str, family: str = "bert") -> Measurement:
    texts = (TEXT, "the cat sat on the mat")
    return measure(Settings.of(texts=texts, mitigations=mitigations, points="all"), model=tiny(family))


@pytest.mark.parametrize("family", ["bert", "gpt2", "xlnet"])
def test_a_measurement_gains_the_point_and_no_other_number_changes(family: str) -> None:
    without, with_fusion = measured("fusion:layers=none", family), measured("fusion:mode=max", family)
    assert [*without.curves.point.values, "fusion"] == [*with_fusion.curves.point.values]
    kept = with_fusion.curves.drop_sel(point="fusion")
    assert kept.equals(without.curves)
    assert with_fusion.spectra.drop_sel(point="fusion").equals(without.spectra)
    assert np.isfinite(with_fusion.curves.token_cosine.sel(point="fusion")).all()


def test_the_exit_at_the_last_block_measures_as_that_block() -> None:
    curves = measured("fusion:mode=exit,exit=2").curves
    np.testing.assert_array_equal(curves.token_cosine.sel(point="fusion"), curves.token_cosine.sel(point="2"))
    assert (curves.token_cosine.sel(point="fusion") != curves.token_cosine.sel(point="1")).all()


def test_fusion_reads_what_another_method_left() -> None:
    plain = measured("fusion:mode=exit,exit=1").curves.token_cosine.sel(point="fusion")
    gained = measured("high_frequency_gain:gain=1,layers=1+fusion:mode=exit,exit=1").curves.token_cosine
    assert (gained.sel(point="fusion") < plain).all()
    np.testing.assert_array_equal(gained.sel(point="fusion"), gained.sel(point="1"))
