"""DeBERTa and ConvBERT."""

from oversmooth.models.families.declaration import Parts, family

_PARTS = Parts("attention.output.LayerNorm", "output.LayerNorm", attention="attention.output.dense", mlp="output.dense")

family("deberta", "deberta-v2", parts=_PARTS)
family("convbert", parts=_PARTS, head_ratio="head_ratio")
