"""Gemma 2 and 3: norms before and after each branch."""

from oversmooth.models.families.declaration import Parts, family

family(
    "gemma2",
    "gemma3_text",
    parts=Parts(
        "pre_feedforward_layernorm",
        start_norm="input_layernorm",
        attention="post_attention_layernorm",
        mlp="post_feedforward_layernorm",
        value="self_attn.v_proj",
        projection="self_attn.o_proj",
    ),
)
