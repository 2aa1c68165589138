"""Phi: attention and MLP run in parallel."""

from oversmooth.models.families.declaration import Parts, family

family(
    "phi",
    parts=Parts(
        None, start_norm="input_layernorm", attention="self_attn.dense", mlp="mlp.fc2", value="self_attn.v_proj"
    ),
)
