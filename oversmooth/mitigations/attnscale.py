"""AttnScale: the part of attention that is not uniform, made larger."""

from oversmooth.core.papers import Paper
from oversmooth.mitigations.parameters import number
from oversmooth.mitigations.registry import AttentionMitigation, mitigation
from oversmooth.mitigations.sites import AttentionPlace, Sites, Tensor

ORDER = 120

WANG_2022 = Paper(
    "Wang et al.",
    2022,
    "Anti-Oversmoothing in Deep Vision Transformers via the Fourier Domain Analysis",
    "https://arxiv.org/abs/2203.05962",
)


@mitigation(
    name="attnscale",
    title="AttnScale",
    formula=r"\hat{A} = A + \omega\,(A - U)",
    paper=WANG_2022,
    meant="training",
    causal_safe=True,
    position="attention matrices of every block",
    paper_position="attention matrices of every block, with ω learned for each head",
    does="Makes the part of each attention matrix that is not uniform larger (ω > 0) or smaller (ω < 0).",
    caveat="Its paper learns ω from 0, so it has no value to set; in all-MiniLM-L6-v2 a positive ω makes tokens more "
    "alike.",
)
class AttnScale(AttentionMitigation):
    """Wang et al. 2022, with the uniform attention over the allowed keys instead of 1/n."""

    omega: float = number(-0.3, "Added weight of the part that is not uniform.", low=-1, high=2, neutral=0.0)

    def attach(self, sites: Sites) -> None:
        """Act on the attention matrices of the chosen blocks."""
        for layer in sites.layers():
            sites.attention(layer, "probabilities", self._scale)

    def _scale(self, attention: Tensor, place: AttentionPlace) -> Tensor:
        return attention + self.omega * (attention - place.uniform)
