"""T5, of which the encoder is run."""

from oversmooth.models.families.declaration import Parts, family

family(
    "t5",
    parts=Parts(
        "layer.1.layer_norm",
        start_norm="layer.0.layer_norm",
        attention="layer.0.SelfAttention.o",
        mlp="layer.1.DenseReluDense.wo",
        value="layer.0.SelfAttention.v",
    ),
)
