"""The LayerNorm bound, against singular values of the weights and against what the network does."""

from __future__ import annotations

import math
import re
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from families import COMMON, FAMILIES, LAYERS, build
from numpy.typing import NDArray
from tiny import minilm
from transformers import PreTrainedModel

from oversmooth.core.errors import UndefinedError
from oversmooth.core.points import BRANCHES
from oversmooth.metrics.mechanisms.bound import contraction, smoothing_bound, weight_norms
from oversmooth.metrics.mechanisms.norms import norm_gains, token_deviations
from oversmooth.models.anatomy import Anatomy, dissect
from oversmooth.models.families.declaration import _REGISTRY

HEADS = 4
SETTING = {"bert", "roberta", "xlm-roberta", "albert", "distilbert", "electra", "bart"}


@dataclass
class Seen:
    """What one text met in a post-norm network."""

    distances: NDArray[np.float64]
    """d_M at the embedding and after each block."""
    deviations: NDArray[np.float64]
    """Smallest of each layer and norm."""
    roots: NDArray[np.float64]
    """Largest ‖RA‖₂ of each layer."""


def watch(network: PreTrainedModel, anatomy: Anatomy, ids: torch.Tensor) -> Seen:
    reads: list[float] = []

    def keep(_: Any, arguments: tuple[Any, ...]) -> None:
        reads.append(token_deviations(arguments[0][0].numpy(), "LayerNorm").min())

    with ExitStack() as stack, torch.inference_mode():
        stack.callback(network.set_attn_implementation, network.config._attn_implementation)
        network.set_attn_implementation("eager")
        for module in dict.fromkeys(module for branch in BRANCHES for module in anatomy.sub_layers[branch]):
            stack.callback(module.register_forward_pre_hook(keep).remove)
        output = anatomy.network(input_ids=ids, output_attentions=True, output_hidden_states=True)
    states = [state[0].double().numpy() for state in output.hidden_states]
    heads = [attention[0].double().numpy() for attention in output.attentions]
    return Seen(
        np.array([np.linalg.norm(state - state.mean(axis=0)) for state in states]),
        np.array(reads).reshape(-1, 2),
        np.array([max(np.linalg.norm(each - each.mean(axis=0), 2) for each in layer) for layer in heads]),
    )


def gains_of(anatomy: Anatomy) -> NDArray[np.float64]:
    return np.array([each.largest for each in norm_gains(anatomy)]).reshape(-1, 2)


@pytest.mark.parametrize("name", ["bert", "albert", "distilbert", "bart"])
def test_weight_norms_are_largest_singular_values(name: str) -> None:
    anatomy = dissect(build(name))
    found = weight_norms(anatomy)
    for layer in range(LAYERS):
        parts = anatomy.circuits[layer]
        value = parts.value.get_parameter("weight").detach().double().numpy().T
        output = parts.projection.get_parameter("weight").detach().double().numpy().T
        width = value.shape[1] // HEADS
        columns = [slice(head * width, (head + 1) * width) for head in range(HEADS)]
        heads = [np.linalg.svd(value[:, each] @ output[each], compute_uv=False)[0] for each in columns]
        assert found.attention[layer] == pytest.approx(max(heads), rel=1e-5)
        block = anatomy.blocks[layer]
        shapes = [p for p in block.parameters() if p.ndim == 2 and 64 in p.shape]
        assert len(shapes) == 2
        mlp = [np.linalg.svd(p.detach().double().numpy(), compute_uv=False)[0] for p in shapes]
        assert found.mlp[layer] == pytest.approx(max(mlp), rel=1e-5)
    np.testing.assert_array_equal(found.largest, np.maximum(found.attention, found.mlp))
    assert weight_norms(anatomy) is found


def test_the_bound_is_the_theorems_times_the_gains() -> None:
    anatomy = dissect(build("bert"))
    weights = weight_norms(anatomy)
    roots = np.array([[0.5, 1.0, 1.5], [0.0, 2.0, 0.1]])
    deviations = np.random.default_rng(0).uniform(0.2, 2.0, size=(2, LAYERS, 2))
    gains = np.array([[1.0, 2.0], [0.5, 3.0], [1.0, 1.0]])
    found = smoothing_bound(weights, HEADS, roots, deviations, gains)
    for text in range(2):
        for layer in range(LAYERS):
            s, (one, two) = weights.largest[layer], deviations[text, layer]
            theorem = (1 + s * s) * (1 + roots[text, layer] * HEADS * s) / (one * two)
            assert found[text, layer] == pytest.approx(theorem * gains[layer][0] * gains[layer][1])


def test_a_token_that_is_constant_leaves_no_bound() -> None:
    anatomy = dissect(build("bert"))
    deviations = np.ones((1, LAYERS, 2))
    deviations[0, 1, 0] = 0.0
    found = smoothing_bound(weight_norms(anatomy), HEADS, np.ones((1, LAYERS)), deviations, np.ones((LAYERS, 2)))
    assert np.isinf(found).tolist() == [[False, True, False]]


@pytest.mark.parametrize("deviation", [0.02, 0.3])
def test_no_block_goes_beyond_its_bound(deviation: float) -> None:
    torch.manual_seed(2)
    config = transformers.BertConfig(**COMMON, hidden_act="relu", initializer_range=deviation)
    network: PreTrainedModel = transformers.BertModel(config).train(False)
    anatomy = dissect(network)
    seen = watch(network, anatomy, torch.arange(3, 40)[None])
    bound = smoothing_bound(weight_norms(anatomy), HEADS, seen.roots[None], seen.deviations[None], gains_of(anatomy))
    measured = contraction(seen.distances)
    assert (measured < bound[0]).all()
    assert (measured > 0).all()


def test_figures_of_minilm() -> None:
    model = minilm()
    weights = weight_norms(model.anatomy)
    # The MLP rules the weights; the bound is vacuous by far, whatever the text.
    assert 8.5 < weights.largest.min() < weights.largest.max() < 11.8
    np.testing.assert_array_equal(weights.largest, weights.mlp)
    assert 1.5 < weights.attention.min() < weights.attention.max() < 3.8

    text = "The ferry left the harbour before dawn, and nobody on board had slept."
    seen = watch(model.network, model.anatomy, model.tokenizer(text, return_tensors="pt")["input_ids"])
    assert 0.15 < seen.deviations.prod(axis=1).min() < seen.deviations.prod(axis=1).max() < 0.45
    assert 0.9 < seen.roots.min() < seen.roots.max() < 2.2
    arguments = (weights, model.anatomy.heads, seen.roots[None], seen.deviations[None])
    bare = smoothing_bound(*arguments, np.ones((6, 2)))
    assert 3e4 < bare.min() < bare.max() < 1.5e5
    whole = smoothing_bound(*arguments, gains_of(model.anatomy))
    assert 3e4 < whole.min() < whole.max() < 2e5
    measured = contraction(seen.distances)
    assert ((measured > 0.5) & (measured < 1.3)).all()
    assert measured[-1] == measured.min()


def test_contraction_of_equal_tokens_is_missing() -> None:
    found = contraction(np.array([[4.0, 2.0, 0.0, 0.0], [1.0, 3.0, 3.0, 6.0]]))
    np.testing.assert_array_equal(found, [[0.5, 0.0, math.nan], [3.0, 1.0, 2.0]])


WHY = {
    "gpt2": "a norm after each addition",
    "phi": "a norm after each addition",
    "vit": "a norm after each addition",
    "nomic_bert": "an MLP of two matrices",
    "deberta": "value and output weights of single heads",
    "xlnet": "value and output weights of single heads",
}


@pytest.mark.parametrize("name", FAMILIES)
def test_outside_of_its_setting_the_bound_says_which_condition_fails(name: str) -> None:
    anatomy = dissect(build(name))
    if name in SETTING:
        assert np.isfinite(weight_norms(anatomy).largest).all()
        return
    with pytest.raises(UndefinedError, match=re.escape(f"“{name}”")) as refused:
        weight_norms(anatomy)
    assert WHY.get(name, "") in str(refused.value)
    assert "exist all the same" in str(refused.value)


def test_a_family_that_is_not_known_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(_REGISTRY._items, "bert")
    network = build("bert")
    with pytest.raises(UndefinedError, match="inside of a block is not known"):
        weight_norms(dissect(network))
