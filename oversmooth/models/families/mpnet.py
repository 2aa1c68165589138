"""MPNet."""

from oversmooth.models.families.declaration import Parts, family

family(
    "mpnet", parts=Parts("attention.LayerNorm", "output.LayerNorm", attention="attention.attn.o", mlp="output.dense")
)
