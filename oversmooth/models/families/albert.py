"""ALBERT: layers share weights, in groups that each serve several layers in turn."""

from typing import Any

from oversmooth.models.families.declaration import Blocks, Parts, PreTrainedModel, family

_PARTS = Parts(
    "albert_layers.0.attention.LayerNorm",
    "albert_layers.0.full_layer_layer_norm",
    attention="albert_layers.0.attention.dense",
    mlp="albert_layers.0.ffn_output",
    mlp_first="albert_layers.0.ffn",
    value="albert_layers.0.attention.value",
)


def _parts(config: Any) -> Parts | None:  # noqa: ANN401  each configuration has its own fields
    # Several attentions within one layer are in no published model.
    return _PARTS if config.inner_group_num == 1 else None


def _blocks(network: PreTrainedModel, depth: int) -> Blocks:
    encoder = network.get_submodule("encoder")
    groups = list(encoder.get_submodule("albert_layer_groups").children())
    # Each group serves depth / groups layers in turn.
    return tuple(groups[index * len(groups) // depth] for index in range(depth)), encoder


family("albert", parts=_parts, blocks=_blocks)
