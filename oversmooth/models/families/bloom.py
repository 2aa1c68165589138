"""BLOOM."""

from dataclasses import replace
from typing import Any

from oversmooth.models.families.declaration import Parts, family

_PARTS = Parts(
    "post_attention_layernorm", start_norm="input_layernorm", attention="self_attention.dense", mlp="mlp.dense_4h_to_h"
)


def _parts(config: Any) -> Parts:  # noqa: ANN401  each configuration has its own fields
    # Switched on, the norm's output is what a branch is added to, not the stream.
    shifted = config.apply_residual_connection_post_layernorm
    return replace(_PARTS, attention=None, mlp=None) if shifted else _PARTS


family("bloom", parts=_parts)
