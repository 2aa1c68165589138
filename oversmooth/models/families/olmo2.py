"""OLMo 2 and 3: norms on the branches alone, none on the residual stream."""

from oversmooth.models.families.declaration import Parts, family

family(
    "olmo2",
    "olmo3",
    parts=Parts(
        None,
        middle="mlp",
        attention="post_attention_layernorm",
        mlp="post_feedforward_layernorm",
        value="self_attn.v_proj",
        projection="self_attn.o_proj",
    ),
)
