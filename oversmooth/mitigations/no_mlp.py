"""No MLP: attention alone."""

from oversmooth.mitigations.no_skip import DONG_2021
from oversmooth.mitigations.registry import Mitigation, mitigation
from oversmooth.mitigations.sites import BranchPlace, Sites, Tensor

ORDER = 260


@mitigation(
    name="no_mlp",
    title="No MLP",
    formula=r"X + \operatorname{MLP}(X) \;\to\; X",
    paper=DONG_2021,
    meant="ablation",
    causal_safe=True,
    position="MLP branch of every block",
    paper_position="MLP branch of every block",
    does="Takes the MLP away: the residual stream passes it by.",
    caveat="An ablation: the weights were trained with the MLP, and no model works without it.",
)
class NoMLP(Mitigation):
    """Dong et al. 2021; a norm after the MLP stays."""

    def attach(self, sites: Sites) -> None:
        """Act on the output of the MLP branch of the chosen blocks."""
        for layer in sites.layers():
            sites.branch(layer, "mlp", self._remove)

    def _remove(self, branch: Tensor, _: BranchPlace) -> Tensor:
        return branch.new_zeros(branch.shape)
