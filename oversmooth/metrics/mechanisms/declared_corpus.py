"""What is said of readings over several texts."""

from __future__ import annotations

from oversmooth import metrics
from oversmooth.core.papers import Paper
from oversmooth.metrics.mechanisms.registry import define
from oversmooth.metrics.registry import Definition

ORDER = 40

ETHAYARAJH = Paper(
    "Ethayarajh",
    2019,
    "How Contextual are Contextualized Word Representations? "
    "Comparing the Geometry of BERT, ELMo, and GPT-2 Embeddings",
    "https://arxiv.org/abs/1909.00512",
)

define(
    Definition(
        name="within_cosine",
        title="Cosine within a text",
        formula=(
            r"\operatorname{mean}_a \frac{n_a \lVert m_a \rVert^2 - 1}{n_a - 1}, \quad "
            r"m_a = \operatorname{mean}_{i \in a} \frac{x_i}{\lVert x_i \rVert}"
        ),
        paper=ETHAYARAJH,
        lower=-1,
        upper=1,
        reads="The mean cosine between tokens of the same text, each text with equal weight.",
        caveat="Holds what all texts share as well: only beside the cosine between texts does it speak of smoothing.",
    )
)
define(
    Definition(
        name="between_cosine",
        title="Cosine between texts",
        formula=(
            r"\operatorname{mean}_{a \neq b} m_a^\top m_b, \quad "
            r"m_a = \operatorname{mean}_{i \in a} \frac{x_i}{\lVert x_i \rVert}"
        ),
        paper=ETHAYARAJH,
        lower=-1,
        upper=1,
        reads="The mean cosine between tokens of different texts: anisotropy, an offset common to the whole corpus.",
        caveat="Depends on the texts: such as are about one thing share more than the model's offset.",
    )
)
define(
    Definition(
        name="within_minus_between",
        title="Within minus between",
        formula=(
            r"\operatorname{mean}_a \frac{n_a \lVert m_a \rVert^2 - 1}{n_a - 1}"
            r" - \operatorname{mean}_{a \neq b} m_a^\top m_b"
        ),
        paper=ETHAYARAJH,
        lower=-2,
        upper=2,
        reads="How much more alike tokens of one text are than tokens of any two: the part that smoothing can explain.",
        caveat="Tokens of one text share its topic too, so it bounds over-smoothing from above.",
    )
)
define(
    Definition(
        name="layer_cka",
        title="Linear CKA between layers",
        formula=(
            r"\frac{\langle K, L \rangle_F}{\lVert K \rVert_F \lVert L \rVert_F}, \quad "
            r"K = R X_l X_l^\top R, \; L = R X_m X_m^\top R"
        ),
        paper=metrics.get("cka_to_baseline").paper,
        lower=0,
        upper=1,
        reads="How alike the geometry of the same tokens is at two points: 1 when one is a rotation of the other.",
        caveat="A few long tokens rule it, and with few tokens it is too high.",
    )
)
