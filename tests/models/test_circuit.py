"""Values and weights of single heads, against what the networks themselves compute."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
import transformers
from families import COMMON, FAMILIES, GROUPED, LAYERS, WIDTH, build
from torch import Tensor, nn
from transformers import PreTrainedModel

from oversmooth.measuring.intervention.attention import NAME, attention
from oversmooth.models import circuit
from oversmooth.models.anatomy import Anatomy, dissect

HEADS = 4
TEXT = [name for name, family in FAMILIES.items() if family.attention_reachable and not family.image]
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "wide heads of gemma": ("GemmaConfig", {**GROUPED, "head_dim": 12}),
    "one key head": ("LlamaConfig", {**GROUPED, "num_key_value_heads": 1}),
    "narrow heads of t5": ("T5Config", {**FAMILIES["t5"].arguments, "d_kv": 5}),
    "sequential neox": ("GPTNeoXConfig", {**COMMON, "use_parallel_residual": False}),
    "post-norm opt": (
        "OPTConfig",
        {**COMMON, "ffn_dim": 64, "word_embed_proj_dim": 16, "do_layer_norm_before": False},
    ),
}


def network_of(name: str) -> PreTrainedModel:
    if name in FAMILIES:
        return build(name)
    config, arguments = VARIANTS[name]
    torch.manual_seed(0)
    network: PreTrainedModel = transformers.AutoModel.from_config(getattr(transformers, config)(**arguments))
    network.train(False)
    return network


@dataclass
class Seen:
    """What one pass met, layer by layer."""

    entered: list[Tensor] = field(default_factory=list)
    values: list[Tensor] = field(default_factory=list)
    mixed: list[Tensor] = field(default_factory=list)
    projected: list[Tensor] = field(default_factory=list)


def watch(network: PreTrainedModel, anatomy: Anatomy, monkeypatch: pytest.MonkeyPatch) -> Seen:
    """Run a text; keep what blocks read, what attention was given and gave, and what became of it."""
    seen = Seen()

    def watching(module: nn.Module, query: Tensor, key: Tensor, value: Tensor, *rest: Any, **more: Any) -> Any:
        mixed, probabilities = attention(module, query, key, value, *rest, **more)
        seen.values.append(value)
        seen.mixed.append(mixed)
        return mixed, probabilities

    def keep_input(_: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        seen.entered.append(arguments[0] if arguments else named["hidden_states"])

    monkeypatch.setitem(transformers.modeling_utils.ALL_ATTENTION_FUNCTIONS._global_mapping, NAME, watching)
    with ExitStack() as stack:
        for block in dict.fromkeys(anatomy.blocks):
            stack.callback(block.register_forward_pre_hook(keep_input, with_kwargs=True).remove)
        for module in dict.fromkeys(each.projection for each in anatomy.circuits):
            stack.callback(module.register_forward_hook(lambda _, __, output: seen.projected.append(output)).remove)
        network.set_attn_implementation(NAME)
        with torch.inference_mode():
            anatomy.network(input_ids=torch.tensor([[5, 9, 7, 11], [3, 3, 8, 20]]))
    assert len(seen.entered) == len(seen.values) == len(seen.projected) == LAYERS
    return seen


@pytest.mark.parametrize("name", [*TEXT, *VARIANTS])
def test_values_are_those_that_the_attention_of_the_network_mixes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_of(name)
    anatomy = dissect(network)
    seen = watch(network, anatomy, monkeypatch)

    for layer in range(LAYERS):
        with torch.inference_mode():
            reads = circuit.normed(anatomy, layer, seen.entered[layer])
            values = circuit.value_states(anatomy, layer, reads)
        shared = HEADS // seen.values[layer].shape[1]
        for head in range(HEADS):
            assert torch.equal(values[:, head], seen.values[layer][:, head // shared])


@pytest.mark.parametrize("name", [*TEXT, *VARIANTS])
def test_weights_give_the_values_and_the_output_head_by_head(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_of(name)
    anatomy = dissect(network)
    seen = watch(network, anatomy, monkeypatch)

    for layer in range(LAYERS):
        mixed = seen.mixed[layer]
        first, second = circuit.value_weights(anatomy, layer), circuit.output_weights(anatomy, layer)
        with torch.inference_mode():
            reads = circuit.normed(anatomy, layer, seen.entered[layer])
            values = circuit.value_states(anatomy, layer, reads)
            value_bias = circuit.value_states(anatomy, layer, torch.zeros(1, 1, WIDTH))
            output_bias = anatomy.circuits[layer].projection(torch.zeros(1, 1, mixed[0, 0].numel()))
        head_dim = mixed.shape[-1]
        assert first.shape == (HEADS, WIDTH, head_dim)
        assert second.shape == (HEADS, head_dim, WIDTH)
        torch.testing.assert_close(reads[:, None] @ first + value_bias, values)
        output = torch.stack([mixed[:, :, head] @ second[head] for head in range(HEADS)]).sum(dim=0)
        torch.testing.assert_close(output + output_bias, seen.projected[layer])


@pytest.mark.parametrize("name", ["bert", "gpt2"])
def test_no_hook_fires(name: str) -> None:
    anatomy = dissect(build(name))
    parts = anatomy.circuits[0]

    def forbidden(*_: object) -> None:
        raise AssertionError("a hook fired")

    for module in (parts.value, parts.start_norm):
        if module is not None:
            module.register_forward_hook(forbidden)
    states = torch.ones(1, 2, WIDTH)
    circuit.value_states(anatomy, 0, circuit.normed(anatomy, 0, states))


@pytest.mark.parametrize("name", [name for name in FAMILIES if not FAMILIES[name].attention_reachable])
def test_families_whose_attention_is_out_of_reach_have_no_circuits(name: str) -> None:
    assert dissect(build(name)).circuits == ()
