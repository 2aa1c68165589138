"""Where the parts of a network are, for every family."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import uuid4

import pytest
import torch
import transformers
from families import COMMON, FAMILIES, IMAGE, LAYERS, WIDTH, build
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.masking_utils import eager_mask

from oversmooth.core.errors import ModelError
from oversmooth.models import families
from oversmooth.models.anatomy import Anatomy, dissect

TEXT = [name for name, family in FAMILIES.items() if not family.image]
IMAGES = [name for name, family in FAMILIES.items() if family.image]

POSITIONS = dict.fromkeys(TEXT, COMMON["max_position_embeddings"]) | {
    # A table of 64 rows whose first two, up to the padding index 1, are never used.
    **dict.fromkeys(["roberta", "xlm-roberta", "mpnet"], 62),
    # Relative positions without bound.
    **dict.fromkeys(["t5", "bloom", "xlnet"], None),
    # Its configuration class has its own default.
    "falcon": 2048,
}


def unknown(config: str, **arguments: Any) -> PreTrainedModel:
    """A network that the family table does not know."""
    torch.manual_seed(0)
    made = getattr(transformers, config)(**arguments)
    network: PreTrainedModel = transformers.AutoModel.from_config(made)
    network.train(False)
    return network


@cache
def network_of(name: str) -> tuple[PreTrainedModel, Anatomy]:
    network = build(name)
    return network, dissect(network)


def path_of(module: nn.Module | None, network: nn.Module) -> str | None:
    return next((name for name, each in network.named_modules() if each is module), None)


@pytest.mark.parametrize("name", families.names())
def test_every_family_that_is_declared_is_tried(name: str) -> None:
    declared = families.get(name)
    tried = [other for other in FAMILIES if families.get(other) is declared]
    assert tried, f"{name} needs an entry in tests/families.py"


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_is_taken_apart(name: str) -> None:
    family = FAMILIES[name]
    network, anatomy = network_of(name)

    assert anatomy.family == network.config.model_type == name
    assert len(anatomy.blocks) == LAYERS
    assert len(set(anatomy.blocks)) == (1 if name == "albert" else LAYERS)
    assert path_of(anatomy.final_norm, anatomy.network) == family.final_norm
    assert anatomy.causal == family.causal
    assert tuple(anatomy.sub_layers) == family.sub_layers
    assert all(len(modules) == LAYERS for modules in anatomy.sub_layers.values())
    assert anatomy.reads == ("image" if family.image else "text")
    assert anatomy.hidden_size == WIDTH
    assert anatomy.attention_reachable == family.attention_reachable
    assert anatomy.max_positions == POSITIONS.get(name)
    assert anatomy.padding_is_safe == (name != "convbert")  # It alone has convolutions over tokens.


@pytest.mark.parametrize("name", FAMILIES)
def test_limits_are_told_exactly_where_something_is_missing(name: str) -> None:
    family = FAMILIES[name]
    limits = " ".join(network_of(name)[1].limits)
    assert ("Attention can be reached at its softmax only" in limits) == (not family.attention_reachable)
    assert ("no points inside a block" in limits) == (not family.sub_layers)
    assert bool(limits) == (not family.attention_reachable or not family.sub_layers)


@pytest.mark.parametrize("name", FAMILIES)
def test_attention_is_reachable_where_a_registered_function_is_truly_called(name: str) -> None:
    calls = 0

    def counting(module: nn.Module, query: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, None]:
        nonlocal calls
        calls += 1
        return query.transpose(1, 2).contiguous(), None

    private = f"counting_{uuid4().hex}"
    AttentionInterface.register(private, counting)
    AttentionMaskInterface.register(private, eager_mask)
    network = build(name)
    anatomy = dissect(network)

    network.set_attn_implementation(private)
    with torch.inference_mode():
        anatomy.network(**an_input(name))

    assert calls == (LAYERS if anatomy.attention_reachable else 0)


def an_input(name: str) -> dict[str, Tensor]:
    if FAMILIES[name].image:
        size = IMAGE["image_size"]
        return {"pixel_values": torch.ones(1, 3, size, size)}
    return {"input_ids": torch.tensor([[5, 9, 7, 11]]), "attention_mask": torch.ones(1, 4, dtype=torch.long)}


@pytest.mark.parametrize("name", [name for name in TEXT if POSITIONS[name] not in (None, 2048)])
def test_the_longest_input_runs_and_is_truly_the_longest_where_positions_are_a_table(name: str) -> None:
    _, anatomy = network_of(name)
    assert anatomy.max_positions is not None
    tables = ("position_embeddings", "wpe", "embed_positions")
    has_table = any(path.endswith(tables) for path, _ in anatomy.network.named_modules())

    def run(length: int) -> Tensor:
        ids = torch.full((1, length), 7)
        with torch.inference_mode():
            states: Tensor = anatomy.network(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
        return states

    assert torch.isfinite(run(anatomy.max_positions)).all()
    if has_table:
        with pytest.raises((IndexError, RuntimeError, ValueError)):
            run(anatomy.max_positions + 1)


class TestVariantsOfKnownFamilies:
    def test_albert_groups_serve_their_share_of_the_layers(self) -> None:
        network = unknown("AlbertConfig", **COMMON | {"num_hidden_layers": 6}, embedding_size=16, num_hidden_groups=2)
        blocks = dissect(network).blocks
        assert len(blocks) == 6
        assert [blocks.index(block) for block in blocks] == [0, 0, 0, 3, 3, 3]

    def test_the_one_post_norm_opt_has_the_points_of_post_norm_families(self) -> None:
        # OPT-350M: norms after each branch, no final norm.
        network = unknown(
            "OPTConfig", **COMMON, ffn_dim=64, word_embed_proj_dim=16, do_layer_norm_before=False, dropout=0.0
        )
        anatomy = dissect(network)
        assert tuple(anatomy.sub_layers) == ("attention", "attention_norm", "mlp")
        assert anatomy.final_norm is None
        paths = {part: path_of(modules[0], anatomy.blocks[0]) for part, modules in anatomy.sub_layers.items()}
        assert paths["attention"] == "self_attn_layer_norm"
        assert paths["mlp"] == "final_layer_norm"

    @pytest.mark.parametrize(
        ("config", "arguments"),
        [
            ("GPTNeoXConfig", COMMON | {"use_parallel_residual": False}),
            ("FalconConfig", FAMILIES["falcon"].arguments | {"parallel_attn": False}),
        ],
    )
    def test_the_sequential_form_of_a_parallel_family_has_points_inside(
        self, config: str, arguments: dict[str, Any]
    ) -> None:
        anatomy = dissect(unknown(config, **arguments))
        assert tuple(anatomy.sub_layers) == ("attention", "attention_norm")
        assert not any("parallel" in limit for limit in anatomy.limits)


VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "albert in groups": ("AlbertConfig", {**COMMON, "embedding_size": 16, "num_hidden_groups": 3}),
    "deberta-v2 with a convolution": (
        "DebertaV2Config",
        {**FAMILIES["deberta-v2"].arguments, "conv_kernel_size": 3},
    ),
    "falcon in sequence": ("FalconConfig", FAMILIES["falcon"].arguments | {"parallel_attn": False}),
    "falcon with two norms": ("FalconConfig", FAMILIES["falcon"].arguments | {"new_decoder_architecture": True}),
    "falcon with one norm": (
        "FalconConfig",
        FAMILIES["falcon"].arguments | {"new_decoder_architecture": True, "num_ln_in_parallel_attn": 1},
    ),
    # It has the switch of BLOOM, but computes the same with it.
    "falcon with a switch": (
        "FalconConfig",
        FAMILIES["falcon"].arguments | {"apply_residual_connection_post_layernorm": True},
    ),
    "gpt_neox in sequence": ("GPTNeoXConfig", COMMON | {"use_parallel_residual": False}),
    "opt with norms behind": (
        "OPTConfig",
        {**COMMON, "ffn_dim": 64, "word_embed_proj_dim": 16, "do_layer_norm_before": False},
    ),
    "phi with norms of queries": ("PhiConfig", COMMON | {"qk_layernorm": True}),
    # Norms of queries and keys that are as wide as the stream.
    "qwen3 with wide heads": ("Qwen3Config", FAMILIES["qwen3"].arguments | {"head_dim": WIDTH}),
    "t5 with a gate": ("T5Config", FAMILIES["t5"].arguments | {"feed_forward_proj": "gated-gelu", "d_kv": 5}),
}


def any_network(name: str) -> tuple[PreTrainedModel, Anatomy]:
    if name in FAMILIES:
        return network_of(name)
    config, arguments = VARIANTS[name]
    network = unknown(config, **arguments)
    return network, dissect(network)


@dataclass
class Pass:
    """What one pass met: by block or by module, in the order of the layers, each in the shape of the stream."""

    entered: list[Tensor] = field(default_factory=list)
    left: list[Tensor] = field(default_factory=list)
    inputs: dict[nn.Module, list[Tensor]] = field(default_factory=lambda: defaultdict(list))
    outputs: dict[nn.Module, list[Tensor]] = field(default_factory=lambda: defaultdict(list))

    def of(self, modules: tuple[nn.Module, ...], kept: dict[nn.Module, list[Tensor]]) -> list[Tensor]:
        """What one module per layer met, where layers may share them."""
        seen = {module: iter(kept[module]) for module in modules}
        return [next(seen[module]).reshape(self.left[0].shape) for module in modules]


def watch(name: str, anatomy: Anatomy) -> Pass:
    seen, modules = Pass(), list(anatomy.network.modules())

    def before(module: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        states = arguments[0] if arguments else named.get("hidden_states")
        if isinstance(states, Tensor):
            # A copy: Falcon adds to the output of its MLP in place.
            seen.inputs[module].append(states.clone())
            if module in anatomy.blocks:
                seen.entered.append(states.clone())

    def after(module: nn.Module, _: tuple[Any, ...], output: Any) -> None:
        states = output[0] if isinstance(output, tuple) else output
        if isinstance(states, Tensor):
            seen.outputs[module].append(states.clone())
            if module in anatomy.blocks:
                seen.left.append(states.clone())

    handles = [module.register_forward_pre_hook(before, with_kwargs=True) for module in modules]
    handles += [module.register_forward_hook(after) for module in modules]
    family = anatomy.family if name not in FAMILIES else name
    with torch.inference_mode():
        anatomy.network(**an_input(family))
    for handle in handles:
        handle.remove()
    return seen


@pytest.mark.parametrize("name", [*TEXT, *VARIANTS])
def test_branches_are_what_is_added_to_the_stream(name: str) -> None:
    _, anatomy = any_network(name)
    seen, branches = watch(name, anatomy), anatomy.branches
    added = {which: seen.of(modules, seen.outputs) for which, modules in branches.items()}
    assert set(branches) == ({"mlp"} if name == "xlnet" else {"attention", "mlp"})

    if anatomy.parallel:
        for layer, stream in enumerate(seen.entered):
            torch.testing.assert_close(stream + added["attention"][layer] + added["mlp"][layer], seen.left[layer])
        return
    middle = seen.of(anatomy.sub_layers["attention"], seen.inputs)
    if "attention" in added:
        assert all(map(torch.equal, map(torch.add, seen.entered, added["attention"]), middle))
    if anatomy.post_norm:
        middle = seen.of(anatomy.sub_layers["attention_norm"], seen.outputs)
        end = seen.of(anatomy.sub_layers["mlp"], seen.inputs)
    else:
        end = seen.left
    assert all(map(torch.equal, map(torch.add, middle, added["mlp"]), end))


@pytest.mark.parametrize("name", [*FAMILIES, *VARIANTS])
def test_norms_are_exactly_those_that_read_the_stream(name: str) -> None:
    _, anatomy = any_network(name)
    seen = watch(name, anatomy)
    streams = [*seen.entered]
    for point in ("attention", "mlp"):
        if point in anatomy.sub_layers:
            streams += seen.of(anatomy.sub_layers[point], seen.inputs)

    def reads_the_stream(module: nn.Module) -> bool:
        size = streams[0].numel()
        # OPT flattens batch and token inside a block.
        reads = [states.reshape(streams[0].shape) for states in seen.inputs[module] if states.numel() == size]
        return any(torch.equal(each, stream) for each in reads for stream in streams)

    none: tuple[nn.Module, ...] = ()
    for block, norms in zip(anatomy.blocks, anatomy.norms or [none] * LAYERS, strict=True):
        found = [module for module in block.modules() if type(module).__name__.endswith("Norm")]
        assert {module for module in found if reads_the_stream(module)} == set(norms)
        assert len(set(norms)) == len(norms)


@pytest.mark.parametrize("name", [*TEXT, *VARIANTS])
def test_heads_are_as_many_as_the_attention_has(name: str) -> None:
    network, anatomy = any_network(name)
    network.set_attn_implementation("eager")
    with torch.inference_mode():
        attentions = anatomy.network(**an_input(anatomy.family), output_attentions=True).attentions
    assert {each.shape[1] for each in attentions} == {anatomy.heads}


class TestFormsWithoutBranches:
    def test_bloom_whose_branches_are_added_to_the_output_of_a_norm(self) -> None:
        arguments = FAMILIES["bloom"].arguments | {"apply_residual_connection_post_layernorm": True}
        assert dissect(unknown("BloomConfig", **arguments)).branches == {}

    def test_albert_with_several_attentions_in_a_layer(self) -> None:
        anatomy = dissect(unknown("AlbertConfig", **COMMON, embedding_size=16, inner_group_num=2))
        assert (anatomy.branches, anatomy.norms, anatomy.circuits, anatomy.sub_layers) == ({}, (), (), {})
        assert "The inside of a block is not known for the family “albert”" in anatomy.limits[0]


class TestUnknownArchitectures:
    def test_one_that_works_says_what_is_missing(self) -> None:
        anatomy = dissect(unknown("ErnieConfig", **COMMON))
        assert len(anatomy.blocks) == LAYERS
        assert anatomy.sub_layers == {}
        (limit,) = anatomy.limits
        assert limit == "The inside of a block is not known for the family “ernie”, so only block outputs are measured."

    def test_an_end_that_is_not_known_is_told(self) -> None:
        # A norm of its own name after the last block.
        anatomy = dissect(unknown("RobertaPreLayerNormConfig", **COMMON))
        assert anatomy.final_norm is None
        assert any("What follows the last block is not known" in limit for limit in anatomy.limits)

    def test_a_final_norm_of_a_common_name_is_found(self) -> None:
        network = unknown("XGLMConfig", vocab_size=99, d_model=32, ffn_dim=64, num_layers=3, attention_heads=4)
        anatomy = dissect(network)
        assert path_of(anatomy.final_norm, network) == "layer_norm"
        assert not any("follows the last block" in limit for limit in anatomy.limits)

    def test_modules_that_only_look_like_blocks_are_refused(self) -> None:
        # Its first list of the right length holds the attention modules; there is no module per block.
        network = unknown("XLMConfig", n_words=99, emb_dim=32, n_layers=3, n_heads=4)
        with pytest.raises(ModelError, match=r"“xlm” is not known to Oversmooth: what looks like its 3 blocks"):
            dissect(network)

    def test_blocks_that_are_passed_by_are_refused(self) -> None:
        # It calls the forward method of its layers directly, so no hook fires.
        network = unknown("SqueezeBertConfig", **COMMON, embedding_size=WIDTH)
        with pytest.raises(ModelError, match="“squeezebert” is not known to Oversmooth"):
            dissect(network)

    def test_no_list_of_blocks(self) -> None:
        network = unknown("Data2VecTextConfig", **COMMON)
        network.config.num_hidden_layers = 7
        with pytest.raises(ModelError, match="it says that it has 7 layers, but no list of that many blocks"):
            dissect(network)

    def test_no_number_of_layers(self) -> None:
        network = unknown("ResNetConfig", embedding_size=8, hidden_sizes=[8, 8], depths=[1, 1])
        with pytest.raises(ModelError, match="“resnet” does not say how many layers it has"):
            dissect(network)


@pytest.mark.parametrize(
    ("config", "arguments"), [("BertConfig", COMMON), ("RemBertConfig", COMMON | {"input_embedding_size": 16})]
)
def test_no_hook_is_left_behind(config: str, arguments: dict[str, Any]) -> None:
    network = unknown(config, **arguments)
    dissect(network)
    # transformers leaves hooks of its own once hidden states were asked for, which wait for the next request.
    hooks = [hook for module in network.modules() for hook in module._forward_hooks.values()]
    assert all(hook.__module__.startswith("transformers.") for hook in hooks)
