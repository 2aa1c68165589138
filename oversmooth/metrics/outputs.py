"""Numbers of the language-model head, declared here and measured where torch is."""

from __future__ import annotations

import math
from typing import Final

from oversmooth.core.papers import Paper
from oversmooth.metrics.registry import Definition, define_fidelity

ORDER = 80

NO_HEAD: Final = "this checkpoint has no language-model head that can be used"
ENCODER_ALONE: Final = "of an encoder–decoder only the encoder is run, which has no language-model head"
"""Why there are none, of a model."""

define_fidelity(
    Definition(
        name="language_model_loss",
        title="Language-model loss",
        formula=r"-\frac{1}{|S|} \sum_{i \in S} \ln p(v_i \mid v_{<i}) \quad\text{or}\quad "
        r"-\frac{1}{|S|} \sum_{i \in S} \ln p(v_i \mid v_{\setminus i})",
        paper=Paper("Salazar et al.", 2020, "Masked Language Model Scoring", "https://arxiv.org/abs/1910.14659"),
        lower=0,
        upper=math.inf,
        unit="nats a token",
        reads="How surprised the model's own head is by each token: given those before it in a causal model, given "
        "all others, with it masked, in a masked one.",
        caveat="Compares sides of one model on one text; models with other vocabularies predict other units.",
    )
)
define_fidelity(
    Definition(
        name="output_kl",
        title="Divergence of the output from the baseline's",
        formula=r"\frac{1}{|S|} \sum_{i \in S} \sum_v p_{0,i}(v) \ln \frac{p_{0,i}(v)}{p_i(v)}",
        paper=Paper(
            "Kullback & Leibler", 1951, "On Information and Sufficiency", "https://doi.org/10.1214/aoms/1177729694"
        ),
        lower=0,
        upper=math.inf,
        unit="nats a token",
        reads="How far the head's predictions have moved from the baseline's: 0 where they are the same.",
        caveat="Says that predictions moved, not whether they are better or worse; the loss says that.",
    )
)
