"""Norms of every family, against their weights and against the order in which a network meets them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import torch
from families import FAMILIES, LAYERS, WIDTH, build
from torch import nn
from transformers import PreTrainedModel

from oversmooth.core.points import BRANCHES
from oversmooth.models.anatomy import Anatomy, dissect
from oversmooth.models.families.declaration import _REGISTRY
from oversmooth.models.norms import branch_norms, norm_map

ROOT_MEAN_SQUARE = {"llama", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text", "mistral", "t5"}
ON_BRANCHES_ALONE = {"olmo2", "olmo3"}
STORED_LESS_ONE = {"gemma", "gemma2", "gemma3_text"}


@pytest.mark.parametrize("name", FAMILIES)
def test_gain_and_kind_are_those_of_the_weights(name: str) -> None:
    anatomy = dissect(build(name))
    found = branch_norms(anatomy)
    assert len(found) == (0 if name in ON_BRANCHES_ALONE else LAYERS)
    for norms in found:
        assert tuple(norms) == BRANCHES
        for module in norms.values():
            norm = norm_map(module, WIDTH)
            if isinstance(module, nn.Identity):
                assert (norm.kind, norm.gain.tolist()) == ("none", [1.0] * WIDTH)
                continue
            assert norm.kind == ("RMSNorm" if name in ROOT_MEAN_SQUARE else "LayerNorm")
            weight = module.get_parameter("weight")
            torch.testing.assert_close(
                norm.gain, weight + 1 if name in STORED_LESS_ONE else weight, rtol=1e-4, atol=1e-5
            )


@pytest.mark.parametrize("gain", [1e-6, -3.0, 1e4])
@pytest.mark.parametrize("width", [2, 31])
def test_small_large_and_negative_gains_are_found_in_odd_and_even_widths(gain: float, width: int) -> None:
    for module, kind in ((nn.LayerNorm(width), "LayerNorm"), (nn.RMSNorm(width), "RMSNorm")):
        nn.init.constant_(module.get_parameter("weight"), gain)
        found = norm_map(module, width)
        assert found.kind == kind
        torch.testing.assert_close(found.gain, torch.full((width,), gain), rtol=1e-4, atol=0)


def test_no_hook_of_a_norm_fires() -> None:
    module = nn.LayerNorm(4)

    def forbidden(*_: object) -> None:
        raise AssertionError("a hook fired")

    module.register_forward_hook(forbidden)
    norm_map(module, 4)


def _order(network: PreTrainedModel, anatomy: Anatomy, layer: int) -> list[str]:
    """In which order the norms and branches of a layer are met."""
    met: list[str] = []
    named: Iterator[tuple[str, nn.Module]] = (
        *((f"{branch} norm", module) for branch, module in branch_norms(anatomy)[layer].items()),
        *((branch, modules[layer]) for branch, modules in anatomy.branches.items()),
    ).__iter__()
    with ExitStack() as stack, torch.inference_mode():
        for name, module in named:
            stack.callback(module.register_forward_hook(lambda *_, name=name: met.append(name)).remove)
        anatomy.network(input_ids=torch.tensor([[5, 9, 7]]))
    return met


@pytest.mark.parametrize("name", ["bert", "distilbert", "bart", "nomic_bert", "deberta"])
def test_in_post_norm_families_the_norm_follows_its_branch(name: str) -> None:
    network = build(name)
    assert _order(network, dissect(network), 1) == ["attention", "attention norm", "mlp", "mlp norm"]


@pytest.mark.parametrize("name", ["gpt2", "llama", "gemma2", "t5", "opt", "modernbert", "bloom"])
def test_in_pre_norm_families_the_norm_is_before_its_branch(name: str) -> None:
    network = build(name)
    assert _order(network, dissect(network), 1) == ["attention norm", "attention", "mlp norm", "mlp"]


def test_parallel_families_may_share_one_norm() -> None:
    own, shared = (branch_norms(dissect(build(name)))[1] for name in ("gpt_neox", "phi"))
    assert own["attention"] is not own["mlp"]
    assert shared["attention"] is shared["mlp"]


def test_nothing_is_given_where_the_inside_of_a_block_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(_REGISTRY._items, "bert")
    network = build("bert")
    assert branch_norms(dissect(network)) == ()
