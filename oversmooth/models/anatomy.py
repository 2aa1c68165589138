"""Where the embedding, blocks and norms of a network are. All that is known of single architectures stands here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from torch import nn
from transformers import PreTrainedModel

from oversmooth.errors import ModelError
from oversmooth.models.trial import compare, is_causal, padding_is_safe
from oversmooth.points import SubLayer


@dataclass(frozen=True)
class Norms:
    """Names inside a block of the norms at which its sub-layer points are read."""

    attention: str
    """The norm between attention and MLP: its input is the stream after attention, its output what the MLP reads."""
    output: str | None = None
    """Post-norm families: the norm after the MLP was added. Pre-norm families have none; there the block ends."""


_BART = Norms("self_attn_layer_norm", "final_layer_norm")
_BERT = Norms("attention.output.LayerNorm", "output.LayerNorm")
_LLAMA = Norms("post_attention_layernorm")
_GPT2 = Norms("ln_2")
_GEMMA = Norms("pre_feedforward_layernorm")
_VIT = Norms("layernorm_after")
_DINO = Norms("norm2")
_CLIP = Norms("layer_norm2")

NORMS = {
    "albert": Norms("albert_layers.0.attention.LayerNorm", "albert_layers.0.full_layer_layer_norm"),
    "bart": _BART,
    "beit": _VIT,
    "bert": _BERT,
    "bloom": _LLAMA,
    "camembert": _BERT,
    "clip_vision_model": _CLIP,
    "convbert": _BERT,
    "deberta": _BERT,
    "deberta-v2": _BERT,
    "deit": _VIT,
    "dinov2": _DINO,
    "dinov3_vit": _DINO,
    "distilbert": Norms("sa_layer_norm", "output_layer_norm"),
    "electra": _BERT,
    "gemma": _LLAMA,
    "gemma2": _GEMMA,
    "gemma3_text": _GEMMA,
    "gpt2": _GPT2,
    "gpt_neo": _GPT2,
    "ijepa": _VIT,
    "llama": _LLAMA,
    "mistral": _LLAMA,
    "modernbert": Norms("mlp_norm"),
    "mpnet": Norms("attention.LayerNorm", "output.LayerNorm"),
    "nomic_bert": Norms("post_attention_layernorm", "post_mlp_layernorm"),
    "opt": Norms("final_layer_norm"),
    "qwen2": _LLAMA,
    "qwen3": _LLAMA,
    "roberta": _BERT,
    "siglip_vision_model": _CLIP,
    "t5": Norms("layer.1.layer_norm"),
    "vit": _VIT,
    "xlm-roberta": _BERT,
    "xlnet": Norms("rel_attn.layer_norm", "ff.layer_norm"),
}
PARALLEL = {"falcon": "parallel_attn", "gpt_neox": "use_parallel_residual", "phi": None}
"""Attention and MLP read the same input and are added together: there is no stream between them. With the name of the
configuration's switch where a family knows both forms; the sequential one is built like Llama's."""
FINAL_NORM_NAMES = (
    "ln_f",
    "norm",
    "norm_f",
    "final_norm",
    "final_layer_norm",
    "final_layernorm",
    "layer_norm",
    "layernorm",
    "post_layernorm",
)
FINAL_NORM_ON_POOLED = {"clip_vision_model"}
"""The last norm sees only the pooled vector, so it is no point of the tokens."""
TIME_FIRST = {"xlnet"}
"""Blocks see (token, batch, dim) instead of (batch, token, dim)."""


@dataclass(frozen=True, eq=False)
class Anatomy:
    """The parts of a network that are read, whatever its architecture calls them."""

    family: str
    network: nn.Module
    """What is run on the text: the whole network, or the encoder of an encoder–decoder."""
    blocks: tuple[nn.Module, ...]
    """One per layer; the same module several times where layers share weights."""
    final_norm: nn.Module | None
    sub_layers: dict[SubLayer, tuple[nn.Module, ...]]
    """Norms whose input (``attention``, ``mlp``) or output (``attention_norm``) is the point, one per layer."""
    hidden_size: int
    causal: bool
    reads: Literal["text", "image"]
    max_positions: int | None
    """Longest input, special tokens included; None where positions are relative without bound."""
    attention_reachable: bool
    """Whether transformers' attention interface reaches this family's attention."""
    time_first: bool
    padding_is_safe: bool
    """Whether padding leaves the states of the tokens alone; where not, only texts of equal length run together."""
    limits: tuple[str, ...]
    """What is not available in this family, in sentences."""


def dissect(network: PreTrainedModel) -> Anatomy:
    """Find the parts of a network.

    Raises:
        ModelError: where no list of blocks can be found, or what was found does not act as the blocks.
    """
    family = str(network.config.model_type)
    part: PreTrainedModel = network.get_encoder() if network.config.is_encoder_decoder else network
    blocks, holder = _blocks(part, family)
    final_norm = _final_norm(part, holder, family)
    sub_layers = _sub_layers(blocks, family, network)
    reachable = hasattr(sys.modules[type(network).__module__], "ALL_ATTENTION_FUNCTIONS")
    reads: Literal["text", "image"] = "image" if part.main_input_name == "pixel_values" else "text"
    limits = list(_limits(family, bool(sub_layers), reachable))
    if reads == "text" and family not in NORMS.keys() | PARALLEL.keys():
        limits += _unknown(part, blocks, final_norm, family)
    return Anatomy(
        family=family,
        network=part,
        blocks=blocks,
        final_norm=final_norm,
        sub_layers=sub_layers,
        hidden_size=int(network.config.hidden_size),
        causal=reads == "text" and is_causal(part),
        reads=reads,
        max_positions=_max_positions(network),
        attention_reachable=reachable,
        time_first=family in TIME_FIRST,
        padding_is_safe=reads == "image" or padding_is_safe(part),
        limits=tuple(limits),
    )


def _blocks(network: PreTrainedModel, family: str) -> tuple[tuple[nn.Module, ...], nn.Module]:
    """The blocks in order, and the module that holds their list."""
    depth = getattr(network.config, "num_hidden_layers", None)
    if not isinstance(depth, int) or depth < 1:
        raise ModelError(f"A model of the architecture “{family}” does not say how many layers it has.")
    if family == "albert":
        encoder = network.get_submodule("encoder")
        groups = list(encoder.get_submodule("albert_layer_groups").children())
        # Each group serves depth / groups layers in turn.
        return tuple(groups[index * len(groups) // depth] for index in range(depth)), encoder
    for name, module in network.named_modules():
        if isinstance(module, nn.ModuleList) and len(module) == depth:
            return tuple(module), network.get_submodule(name.rpartition(".")[0])
    raise ModelError(
        f"The architecture “{family}” is not known to Oversmooth: it says that it has {depth} layers, "
        "but no list of that many blocks was found in it."
    )


def _sub_layers(
    blocks: tuple[nn.Module, ...], family: str, network: PreTrainedModel
) -> dict[SubLayer, tuple[nn.Module, ...]]:
    norms = NORMS.get(family)
    if family == "opt" and not network.config.do_layer_norm_before:
        norms = _BART  # The 350M model alone is post-norm.
    switch = PARALLEL.get(family)
    if switch is not None and not getattr(network.config, switch):
        norms = _LLAMA
    if norms is None:
        return {}
    attention_norms = tuple(block.get_submodule(norms.attention) for block in blocks)
    found: dict[SubLayer, tuple[nn.Module, ...]] = {"attention": attention_norms, "attention_norm": attention_norms}
    if norms.output is not None:
        found["mlp"] = tuple(block.get_submodule(norms.output) for block in blocks)
    return found


def _final_norm(network: PreTrainedModel, holder: nn.Module, family: str) -> nn.Module | None:
    if family in FINAL_NORM_ON_POOLED:
        return None
    for place in (holder, network):
        for name in FINAL_NORM_NAMES:
            module = getattr(place, name, None)
            if isinstance(module, nn.Module) and not isinstance(module, nn.Identity):
                return module
    return None


def _max_positions(network: PreTrainedModel) -> int | None:
    positions = getattr(network.config, "max_position_embeddings", None)
    if not isinstance(positions, int) or positions <= 0:
        return None
    for name, module in network.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding) and module.padding_idx is not None:
            # RoBERTa and its kin count positions from behind the padding index: the rows up to it are never used.
            return positions - module.padding_idx - 1
    return positions


def _unknown(
    network: PreTrainedModel, blocks: tuple[nn.Module, ...], final_norm: nn.Module | None, family: str
) -> Iterator[str]:
    """Refuse blocks that are none: of a family not listed here, only running it tells."""
    agreement = compare(network, blocks)
    if not agreement.blocks:
        raise ModelError(
            f"The architecture “{family}” is not known to Oversmooth: what looks like its {len(blocks)} blocks does "
            "not put out its hidden states, so the measured points would be something else."
        )
    if final_norm is None and not agreement.end:
        yield f"What follows the last block is not known for the family “{family}”, so the points end with that block."


def _limits(family: str, sub_layers: bool, attention_reachable: bool) -> Iterator[str]:
    if family in PARALLEL and not sub_layers:
        yield "Attention and MLP run in parallel in this family, so there are no points inside a block."
    elif not sub_layers:
        yield f"The inside of a block is not known for the family “{family}”, so only block outputs are measured."
    if not attention_reachable:
        yield "Attention cannot be reached in this family: methods that change attention take another way or refuse."
