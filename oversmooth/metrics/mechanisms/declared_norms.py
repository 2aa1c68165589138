"""What is said of the norms around each branch and of the LayerNorm bound."""

from __future__ import annotations

import math

from oversmooth.metrics.mechanisms.registry import define
from oversmooth.metrics.registry import Definition
from oversmooth.metrics.similarity import SHI

ORDER = 20

define(
    Definition(
        name="norm_deviation",
        title="Deviation inside a norm",
        formula=r"\sigma_i = \sqrt{\tfrac{1}{d} \sum_k (x_{ik} - \bar{x}_i)^2}",
        paper=SHI,
        lower=0,
        upper=math.inf,
        reads="What the norm divides each token by: below 1 it pushes tokens apart, above 1 it draws them together.",
        caveat="Scale alone, before the gain; for RMSNorm it is the root mean square, since no mean is removed.",
    )
)
define(
    Definition(
        name="negative_gains",
        title="Share of negative gains",
        formula=r"\tfrac{1}{d} \, \lvert \{ k : \gamma_k < 0 \} \rvert",
        paper=SHI,
        lower=0,
        upper=1,
        reads="The share of dimensions whose sign the norm turns, which turns the sign of what follows it in them.",
        caveat="An own reading: the theorem leaves the gains out; it counts signs, however small the gains are.",
    )
)
define(
    Definition(
        name="smoothing_bound",
        title="LayerNorm bound on the contraction",
        formula=(
            r"v = \frac{(1 + s^2)(1 + \sqrt{\lambda}\, h\, s)}{\sigma_1 \sigma_2} \max_k \lvert \gamma_{1k} \rvert"
            r" \max_k \lvert \gamma_{2k} \rvert"
        ),
        paper=SHI,
        lower=0,
        upper=math.inf,
        reads="The most that a block can multiply the distance to the mean token by; below 1 it must smooth.",
        caveat=(
            "Above 1 it says nothing, and trained models lie far above. The gains are an own addition; an activation "
            "is taken not to widen distances, which GELU does by up to 13 %."
        ),
    )
)
define(
    Definition(
        name="contraction",
        title="Measured contraction",
        formula=r"d_{\mathcal{M}}(X_{l+1}) / d_{\mathcal{M}}(X_l)",
        paper=SHI,
        lower=0,
        upper=math.inf,
        reads="What the block did multiply the distance to the mean token by: below 1 it smoothed this text.",
        caveat="Keeps scale: in pre-norm families the stream grows, so the ratio may pass 1 while tokens grow alike.",
    )
)
