"""Laplacian heads: some heads give how a token differs from what it attends to."""

import math

from oversmooth.core.papers import Paper
from oversmooth.mitigations.parameters import number
from oversmooth.mitigations.registry import AttentionMitigation, mitigation
from oversmooth.mitigations.sites import AttentionPlace, Sites, Tensor

ORDER = 170


@mitigation(
    name="laplacian_heads",
    title="Laplacian heads",
    formula=r"\hat{A} = I - A",
    paper=Paper(
        "Zhang & Papyan",
        2026,
        "Laplacian Heads Improve Transformers by Smoothing Token Representations",
        "https://arxiv.org/abs/2602.09297",
    ),
    meant="training",
    causal_safe=True,
    position="attention matrices of the first heads of every block",
    paper_position="attention matrices of some heads of every block",
    does="Has a fraction of the heads give V − AV, how a token differs from what it attends to, instead of AV.",
    caveat="Its paper trains with it; on frozen weights these heads pass on what they did before with the sign turned, "
    "and the token's own values.",
)
class LaplacianHeads(AttentionMitigation):
    """Zhang & Papyan 2026; of the heads (of those chosen, where some are) the first ones."""

    fraction: float = number(
        0.17,
        "Fraction of the heads, rounded to whole heads but to one at least; the first ones are taken.",
        low=0,
        high=1,
        neutral=0.0,
    )

    def attach(self, sites: Sites) -> None:
        """Act on the attention matrices of the chosen blocks."""
        for layer in sites.layers():
            sites.attention(layer, "probabilities", self._subtract)

    def _subtract(self, attention: Tensor, _: AttentionPlace) -> Tensor:
        import torch

        heads = self._chosen(attention.shape[1])
        identity = torch.eye(attention.shape[-1], dtype=attention.dtype, device=attention.device)
        changed = attention.clone()
        changed[:, heads] = identity - attention[:, heads]
        return changed

    def _chosen(self, total: int) -> list[int]:
        heads = list(range(total) if self.heads is None else self.heads)
        if self.fraction == 0:
            return []
        return heads[: max(1, math.floor(self.fraction * len(heads) + 0.5))]
