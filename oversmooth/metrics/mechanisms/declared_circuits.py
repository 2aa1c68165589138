"""The eigenspectrum of the residual update, declared; computed in ``circuits.py``."""

from __future__ import annotations

import math

from oversmooth.core.papers import Paper
from oversmooth.metrics.mechanisms.registry import define
from oversmooth.metrics.registry import Definition

ORDER = 30

DOVONON = Paper(
    "Dovonon et al.",
    2024,
    "Setting the Record Straight on Transformer Oversmoothing",
    "https://arxiv.org/abs/2401.04301",
)

define(
    Definition(
        name="circuit_eigenvalues",
        title="Eigenvalues of the value–output circuit",
        formula=r"\lambda^H = \operatorname{eig}\bigl( W_O\, \operatorname{diag}(\gamma)\, W_V \bigr)",
        paper=DOVONON,
        lower=-math.inf,
        upper=math.inf,
        reads="By how much a head multiplies what its attention hands on along the directions it keeps: under the "
        "residual addition, values between −1 and 0 sharpen and positive ones smooth.",
        caveat="Of one head alone, with the gain γ of the norm before attention where there is one; neither that "
        "norm's division, nor a norm on the branch, nor the MLP enters. Of the d eigenvalues, those beyond the head's "
        "width are 0 and left out.",
    )
)
define(
    Definition(
        name="dominant_gain",
        title="Dominant gain of the update",
        formula=r"\max_{i,j} \bigl| 1 + \lambda^H_i \lambda^A_j \bigr|",
        paper=DOVONON,
        lower=1,
        upper=math.inf,
        reads="The largest gain of a repeated update X + A X H: smoothing where the pair that attains it has the "
        "constant direction's eigenvalue 1 of A, sharpening where it has another.",
        caveat="A limit of the same head applied again and again, alone, without MLP and norm: blocks of a real model "
        "differ, and heads add up to one update only where they attend alike.",
    )
)
