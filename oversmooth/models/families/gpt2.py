"""GPT-2."""

from oversmooth.models.families.declaration import Parts, family

family(
    "gpt2",
    parts=Parts(
        "ln_2", start_norm="ln_1", attention="attn.c_proj", mlp="mlp.c_proj", value="attn.c_attn", layout="thirds"
    ),
)
