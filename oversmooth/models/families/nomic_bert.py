"""Nomic BERT."""

from oversmooth.models.families.declaration import Parts, family

family(
    "nomic_bert",
    parts=Parts(
        "post_attention_layernorm",
        "post_mlp_layernorm",
        attention="self_attn.o_proj",
        mlp="mlp.down_proj",
        value="self_attn.v_proj",
    ),
)
