"""ViT, and what is built like it."""

from oversmooth.models.families.declaration import Parts, family

family("beit", "deit", "ijepa", "vit", parts=Parts("layernorm_after", start_norm="layernorm_before"))
