"""XLNet."""

from oversmooth.models.families.declaration import Parts, family

# The output projection of its attention is a product of tensors, not a module.
family("xlnet", parts=Parts("rel_attn.layer_norm", "ff.layer_norm", mlp="ff.layer_2"), time_first=True)
