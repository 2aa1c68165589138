"""FeatScale: the mean token and what differs from it, each with its own weight."""

from oversmooth.mitigations.attnscale import WANG_2022
from oversmooth.mitigations.frequencies import each_sequence, high
from oversmooth.mitigations.parameters import number, where
from oversmooth.mitigations.registry import Mitigation, mitigation
from oversmooth.mitigations.sites import BranchPlace, Sites, StatesPlace, Tensor

ORDER = 130


@mitigation(
    name="featscale",
    title="FeatScale",
    formula=r"X + s\,\mathbf{1}\bar{x}^\top + t\,(X - \mathbf{1}\bar{x}^\top)",
    paper=WANG_2022,
    meant="training",
    causal_safe=True,
    position="output of every block",
    paper_position="output of every attention branch, with s and t learned for each dimension",
    does="Makes the mean token larger by the factor 1 + s and what differs from it by the factor 1 + t.",
    caveat="Its paper learns s and t from 0 for each dimension; here each is one number for all, and acts once as in "
    "the paper, while its code for DeiT adds both parts twice, so that they act as 1 + 2s and 1 + 2t.",
)
class FeatScale(Mitigation):
    """Wang et al. 2022, with one number for all dimensions; in a causal model the mean runs over earlier tokens."""

    dc: float = number(-0.05, "Added weight s of the mean token.", low=-1, high=2, neutral=0.0)
    hc: float = number(0.05, "Added weight t of what differs from the mean token.", low=-1, high=2, neutral=0.0)
    where: str = where("“default” is the output of the block; “paper” is the attention branch before it is added.")

    def attach(self, sites: Sites) -> None:
        """Act on the output of the chosen blocks, or of their attention branches."""
        for layer in sites.layers():
            if self.where == "paper":
                sites.branch(layer, "attention", self._scale_branch)
            else:
                sites.block(layer, self._scale_states)

    def _scale_states(self, states: Tensor, place: StatesPlace) -> Tensor:
        return self._scale(states, causal=place.causal)

    def _scale_branch(self, branch: Tensor, place: BranchPlace) -> Tensor:
        return each_sequence(branch, place, lambda states: self._scale(states, causal=place.causal))

    def _scale(self, states: Tensor, *, causal: bool) -> Tensor:
        differing = high(states, causal=causal)
        return states + self.dc * (states - differing) + self.hc * differing
