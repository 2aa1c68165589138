"""PairNorm: tokens centred and brought to a common mean length."""

from oversmooth.core.papers import Paper
from oversmooth.mitigations.frequencies import high
from oversmooth.mitigations.parameters import number
from oversmooth.mitigations.registry import Mitigation, mitigation
from oversmooth.mitigations.sites import Sites, StatesPlace, Tensor

ORDER = 200


@mitigation(
    name="pairnorm",
    title="PairNorm",
    formula=r"x_i \leftarrow s\,\sqrt{n}\,\frac{x_i - \bar{x}}{\lVert X - \mathbf{1}\bar{x}^\top \rVert_F}",
    paper=Paper("Zhao & Akoglu", 2020, "PairNorm: Tackling Oversmoothing in GNNs", "https://arxiv.org/abs/1909.12223"),
    meant="training",
    causal_safe=False,
    position="output of every block",
    paper_position="output of every layer of a graph network",
    does="Takes the mean token away and brings the rest to a mean squared length of s².",
    caveat="The weights of a frozen model expect the mean and the scale that it takes away; a sentence vector that is "
    "the mean of all tokens becomes 0.",
)
class PairNorm(Mitigation):
    """Zhao & Akoglu 2020, on tokens instead of nodes.

    Where all tokens of a sequence are equal there is no length to scale: the result is not a number, and so missing.
    """

    scale: float = number(1.0, "Root mean squared length of a token afterwards.", low=0, high=100, low_open=True)

    def attach(self, sites: Sites) -> None:
        """Act on the output of the chosen blocks."""
        for layer in sites.layers():
            sites.block(layer, self._normalise)

    def _normalise(self, states: Tensor, _: StatesPlace) -> Tensor:
        centred = high(states, causal=False)
        return self.scale * centred / centred.square().sum(dim=1).mean().sqrt()
