"""The vision towers of CLIP and SigLIP."""

from oversmooth.models.families.declaration import Parts, family

_PARTS = Parts("layer_norm2", start_norm="layer_norm1")

family("clip_vision_model", parts=_PARTS, final_norm_on_pooled=True)
family("siglip_vision_model", parts=_PARTS)
