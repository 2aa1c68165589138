"""Longformer."""

from oversmooth.models.families.declaration import family

family(
    "longformer",
    global_attention={
        "LongformerForMultipleChoice": "choice",
        "LongformerForQuestionAnswering": "question",
        "LongformerForSequenceClassification": "first",
    },
)
