"""Residual scaling: another weight for the branches that are added to the residual stream."""

from oversmooth.core.papers import Paper
from oversmooth.mitigations.no_skip import WHICH, branches
from oversmooth.mitigations.parameters import choice, number
from oversmooth.mitigations.registry import Mitigation, mitigation
from oversmooth.mitigations.sites import BranchPlace, Sites, Tensor

ORDER = 220


@mitigation(
    name="residual_scaling",
    title="Residual scaling",
    formula=r"X + f(X) \;\to\; X + \rho\,f(X)",
    paper=Paper(
        "Noci et al.",
        2022,
        "Signal Propagation in Transformers: Theoretical Perspectives and the Role of Rank Collapse",
        "https://arxiv.org/abs/2206.03126",
    ),
    meant="training",
    causal_safe=True,
    position="both branches of every block",
    paper_position="both branches of every block, with a weight that falls with the number of blocks L, such as 1/√L",
    does="Multiplies what attention and MLP add to the residual stream by ρ.",
    caveat="Its paper scales at initialisation, before training; on frozen weights it is an ablation.",
    excludes=("no_skip",),
)
class ResidualScaling(Mitigation):
    """Noci et al. 2022, with a free weight; 0 takes the branches away."""

    weight: float = number(0.9, "Weight ρ of a branch.", low=0, high=2, neutral=1.0)
    branch: str = choice("both", "Branch that is scaled.", WHICH)

    def attach(self, sites: Sites) -> None:
        """Act on the output of the chosen branches of the chosen blocks."""
        for layer in sites.layers():
            for branch in branches(self.branch):
                sites.branch(layer, branch, self._scale)

    def _scale(self, branch: Tensor, _: BranchPlace) -> Tensor:
        return self.weight * branch
