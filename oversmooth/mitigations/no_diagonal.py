"""Attention without its diagonal: no token attends to itself."""

from oversmooth.core.papers import Paper
from oversmooth.mitigations.masking import hide, near
from oversmooth.mitigations.registry import AttentionMitigation, mitigation
from oversmooth.mitigations.sites import AttentionPlace, Sites, Tensor

ORDER = 80

SHI_2021 = Paper(
    "Shi et al.",
    2021,
    "SparseBERT: Rethinking the Importance Analysis in Self-attention",
    "https://arxiv.org/abs/2102.12871",
)


@mitigation(
    name="no_diagonal",
    title="No diagonal",
    formula=r"S_{ii} = -\infty",
    paper=SHI_2021,
    meant="ablation",
    causal_safe=True,
    position="attention logits of every block",
    paper_position="attention logits of every block",
    does="Keeps every token from attending to itself, but for a token that may see nothing else.",
    caveat="Its paper finds the diagonal the least needed part of attention; it was not meant to make tokens less "
    "similar.",
)
class NoDiagonal(AttentionMitigation):
    """Shi et al. 2021; in causal models the first token sees itself alone, and goes on doing so."""

    def attach(self, sites: Sites) -> None:
        """Act on the attention logits of the chosen blocks."""
        for layer in sites.layers():
            sites.attention(layer, "logits", self._hide)

    def _hide(self, logits: Tensor, place: AttentionPlace) -> Tensor:
        diagonal = near(1, logits)
        others = place.allowed & ~diagonal
        return hide(logits, diagonal & others.any(dim=-1, keepdim=True))
