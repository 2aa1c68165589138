"""ModernBERT."""

from oversmooth.models.families.declaration import Parts, family

family(
    "modernbert",
    parts=Parts(
        "mlp_norm", start_norm="attn_norm", attention="attn.Wo", mlp="mlp.Wo", value="attn.Wqkv", layout="thirds"
    ),
)
