"""No skip connections: a branch replaces the residual stream instead of being added to it."""

from oversmooth.core.papers import Paper
from oversmooth.core.points import BRANCHES, Branch
from oversmooth.mitigations.parameters import choice
from oversmooth.mitigations.registry import Mitigation, mitigation
from oversmooth.mitigations.sites import BranchPlace, Sites, Tensor

ORDER = 250

DONG_2021 = Paper(
    "Dong et al.",
    2021,
    "Attention is Not All You Need: Pure Attention Loses Rank Doubly Exponentially with Depth",
    "https://arxiv.org/abs/2103.03404",
)

WHICH = ("both", *BRANCHES)
"""Branches of a block that a method may act on."""


def branches(which: str) -> list[Branch]:
    """Those that one of :data:`WHICH` means."""
    return [each for each in BRANCHES if which in ("both", each)]


@mitigation(
    name="no_skip",
    title="No skip connections",
    formula=r"X + f(X) \;\to\; f(X)",
    paper=DONG_2021,
    meant="ablation",
    causal_safe=True,
    position="both branches of every block",
    paper_position="both branches of every block",
    does="Takes the skip connections away: what a branch puts out replaces the residual stream.",
    caveat="An ablation: the weights were trained with the skip connections, and no model works without them; the "
    "paper's code for DistilBERT changes the first block alone.",
    excludes=("residual_scaling",),
)
class NoSkip(Mitigation):
    """Dong et al. 2021. Where ``no_mlp`` acts too, in either order, attention alone is left of the block.

    The stream is subtracted from the branch that it will be added to, so what remains carries the float32 rounding
    of the longer of the two, 6·10⁻⁸ of its length.
    """

    branch: str = choice("both", "Branch whose skip connection is taken away.", WHICH)

    def attach(self, sites: Sites) -> None:
        """Act on the output of the chosen branches; parallel branches share one skip connection."""
        parallel = sites.anatomy.parallel
        sites.require(
            self.branch == "both" or not parallel,
            f"attention and MLP share one skip connection in the family “{sites.anatomy.family}”, so leave branch=both",
        )
        # A block without its MLP passes the stream by it: there is no skip connection to take away.
        without_mlp = {site.layer for site in sites.found if site.method == "no_mlp"}
        for layer in sites.layers():
            for branch in branches("attention" if parallel else self.branch):
                if branch == "attention" or layer not in without_mlp:
                    sites.branch(layer, branch, self._replace)

    def _replace(self, branch: Tensor, place: BranchPlace) -> Tensor:
        return branch - place.stream
