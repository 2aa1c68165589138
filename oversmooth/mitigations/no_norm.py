"""No norms inside the blocks."""

from oversmooth.mitigations.registry import Mitigation, mitigation
from oversmooth.mitigations.sites import BranchPlace, Sites, Tensor

ORDER = 270


@mitigation(
    name="no_norm",
    title="No norms",
    formula=r"\operatorname{Norm}(X) \;\to\; X",
    paper=None,
    meant="ablation",
    causal_safe=True,
    position="norms on the residual stream in every block",
    paper_position="none: a plain ablation",
    does="Takes the norms on the residual stream inside the blocks away, gains and biases included.",
    caveat="An ablation: without norms the states may grow from block to block until float32 cannot hold them.",
    excludes=("layernorm_scaling",),
)
class NoNorm(Mitigation):
    """Norms of queries and keys, norms on a branch, and the final norm after the last block stay."""

    def attach(self, sites: Sites) -> None:
        """Act on every norm on the stream of the chosen blocks."""
        for layer in sites.layers():
            sites.norm(layer, self._pass_through)

    def _pass_through(self, _: Tensor, place: BranchPlace) -> Tensor:
        return place.stream
