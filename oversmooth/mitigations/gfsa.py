"""GFSA: a matrix polynomial of attention, with its highest power to first order."""

from oversmooth.core.papers import Paper
from oversmooth.mitigations.parameters import integer, number
from oversmooth.mitigations.registry import AttentionMitigation, mitigation
from oversmooth.mitigations.sites import AttentionPlace, Sites, Tensor

ORDER = 150


@mitigation(
    name="gfsa",
    title="GFSA",
    formula=r"\hat{A} = A + w_K\,\bigl[A + (K - 1)(A^2 - A)\bigr]",
    paper=Paper(
        "Choi et al.",
        2024,
        "Graph Convolutions Enrich the Self-Attention in Transformers!",
        "https://arxiv.org/abs/2312.04234",
    ),
    meant="training",
    causal_safe=True,
    position="attention matrices of every block",
    paper_position="attention matrices of every block, or of every second one, with learned weights for each head",
    does="Adds a multiple of the K-th power of each attention matrix, taken to first order from A and A²; a negative "
    "weight takes it away.",
    caveat="Its paper learns the weights of I, A and the power, which here are 0, 1 and w; the power is extrapolated "
    "from A and A², so it is not the true one beyond K = 2.",
)
class GFSA(AttentionMitigation):
    """Choi et al. 2024 with the weights of I and A at 0 and 1; the rows then sum to 1 + w."""

    weight: float = number(-0.2, "Weight w of the power.", low=-1, high=1, neutral=0.0)
    order: int = integer(3, "Power K that is extrapolated; at 1 it is A itself.", low=1, high=10)

    def attach(self, sites: Sites) -> None:
        """Act on the attention matrices of the chosen blocks."""
        for layer in sites.layers():
            sites.attention(layer, "probabilities", self._filter)

    def _filter(self, attention: Tensor, _: AttentionPlace) -> Tensor:
        # The formula's terms gathered by power of A: each pass over the matrices costs as much as their product.
        second = self.weight * (self.order - 1)
        return (1 + self.weight - second) * attention + second * (attention @ attention)
