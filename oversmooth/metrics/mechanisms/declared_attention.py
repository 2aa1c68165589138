"""Quantities of attention matrices as weighted graphs over the tokens, declared; computed in ``attention.py``."""

from __future__ import annotations

import math
from typing import Final

from oversmooth.core.papers import Paper
from oversmooth.metrics.mechanisms.registry import define
from oversmooth.metrics.registry import Definition
from oversmooth.metrics.similarity import SHI

ORDER = 10

SINK_THRESHOLD: Final = 0.3
NULL: Final = "_null"
"""What the name of a quantity ends in where it is that of the shuffled matrix."""

GU = Paper(
    "Gu et al.",
    2025,
    "When Attention Sink Emerges in Language Models: An Empirical View",
    "https://arxiv.org/abs/2410.10781",
)

define(
    Definition(
        name="attention_root_lambda",
        title="Root lambda of attention",
        formula=r"\sqrt{\lambda_{\max}(A^\top R A)} = \lVert R A \rVert_2, \quad "
        r"R = I - \tfrac{1}{n} \mathbf{1}\mathbf{1}^\top",
        paper=SHI,
        lower=0,
        upper=math.inf,
        bound="√(n/2)",
        reads="The most by which this head's mixing can multiply the distance of the tokens to their mean: 0 where "
        "every query attends alike, at most 1 where keys share the attention evenly.",
        caveat="A worst case over all values, of mixing alone: what the tokens meet also depends on the weights, the "
        "other heads and the residual stream, and above 1 it says nothing.",
    )
)
define(
    Definition(
        name="attention_spectral_gap",
        title="Spectral gap of attention",
        formula=r"s_1(A) - s_2(A)",
        paper=Paper(
            "Nait Saada et al.",
            2025,
            "Mind the Gap: a Spectral Analysis of Rank Collapse and Signal Propagation in Attention Layers",
            "https://arxiv.org/abs/2410.07799",
        ),
        lower=0,
        upper=math.inf,
        bound="√n",
        reads="How far the one direction in which a head sends all tokens alike stands out from all others.",
        caveat="Of singular values, not eigenvalues, and not divided by the largest: an attention sink widens it as "
        "uniform attention does.",
    )
)
define(
    Definition(
        name="attention_entropy",
        title="Attention entropy",
        formula=r"\frac{1}{|Q|} \sum_{i \in Q} \frac{-\sum_j A_{ij} \ln A_{ij}}{\ln k_i}, \quad Q = \{i : k_i > 1\}",
        paper=Paper(
            "Zhai et al.",
            2023,
            "Stabilizing Transformer Training by Preventing Attention Entropy Collapse",
            "https://arxiv.org/abs/2303.06296",
        ),
        lower=0,
        upper=1,
        reads="How evenly a query spreads its attention: 0 on one key, 1 on all keys alike, in the mean over queries.",
        caveat="Unlike the paper's it is divided by the logarithm of the number k of keys that the query may see, so "
        "that causal rows compare; queries that may see one key only are left out.",
    )
)
define(
    Definition(
        name="attention_diagonal_mass",
        title="Diagonal mass of attention",
        formula=r"\frac{1}{n} \sum_i A_{ii}",
        paper=Paper(
            "Shi et al.",
            2021,
            "SparseBERT: Rethinking the Importance Analysis in Self-attention",
            "https://arxiv.org/abs/2102.12871",
        ),
        lower=0,
        upper=1,
        reads="The share of attention that tokens pay to themselves, which does not mix them.",
        caveat="In causal models the first token can only attend to itself, and the next ones hardly have a choice.",
    )
)
define(
    Definition(
        name="attention_sink_rate",
        title="Attention sink rate",
        formula=r"\bigl[ \max_{j \in K} \alpha_j > 0.3 \bigr], \quad \alpha_j = \frac{1}{q_j} \sum_i A_{ij}, \quad "
        r"K = \{j : q_j \ge \tfrac{1}{2} \max_k q_k\}",
        paper=GU,
        lower=0,
        upper=1,
        reads="Whether a head has a sink, a key that receives more than 0.3 of the attention of the queries that may "
        "see it: 1 or 0 for a head, and the share of heads in a mean.",
        caveat="The paper asks for the first token; here any key counts that at least half as many queries may see as "
        "see the most visible one. In texts of under ten tokens even uniform attention may pass the threshold.",
    )
)
define(
    Definition(
        name="attention_sink_mass",
        title="Attention sink mass",
        formula=r"\max_{j \in K} \alpha_j, \quad \alpha_j = \frac{1}{q_j} \sum_i A_{ij}, \quad "
        r"K = \{j : q_j \ge \tfrac{1}{2} \max_k q_k\}",
        paper=GU,
        lower=0,
        upper=1,
        reads="The mean attention that the key attended to most receives from the queries that may see it.",
        caveat="Keys that fewer than half as many queries may see as see the most visible one are left out: the last "
        "key of a causal model is seen by one query alone.",
    )
)
_SHUFFLED = (
    "The same of a matrix whose rows are this head's with their entries shuffled: what follows from how sharp "
    "attention is, whatever it looks at."
)
define(
    Definition(
        name="attention_root_lambda" + NULL,
        title="Root lambda of shuffled attention",
        formula=r"\lVert R \tilde{A} \rVert_2, \quad \tilde{A}_{ij} = A_{i \pi_i(j)}",
        paper=SHI,
        lower=0,
        upper=math.inf,
        bound="√(n/2)",
        reads=_SHUFFLED,
        caveat="One draw from a fixed seed, the same permutations for all heads of a block, within the keys that a "
        "query may see; to five digits.",
    )
)
define(
    Definition(
        name="attention_diagonal_mass" + NULL,
        title="Diagonal mass of shuffled attention",
        formula=r"\frac{1}{n} \sum_i \tilde{A}_{ii}, \quad \tilde{A}_{ij} = A_{i \pi_i(j)}",
        paper=SHI,
        lower=0,
        upper=1,
        reads=_SHUFFLED,
        caveat="One draw from a fixed seed, the same permutations for all heads of a block, within the keys that a "
        "query may see.",
    )
)
define(
    Definition(
        name="attention_adjacent_cosine",
        title="Cosine to the attention of the block before",
        formula=r"\frac{\langle \bar{A}_{l-1}, \bar{A}_l \rangle_F}{\lVert \bar{A}_{l-1} \rVert_F "
        r"\lVert \bar{A}_l \rVert_F}, \quad \bar{A}_l = \frac{1}{h} \sum_k A_{l,k}",
        paper=SHI,
        lower=0,
        upper=1,
        reads="How far a block mixes the tokens as the block before did: 1 where both average the same graph.",
        caveat="Attention is averaged over heads first, since heads of two blocks have no common order; uniform parts "
        "of both lift it.",
    )
)
