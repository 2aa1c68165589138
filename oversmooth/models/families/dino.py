"""DINOv2 and DINOv3."""

from oversmooth.models.families.declaration import Parts, family

family("dinov2", "dinov3_vit", parts=Parts("norm2", start_norm="norm1"))
