"""GPT-NeoX: attention and MLP run in parallel, or one after the other as in Llama."""

from dataclasses import replace
from typing import Any

from oversmooth.models.families.declaration import Parts, family

_PARTS = Parts(
    None,
    start_norm="input_layernorm",
    mlp_norm="post_attention_layernorm",
    attention="attention.dense",
    mlp="mlp.dense_4h_to_h",
    value="attention.query_key_value",
    layout="per_head",
)


def _parts(config: Any) -> Parts:  # noqa: ANN401  each configuration has its own fields
    if config.use_parallel_residual:
        return _PARTS
    return replace(_PARTS, middle_norm="post_attention_layernorm", mlp_norm=None)


family("gpt_neox", parts=_parts)
