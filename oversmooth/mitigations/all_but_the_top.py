"""All-but-the-top: the mean and the strongest directions of a set of texts taken away."""

import numpy as np

from oversmooth.core.papers import Paper
from oversmooth.core.wording import count
from oversmooth.mitigations.parameters import integer
from oversmooth.mitigations.registry import Mitigation, mitigation
from oversmooth.mitigations.sites import OnStates, Sites, StatesPlace, Tensor

ORDER = 240


@mitigation(
    name="all_but_the_top",
    title="All-but-the-top",
    formula=r"(X - \mathbf{1}\mu^\top)(I - V_k V_k^\top)",
    paper=Paper(
        "Mu & Viswanath",
        2018,
        "All-but-the-Top: Simple and Effective Postprocessing for Word Representations",
        "https://arxiv.org/abs/1702.01417",
    ),
    meant="inference",
    causal_safe=False,
    position="output of the last block",
    paper_position="static word vectors",
    does="Takes away the mean μ of all tokens of the texts, and the k directions V in which they vary most.",
    caveat="Calibrated on the measured texts, so that the mean of all their tokens becomes 0; where there is one text, "
    "that mean is its sentence vector.",
)
class AllButTheTop(Mitigation):
    """Mu & Viswanath 2018, on the tokens of texts instead of the vectors of a vocabulary."""

    components: int = integer(
        1, "Number k of directions that are taken away; 0 takes the mean away only.", low=0, high=512
    )

    def attach(self, sites: Sites) -> None:
        """Calibrate the output of the last block, and act on it."""
        for layer in sites.layers((sites.depth - 1,)):
            sites.block(layer, self._projection(sites, layer))

    def _projection(self, sites: Sites, layer: int) -> OnStates:
        sample = sites.sample(layer)
        tokens = sample.cpu().double().numpy()
        sites.require(bool(np.isfinite(tokens).all()), f"block {layer} gives infinite values for the texts")
        # All directions taken away would leave nothing but rounding.
        bound = min(len(tokens) - 1, tokens.shape[1])
        sites.require(
            self.components < bound,
            f"the {count(len(tokens), 'token')} of the texts vary in {count(bound, 'direction')} at most, so fewer "
            f"than {bound} can be taken away, not {self.components}",
        )
        centre = tokens.mean(axis=0)
        _, _, directions = np.linalg.svd(tokens - centre, full_matrices=False)
        mean, top = sample.new_tensor(centre), sample.new_tensor(directions[: self.components])

        def project(states: Tensor, _: StatesPlace) -> Tensor:
            centred = states - mean
            return centred - centred @ top.T @ top

        return project
