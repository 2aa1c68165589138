"""Llama, and what is built like it."""

from oversmooth.models.families.declaration import Parts, family

family(
    "gemma",
    "llama",
    "mistral",
    "qwen2",
    "qwen3",
    parts=Parts(
        "post_attention_layernorm",
        start_norm="input_layernorm",
        attention="self_attn.o_proj",
        mlp="mlp.down_proj",
        value="self_attn.v_proj",
    ),
)
