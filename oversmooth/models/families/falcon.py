"""Falcon: attention and MLP run in parallel, with one norm or two, or one after the other as in Llama."""

from dataclasses import replace
from typing import Any

from oversmooth.models.families.declaration import Parts, family

_PARTS = Parts(None, start_norm="input_layernorm", attention="self_attention.dense", mlp="mlp.dense_4h_to_h")


def _parts(config: Any) -> Parts:  # noqa: ANN401  each configuration has its own fields
    if not config.parallel_attn:
        return replace(_PARTS, middle_norm="post_attention_layernorm")
    if getattr(config, "num_ln_in_parallel_attn", None) == 2:
        return replace(_PARTS, start_norm="ln_attn", mlp_norm="ln_mlp")
    return _PARTS


family("falcon", parts=_parts)
