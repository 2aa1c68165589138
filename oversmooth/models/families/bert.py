"""BERT, and what is built like it."""

from oversmooth.models.families.declaration import Parts, family

family(
    "bert",
    "camembert",
    "electra",
    "roberta",
    "xlm-roberta",
    parts=Parts(
        "attention.output.LayerNorm",
        "output.LayerNorm",
        attention="attention.output.dense",
        mlp="output.dense",
        mlp_first="intermediate.dense",
        value="attention.self.value",
    ),
)
