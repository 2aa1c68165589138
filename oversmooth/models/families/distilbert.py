"""DistilBERT."""

from oversmooth.models.families.declaration import Parts, family

family(
    "distilbert",
    parts=Parts(
        "sa_layer_norm",
        "output_layer_norm",
        attention="attention.out_lin",
        mlp="ffn.lin2",
        mlp_first="ffn.lin1",
        value="attention.v_lin",
    ),
)
