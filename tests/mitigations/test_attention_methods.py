"""Mitigations of attention inside whole models: padded, causal, with grouped queries, and at the softmax alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import pytest
import torch
from families import FAMILIES, LAYERS, Family
from reference.attention_methods import METHODS, Matrix, outputs, plain
from tiny import loaded, tiny
from torch import Tensor, nn
from transformers import AutoModel, BertConfig

from oversmooth.core.errors import MitigationError
from oversmooth.measuring.intervention import Intervention
from oversmooth.measuring.mitigating import mitigated
from oversmooth.mitigations import all_mitigations, parse
from oversmooth.mitigations.sites import Sites
from oversmooth.models.loaded import LoadedModel

REAL = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0]])
TOKENS = torch.tensor([[2, 9, 14, 7, 11, 3], [2, 8, 17, 3, 0, 0]])
HEADS = 4


class Watch:
    """What went into and came out of modules, in the order of the pass."""

    def __init__(self) -> None:
        self.read: list[Tensor] = []
        self.gave: list[Tensor] = []

    def see(self, _: nn.Module, arguments: tuple[Any, ...], output: Tensor) -> None:
        self.read.append(arguments[0])
        self.gave.append(output)


@contextmanager
def watching(model: LoadedModel, names: str) -> Iterator[Watch]:
    """Watch the modules of that name in every layer."""
    watch = Watch()
    modules = [module for name, module in model.network.named_modules() if name.endswith(names)]
    assert len(modules) == LAYERS
    handles = [module.register_forward_hook(watch.see) for module in modules]
    try:
        yield watch
    finally:
        for handle in handles:
            handle.remove()
        # Before the first pass, the model is tried with two short texts.
        del watch.read[:-LAYERS], watch.gave[:-LAYERS]


def run(model: LoadedModel, specification: str, **more: Any) -> Any:
    methods = parse(specification) if specification else ()
    with torch.inference_mode(), mitigated(model, *methods):
        return model.network(input_ids=TOKENS, attention_mask=REAL, **more)


def by_head(states: Tensor) -> Matrix:
    """(batch, token, dim) as (batch, head, token, head dim)."""
    return split(states, HEADS).double().numpy()


def split(states: Tensor, heads: int) -> Tensor:
    return states.reshape(*states.shape[:2], heads, -1).transpose(1, 2)


def logits(query: Matrix, key: Matrix) -> Matrix:
    scores: Matrix = query @ key.swapaxes(-1, -2) / np.sqrt(query.shape[-1])
    return scores


def compare_with_formula(layers: list[Any], found: list[Tensor], specification: str) -> None:
    expected = outputs(METHODS.get(specification, plain()), layers)
    real = REAL.bool().numpy()
    for layer, given in enumerate(found):
        output = by_head(given).swapaxes(1, 2)[real]
        np.testing.assert_allclose(output, expected[layer].swapaxes(1, 2)[real], rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("specification", ["", *METHODS])
def test_a_padded_bidirectional_model_computes_the_formula(specification: str) -> None:
    model = tiny("bert")
    names = ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense")
    with (
        watching(model, names[0]) as query,
        watching(model, names[1]) as key,
        watching(model, names[2]) as value,
        watching(model, names[3]) as projection,
    ):
        run(model, specification)
    allowed = np.broadcast_to(REAL.bool().numpy()[:, None, None, :], (2, HEADS, 6, 6))
    layers = [
        (logits(by_head(query.gave[i]), by_head(key.gave[i])), allowed, by_head(value.gave[i])) for i in range(LAYERS)
    ]
    compare_with_formula(layers, projection.read, specification)


@pytest.mark.parametrize("specification", ["", *METHODS])
def test_a_padded_causal_model_computes_the_formula(specification: str) -> None:
    model = tiny("gpt2")
    with watching(model, "attn.c_attn") as enters, watching(model, "attn.c_proj") as projection:
        run(model, specification, use_cache=False)
    allowed = np.broadcast_to(
        np.tril(np.ones((6, 6), dtype=bool)) & REAL.bool().numpy()[:, None, None, :], (2, 4, 6, 6)
    )
    layers = []
    for states in enters.gave:
        query, key, value = map(by_head, states.chunk(3, dim=-1))
        layers.append((logits(query, key), allowed, value))
    compare_with_formula(layers, projection.read, specification)


@pytest.mark.parametrize("name", ["neutreno", "value_residual"])
def test_values_shared_by_a_group_of_queries_reach_every_head_of_it(name: str) -> None:
    model = tiny("llama")
    with watching(model, "v_proj") as value, watching(model, "o_proj") as projection:
        attentions = run(model, f"{name}:strength=0.3", use_cache=False, output_attentions=True).attentions
    values = [split(states, 2).repeat_interleave(2, dim=1) for states in value.gave]
    for layer in (1, 2):
        towards = 0.3 * (values[0] - values[layer])
        if name == "neutreno":
            expected = attentions[layer] @ values[layer] + towards
        else:
            expected = attentions[layer] @ (values[layer] + towards)
        found = split(projection.read[layer], HEADS)
        real = REAL.bool()[:, None].expand(-1, HEADS, -1)
        torch.testing.assert_close(found[real], expected[real], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("specification", METHODS)
def test_layers_that_share_their_weights_are_told_apart(specification: str) -> None:
    model = tiny("albert")
    before = run(model, "", output_hidden_states=True).hidden_states
    alone = specification.partition(",layers")[0]
    one_layer = f"{alone}{',' if ':' in alone else ':'}layers=2"
    if specification.startswith("shared_attention"):
        one_layer = "shared_attention:first=0,last=2,layers=2"
    after = run(model, one_layer, output_hidden_states=True).hidden_states
    assert torch.equal(before[2], after[2])
    assert not torch.equal(before[3], after[3])


@pytest.mark.parametrize("name", ["neutreno:strength=1", "value_residual:strength=1"])
def test_a_model_of_one_layer_has_nothing_to_be_drawn_back_to(name: str) -> None:
    torch.manual_seed(0)
    config = BertConfig(**{**FAMILIES["bert"].arguments, "num_hidden_layers": 1})
    model = loaded(AutoModel.from_config(config).eval())
    assert torch.equal(run(model, "").last_hidden_state, run(model, name).last_hidden_state)


@pytest.mark.parametrize("family", ["bert", "gpt2", "llama", "deberta"])
@pytest.mark.parametrize(
    "specification", ["attention_window:width=6", "shared_attention:first=1,last=1", "attention_temperature:beta=1"]
)
def test_what_should_change_nothing_changes_no_bit(family: str, specification: str) -> None:
    before, after = run(tiny(family), ""), run(tiny(family), specification)
    assert torch.equal(before.last_hidden_state, after.last_hidden_state)


SOFTMAX_ALONE = [
    name for name, family in FAMILIES.items() if isinstance(family, Family) and not family.attention_reachable
]


@pytest.mark.parametrize("family", SOFTMAX_ALONE)
def test_masks_of_families_reached_at_their_softmax(family: str) -> None:
    model = tiny(family)
    attentions = run(model, "no_diagonal+attention_window:width=3", output_attentions=True).attentions
    assert len(attentions) == len(model.anatomy.blocks)
    for matrix in attentions:
        for sequence, length in ((0, 6), (1, 4)):
            seen = matrix[sequence, :, :length, :6]
            torch.testing.assert_close(seen.sum(dim=-1), torch.ones(seen.shape[:-1]))
            for query in range(length):
                for key in range(6):
                    future = model.anatomy.causal and key > query
                    hidden = (
                        future
                        or key >= length
                        or abs(key - query) >= 3
                        or (key == query and (query or not model.anatomy.causal))
                    )
                    assert bool((seen[:, query, key] == 0).all()) == bool(hidden)


@pytest.mark.parametrize("family", SOFTMAX_ALONE)
@pytest.mark.parametrize("name", ["neutreno", "value_residual"])
def test_values_cannot_be_changed_where_they_are_out_of_reach(family: str, name: str) -> None:
    with pytest.raises(MitigationError, match=f"{name}: in the family “{tiny(family).anatomy.family}”.*softmax only"):
        Intervention(tiny(family), parse(name))


@pytest.mark.parametrize(
    ("specification", "message"),
    [
        ("shared_attention:first=2,last=1", "begins with block 2 and ends before it, with block 1"),
        ("shared_attention:first=1,last=3", "there is no block 3: they are counted from 0 to 2"),
        ("shared_attention:first=0,last=1,layers=2", "block 2 is not one that takes over, from 1 to 1"),
        ("shared_attention:first=0,last=1,layers=0", "block 0 is not one that takes over"),
        ("attnscale:heads=4", "there are only 4 heads"),
        ("attnscale:omega=-1.1", "must be in"),
        ("gfsa:order=0", "must be in"),
        ("attention_window:width=1", "must be in"),
        ("local_convolution:width=0", "must be in"),
        ("value_residual:strength=1.5", "must be in"),
        ("attention_temperature:beta=-1", "must be in"),
        ("laplacian_heads:fraction=2", "must be in"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(specification: str, message: str) -> None:
    with pytest.raises(MitigationError, match=message) as raised:
        Intervention(tiny("bert"), parse(specification))
    assert str(raised.value).startswith(specification.partition(":")[0])


def changing_matrices() -> set[str]:
    """Every mitigation that changes attention before or after its softmax."""
    found = set()
    for method, family in itertools.product(all_mitigations(), ("bert", "llama")):
        sites = Sites(tiny(family).anatomy, sampler=lambda _: torch.randn(50, 32))
        with suppress(MitigationError):  # Some need norms before the branches, some after.
            sites.attach(method())
        found |= {site.method for site in sites.found if site.kind in ("logits", "probabilities")}
    return found


@pytest.mark.parametrize("replacing", ["local_convolution", "shared_attention"])
def test_what_replaces_attention_is_refused_beside_what_changes_it(replacing: str) -> None:
    others = changing_matrices() - {replacing}
    assert len(others) >= 8
    for other in others:
        for pair in (f"{replacing}+{other}", f"{other}+{replacing}"):
            with pytest.raises(MitigationError, match=r"contradict each other in the same layers"):
                parse(pair)
    assert len(parse(f"{replacing}:layers=1+attnscale:layers=2+attention_temperature:layers=0")) == 3
