"""Differentiable group normalisation, with groups found in texts instead of learned ones."""

import numpy as np
from numpy.typing import NDArray

from oversmooth.core.papers import Paper
from oversmooth.core.wording import count
from oversmooth.mitigations.parameters import integer, number
from oversmooth.mitigations.registry import Mitigation, mitigation
from oversmooth.mitigations.sites import OnStates, Sites, StatesPlace, Tensor

ORDER = 70

EPSILON = 1e-5
"""Added to a variance, as batch normalisation does."""
RESOLUTION = 2.0**-48
"""Below this share of the squared length, a squared distance is rounding of float32."""

Matrix = NDArray[np.float64]
ROUNDS = 100
"""More than k-means takes to settle on a few thousand tokens; it only has to be good, not optimal."""


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

    def _normaliser(self, tokens: Matrix, groups: Matrix, spread: float, like: Tensor) -> OnStates:
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


def centres(tokens: Matrix, groups: int) -> tuple[Matrix, float]:
    """Centres of groups by k-means (Lloyd's algorithm), the same in every run.

    Starts from the token nearest to the mean, then always the token farthest from all centres. Of tokens (token, dim),
    at least as many as groups, the centres (group, dim) and the mean squared distance of a token to its own.
    """
    found = _start(tokens, groups)
    own = np.full(len(tokens), -1)
    for _ in range(ROUNDS):
        nearest = squared_distances(tokens, found).argmin(axis=1)
        if np.array_equal(nearest, own):
            break
        own = nearest
        for group in np.unique(own):  # One that lost all its tokens keeps its centre.
            found[group] = tokens[own == group].mean(axis=0)
    return found, float(np.square(tokens - found[own]).sum(axis=1).mean())


def squared_distances(tokens: Matrix, to: Matrix) -> Matrix:
    """‖x − c‖² of every token to every centre: (token, group)."""
    lengths = np.square(tokens).sum(axis=1)[:, None] + np.square(to).sum(axis=1)
    distances: Matrix = (lengths - 2 * tokens @ to.T).clip(min=0)
    return distances


def _start(tokens: Matrix, groups: int) -> Matrix:
    first = squared_distances(tokens, tokens.mean(axis=0)[None]).argmin()
    chosen = [first]
    nearest = np.full(len(tokens), np.inf)
    while len(chosen) < groups:
        nearest = np.minimum(nearest, squared_distances(tokens, tokens[chosen[-1]][None])[:, 0])
        chosen.append(nearest.argmax())
    return tokens[chosen].copy()
