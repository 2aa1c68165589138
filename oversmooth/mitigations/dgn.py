"""Differentiable group normalisation, with groups found in texts instead of learned ones."""

import numpy as np
from numpy.typing import NDArray

from oversmooth.core.papers import Paper
from oversmooth.core.wording import count
from oversmooth.mitigations.clusters import centres
from oversmooth.mitigations.parameters import integer, number
from oversmooth.mitigations.registry import Mitigation, mitigation
from oversmooth.mitigations.sites import OnStates, Sites, StatesPlace, Tensor

ORDER = 70

EPSILON = 1e-5
"""Added to a variance, as batch normalisation does."""
RESOLUTION = 2.0**-48
"""Below this share of the squared length, a squared distance is rounding of float32."""


@mitigation(
    name="dgn",
    title="DGN (calibrated)",
    formula=r"X + \lambda \sum_g \frac{S_g \circ X - \mu_g}{\sigma_g},\quad S = \mathrm{softmax}(XU + b)",
    paper=Paper(
        "Zhou et al.",
        2020,
        "Towards Deeper Graph Neural Networks with Differentiable Group Normalization",
        "https://arxiv.org/abs/2006.06972",
    ),
    meant="training",
    causal_safe=False,
    position="output of every block",
    paper_position="output of every layer of a graph network",
    does="Sorts tokens softly into groups and adds each group's share of a token, normalised within the group.",
    caveat="Its paper learns the groups; here k-means finds them in the states that the unchanged model has on the "
    "measured texts.",
)
class DGN(Mitigation):
    """Zhou et al. 2020, calibrated: assignment and statistics come from texts, gain 1 and offset 0 stay untrained.

    With k-means centres c_g and the mean squared distance T of a token to its centre, the assignment is
    S_g ∝ exp(−‖x − c_g‖² / 2T): the paper's softmax(XU + b) with U_g = c_g / T and b_g = −‖c_g‖² / 2T.
    """

    groups: int = integer(10, "Number of groups of tokens.", low=1, high=256)
    strength: float = number(
        0.005, "Weight λ of what is added.", low=0, high=1, paper=0.01, neutral=0.0,
        stops=(0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1),
    )  # fmt: skip

    def attach(self, sites: Sites) -> None:
        """Calibrate each chosen block's output, and act on it."""
        for layer in sites.layers():
            sample = sites.sample(layer)
            tokens = sample.cpu().double().numpy()
            sites.require(bool(np.isfinite(tokens).all()), f"block {layer} gives infinite values for the texts")
            sites.require(
                self.groups <= len(tokens),
                f"the texts have {count(len(tokens), 'token')}, which do not make {count(self.groups, 'group')}",
            )
            groups, spread = centres(tokens, self.groups)
            sites.require(
                spread > RESOLUTION * np.square(tokens).sum(axis=1).mean(),
                f"{count(self.groups, 'group')} of the texts' {count(len(tokens), 'token')} leave no two different "
                f"tokens in one group at block {layer}",
            )
            sites.block(layer, self._normaliser(tokens, groups, spread, sample))

    def _normaliser(
        self, tokens: NDArray[np.float64], groups: NDArray[np.float64], spread: float, like: Tensor
    ) -> OnStates:
        """The function of one block, its statistics as tensors like the given one."""
        direction, offset = groups.T / spread, -np.square(groups).sum(axis=1) / (2 * spread)
        logits = tokens @ direction + offset
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        # Over the tokens, of each group's share S_g ∘ X of them, dimension by dimension: (group, dim).
        mean = shares.T @ tokens / len(tokens)
        variance = np.square(shares).T @ np.square(tokens) / len(tokens) - np.square(mean)
        gain = 1 / np.sqrt(variance.clip(min=0) + EPSILON)
        U, b, inverse, constant = map(like.new_tensor, (direction, offset, gain, (mean * gain).sum(axis=0)))

        def normalise(states: Tensor, _: StatesPlace) -> Tensor:
            assignment = (states @ U + b).softmax(dim=1)
            return states + self.strength * (states * (assignment @ inverse) - constant)

        return normalise
