"""GPT-Neo."""

from oversmooth.models.families.declaration import Parts, family

family("gpt_neo", parts=Parts("ln_2", start_norm="ln_1", attention="attn.attention.out_proj", mlp="mlp.c_proj"))
