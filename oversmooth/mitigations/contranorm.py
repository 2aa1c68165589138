"""ContraNorm: each token pushed away from the tokens it resembles."""

import math

from oversmooth.core.papers import Paper
from oversmooth.mitigations.parameters import number, where
from oversmooth.mitigations.registry import Mitigation, mitigation
from oversmooth.mitigations.sites import Sites, StatesPlace, Tensor

ORDER = 140


@mitigation(
    name="contranorm",
    title="ContraNorm",
    formula=r"X + s\,(X - \mathrm{softmax}(\hat{X}\hat{X}^\top / \tau)\,X),\quad "
    r"\hat{x}_i = x_i / \lVert x_i \rVert",
    paper=Paper(
        "Guo et al.",
        2023,
        "ContraNorm: A Contrastive Learning Perspective on Oversmoothing and Beyond",
        "https://arxiv.org/abs/2303.06562",
    ),
    meant="training",
    causal_safe=True,
    position="output of every block",
    paper_position="after attention was added, before the norm that follows",
    does="Moves each token away from an average of the tokens, weighted by how alike they are to it.",
    caveat="At τ = 1 the weights are nearly equal, so it acts almost as the high-frequency gain of the same size; "
    "the paper's code for BERT lets padding take part, which is left out here.",
)
class ContraNorm(Mitigation):
    """Guo et al. 2023; in a causal model each token is compared with itself and earlier ones only."""

    scale: float = number(0.05, "How far tokens are moved.", low=0, high=1, paper=0.1, neutral=0.0)
    temperature: float = number(
        1.0, "Of the softmax over cosines; a low one compares a token with its nearest ones only.",
        low=0.01, high=100, stops=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 100),
    )  # fmt: skip
    where: str = where("“default” is the output of the block; “paper” is what the norm after attention reads.")

    def attach(self, sites: Sites) -> None:
        """Act on the output of the chosen blocks, or what the norm after their attention reads."""
        for layer in sites.layers():
            if self.where == "paper":
                sites.before_norm(layer, "attention", self._contrast)
            else:
                sites.block(layer, self._contrast)

    def _contrast(self, states: Tensor, place: StatesPlace) -> Tensor:
        lengths = states.square().sum(dim=1, keepdim=True).sqrt()
        directions = states / lengths.clamp(min=1e-12)  # A token of length 0 is like no other.
        logits = directions @ directions.T / self.temperature
        if place.causal:
            later = logits.new_ones(logits.shape).triu(diagonal=1).bool()
            logits = logits.masked_fill(later, -math.inf)
        return states + self.scale * (states - logits.softmax(dim=1) @ states)
