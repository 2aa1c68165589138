"""Where the embedding, blocks, norms and branches of a network are, whatever its architecture calls them."""

import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from torch import nn
from transformers import PreTrainedModel

from oversmooth.core.errors import ModelError
from oversmooth.core.points import Branch, SubLayer
from oversmooth.models import families
from oversmooth.models.families import GlobalAttention, Layout, Parts
from oversmooth.models.families.common import FINAL_NORM_NAMES
from oversmooth.models.sparse import attended_globally, global_attention, keep_sparse
from oversmooth.models.trial import compare, is_causal, padding_is_safe


@dataclass(frozen=True, eq=False)
class Circuit:
    """The value–output circuit of one layer, for families whose attention can be reached."""

    value: nn.Module
    """Gives the values, by ``layout``; its input is what attention reads."""
    layout: Layout
    projection: nn.Module
    """What the mixed values of all heads go through."""
    start_norm: nn.Module | None
    """The norm before attention; None in post-norm families."""


@dataclass(frozen=True, eq=False)
class Anatomy:
    """The parts of a network that are read, whatever its architecture calls them."""

    family: str
    network: PreTrainedModel
    """What is run on the text: the whole network, or the encoder of an encoder–decoder."""
    blocks: tuple[nn.Module, ...]
    """One per layer; the same module several times where layers share weights."""
    final_norm: nn.Module | None
    sub_layers: dict[SubLayer, tuple[nn.Module, ...]]
    """Modules whose input (``attention``, ``mlp``) or output (``attention_norm``) is the point, one per layer: norms,
    but in families with norms on their branches alone."""
    branches: dict[Branch, tuple[nn.Module, ...]]
    """Modules whose output is added to the residual stream, one per layer; without those that are not known."""
    mlp_matrices: tuple[tuple[nn.Module, nn.Module], ...]
    """The two matrices of the MLP, one pair per layer; empty where it has others, or where they are not known."""
    start_norms: tuple[nn.Module, ...]
    """The norm before attention, one per layer; empty in post-norm families and where it is not known."""
    norms: tuple[tuple[nn.Module, ...], ...]
    """Every norm on the residual stream inside each block; empty where there is none, or the family is not known."""
    circuits: tuple[Circuit, ...]
    """One per layer; empty where attention cannot be reached or the projections are not known."""
    post_norm: bool
    """Whether a norm follows the addition of each branch."""
    parallel: bool
    """Whether attention and MLP read the same stream and are added to it together."""
    heads: int
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
    global_attention: GlobalAttention | None = None
    """Which tokens attend to all others, where attention is sparse and the checkpoint's head chooses them."""

    @property
    def why_no_norms(self) -> str:
        """Why there are no norms on the residual stream, or none that are known."""
        if self.sub_layers:
            return f"the family “{self.family}” has norms on its branches alone, and none on the residual stream"
        return f"the norms inside a block are not known for the family “{self.family}”"

    @cached_property
    def takes(self) -> frozenset[str]:
        """Names of what the network can be given."""
        return frozenset(inspect.signature(self.network.forward).parameters)

    @property
    def token_types(self) -> int | None:
        """How many types of token the network has an embedding for; None where it has none, or no bound."""
        return getattr(self.network.config, "type_vocab_size", None) or None


def dissect(network: PreTrainedModel) -> Anatomy:
    """Find the parts of a network; refused where no blocks are found, or what was found does not act as blocks."""
    family = str(network.config.model_type)
    part: PreTrainedModel = network.get_encoder() if network.config.is_encoder_decoder else network
    blocks, holder = _blocks(part, family)
    final_norm = _final_norm(part, holder, family)
    declared = families.get(family)
    # Where the configuration chooses between forms, the names that hold for this network.
    known = declared.parts(network.config) if callable(declared.parts) else declared.parts
    parts = known or Parts(None)
    sub_layers = _sub_layers(blocks, parts)
    sparse = keep_sparse(part)
    chosen = global_attention(network)
    reachable = hasattr(sys.modules[type(network).__module__], "ALL_ATTENTION_FUNCTIONS")
    reads: Literal["text", "image"] = "image" if part.main_input_name == "pixel_values" else "text"
    limits = [*_limits(family, known, reachable), *attended_globally(part, network, chosen)]
    if reads == "text" and known is None:
        limits += _unknown(part, blocks, final_norm, family)
    return Anatomy(
        family=family,
        network=part,
        blocks=blocks,
        final_norm=final_norm,
        sub_layers=sub_layers,
        branches=_branches(blocks, parts),
        mlp_matrices=()
        if parts.mlp_first is None
        else tuple(zip(_each(blocks, parts.mlp_first), _each(blocks, parts.mlp), strict=True)),
        start_norms=_each(blocks, parts.start_norm),
        norms=_norms(blocks, parts),
        circuits=_circuits(blocks, parts) if reachable else (),
        post_norm="mlp" in sub_layers,
        parallel=known is not None and not sub_layers,
        heads=_heads(network, family),
        hidden_size=int(network.config.hidden_size),
        causal=reads == "text" and is_causal(part),
        reads=reads,
        max_positions=_max_positions(network),
        attention_reachable=reachable,
        time_first=declared.time_first,
        padding_is_safe=reads == "image" or (not sparse and padding_is_safe(part)),
        limits=tuple(limits),
        global_attention=chosen,
    )


def _blocks(network: PreTrainedModel, family: str) -> tuple[tuple[nn.Module, ...], nn.Module]:
    """The blocks in order, and the module that holds their list."""
    declared = families.get(family)
    if declared.downsampled:
        raise ModelError(
            f"The blocks of “{family}” read groups of tokens instead of the tokens themselves, so how alike these are "
            "cannot be measured in it."
        )
    depth = getattr(network.config, "num_hidden_layers", None)
    if not isinstance(depth, int) or depth < 1:
        raise ModelError(f"A model of the architecture “{family}” does not say how many layers it has.")
    if declared.blocks is not None:
        return declared.blocks(network, depth)
    for name, module in network.named_modules():
        if isinstance(module, nn.ModuleList) and len(module) == depth:
            return tuple(module), network.get_submodule(name.rpartition(".")[0])
    raise ModelError(
        f"The architecture “{family}” is not known to Oversmooth: it says that it has {depth} layers, "
        "but no list of that many blocks was found in it."
    )


def _each(blocks: tuple[nn.Module, ...], name: str | None) -> tuple[nn.Module, ...]:
    """The part of that name in every block; empty without a name."""
    return () if name is None else tuple(block.get_submodule(name) for block in blocks)


def _sub_layers(blocks: tuple[nn.Module, ...], parts: Parts) -> dict[SubLayer, tuple[nn.Module, ...]]:
    names: dict[SubLayer, str | None] = {
        "attention": parts.middle or parts.middle_norm,
        "attention_norm": parts.middle_norm,
        "mlp": parts.end_norm,
    }
    return {point: _each(blocks, name) for point, name in names.items() if name is not None}


def _branches(blocks: tuple[nn.Module, ...], parts: Parts) -> dict[Branch, tuple[nn.Module, ...]]:
    names: dict[Branch, str | None] = {"attention": parts.attention, "mlp": parts.mlp}
    return {branch: _each(blocks, name) for branch, name in names.items() if name is not None}


def _norms(blocks: tuple[nn.Module, ...], parts: Parts) -> tuple[tuple[nn.Module, ...], ...]:
    # Neither norms of queries and keys, nor those that Gemma puts on a branch: they are not on the residual stream.
    named = (parts.start_norm, parts.mlp_norm, parts.middle_norm, parts.end_norm)
    rows = zip(*(_each(blocks, name) for name in named if name is not None), strict=True)
    return tuple(tuple(norm for norm in row if not isinstance(norm, nn.Identity)) for row in rows)


def _heads(network: PreTrainedModel, family: str) -> int:
    heads = int(getattr(network.config, "num_attention_heads", 0))
    ratio = families.get(family).head_ratio
    return heads if ratio is None else max(1, heads // getattr(network.config, ratio))


def _circuits(blocks: tuple[nn.Module, ...], parts: Parts) -> tuple[Circuit, ...]:
    projection = parts.projection or parts.attention
    if parts.value is None or projection is None:
        return ()
    starts = _each(blocks, parts.start_norm) or (None,) * len(blocks)
    columns = zip(_each(blocks, parts.value), _each(blocks, projection), starts, strict=True)
    return tuple(Circuit(value, parts.layout, output, start) for value, output, start in columns)


def _final_norm(network: PreTrainedModel, holder: nn.Module, family: str) -> nn.Module | None:
    if families.get(family).final_norm_on_pooled:
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
    agree, ends = compare(network, blocks)
    if not agree:
        raise ModelError(
            f"The architecture “{family}” is not known to Oversmooth: what looks like its {len(blocks)} blocks does "
            "not put out its hidden states, so the measured points would be something else."
        )
    if final_norm is None and not ends:
        yield f"What follows the last block is not known for the family “{family}”, so the points end with that block."


def _limits(family: str, parts: Parts | None, attention_reachable: bool) -> Iterator[str]:
    if parts is None:
        yield f"The inside of a block is not known for the family “{family}”, so only block outputs are measured."
    elif parts.middle_norm is None and parts.middle is None:
        yield "Attention and MLP run in parallel in this family, so there are no points inside a block."
    if not attention_reachable:
        yield "Attention can be reached at its softmax only in this family: methods that change values refuse it."
