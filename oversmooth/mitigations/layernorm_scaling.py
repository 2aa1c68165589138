"""LayerNorm scaling: norms whose outputs get smaller with depth."""

from functools import partial

from oversmooth.core.papers import Paper
from oversmooth.mitigations.parameters import number
from oversmooth.mitigations.registry import Mitigation, mitigation
from oversmooth.mitigations.sites import BranchPlace, Sites, Tensor

ORDER = 210


@mitigation(
    name="layernorm_scaling",
    title="LayerNorm scaling",
    formula=r"\operatorname{Norm}_\ell(X) \;\to\; \ell^{-p}\,\operatorname{Norm}_\ell(X), \qquad \ell = 1, 2, \dots",
    paper=Paper("Sun et al.", 2025, "The Curse of Depth in Large Language Models", "https://arxiv.org/abs/2502.05795"),
    meant="training",
    causal_safe=True,
    position="norms before attention and MLP in every block of pre-norm families",
    paper_position="norms before attention and MLP in every block of pre-norm families",
    does="Makes what attention and MLP read smaller with depth; the first block stays as it is.",
    caveat="Its paper trains with it; frozen weights expect what they read at the scale they were trained on. As "
    "published, its code compares a lower-cased name with upper-case ones, so that the scaling is never switched on.",
    excludes=("no_norm",),
)
class LayerNormScaling(Mitigation):
    """Sun et al. 2025; blocks count from 1 in the factor, whichever of them are chosen."""

    power: float = number(0.5, "Exponent p of the factor ℓ⁻ᵖ.", low=0, high=2, neutral=0.0)

    def attach(self, sites: Sites) -> None:
        """Act on the norms of the chosen blocks."""
        sites.require(
            not sites.post_norm,
            f"the family “{sites.anatomy.family}” has its norms after the branches, not before them, and scaling them "
            "would scale the residual stream itself",
        )
        for layer in sites.layers():
            sites.norm(layer, partial(self._scale, float(layer + 1) ** -self.power))

    def _scale(self, factor: float, normed: Tensor, _: BranchPlace) -> Tensor:
        return factor * normed
