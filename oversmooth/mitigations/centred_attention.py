"""Centred attention: uniform attention taken away from every attention matrix."""

from oversmooth.core.papers import Paper
from oversmooth.mitigations.parameters import number
from oversmooth.mitigations.registry import AttentionMitigation, mitigation
from oversmooth.mitigations.sites import AttentionPlace, Sites, Tensor

ORDER = 160


@mitigation(
    name="centred_attention",
    title="Centred attention",
    formula=r"\hat{A} = A - \kappa\,U",
    paper=Paper("Ali et al.", 2023, "Centered Self-Attention Layers", "https://arxiv.org/abs/2306.01610"),
    meant="training",
    causal_safe=True,
    position="attention matrices of every block",
    paper_position="attention matrices of every block, with κ = 1",
    does="Takes a part κ of the mean of the values that a token may see away from what its attention gives it.",
    caveat="On frozen weights small values keep close to the model; at κ = 1 attention passes nothing on that all "
    "tokens have in common.",
)
class CentredAttention(AttentionMitigation):
    """Ali et al. 2023, with the uniform attention over the allowed keys instead of 1/n; the rows then sum to 1 − κ."""

    kappa: float = number(0.2, "Part κ of uniform attention that is taken away.", low=0, high=1, paper=1.0, neutral=0.0)

    def attach(self, sites: Sites) -> None:
        """Act on the attention matrices of the chosen blocks."""
        for layer in sites.layers():
            sites.attention(layer, "probabilities", self._centre)

    def _centre(self, attention: Tensor, place: AttentionPlace) -> Tensor:
        return attention - self.kappa * place.uniform
