"""BART, and OPT, whose 350M model alone is built like it."""

from typing import Any

from oversmooth.models.families.declaration import Parts, family

_BART = Parts(
    "self_attn_layer_norm",
    "final_layer_norm",
    attention="self_attn.out_proj",
    mlp="fc2",
    mlp_first="fc1",
    value="self_attn.v_proj",
)
_OPT = Parts(
    "final_layer_norm",
    start_norm="self_attn_layer_norm",
    attention="self_attn.out_proj",
    mlp="fc2",
    value="self_attn.v_proj",
)


def _opt(config: Any) -> Parts:  # noqa: ANN401  each configuration has its own fields
    return _OPT if config.do_layer_norm_before else _BART


family("bart", parts=_BART)
family("opt", parts=_opt)
