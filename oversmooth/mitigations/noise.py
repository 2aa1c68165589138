"""Noise: a control that makes tokens differ without adding anything they mean."""

import numpy as np

from oversmooth.mitigations.frequencies import counts, high
from oversmooth.mitigations.parameters import integer, number
from oversmooth.mitigations.registry import Mitigation, mitigation
from oversmooth.mitigations.sites import Sites, StatesPlace, Tensor

ORDER = 280


@mitigation(
    name="noise",
    title="Noise (control)",
    formula=r"X + \rho\,\frac{\lVert X - \mathbf{1}\bar{x}^\top \rVert_F}{\sqrt{nd}}\,N,"
    r"\quad N_{ij} \sim \mathcal{N}(0, 1)",
    paper=None,
    meant="control",
    causal_safe=True,
    position="output of every block",
    paper_position="not from a paper",
    does="Adds Gaussian noise whose size is a share ρ of what differs between the tokens.",
    caveat="A control: it knows nothing of the text, so the differences that it adds mean nothing.",
)
class Noise(Mitigation):
    """Isotropic noise, the same for one seed, block and position, whatever the text or the device."""

    ratio: float = number(
        0.1, "Root mean square of the noise, as a share of that of the tokens without their mean.",
        low=0, high=10, neutral=0.0,
    )  # fmt: skip
    seed: int = integer(0, "Of the random numbers: another one gives other noise of the same size.", low=0, high=2**32)

    def attach(self, sites: Sites) -> None:
        """Act on the output of the chosen blocks."""
        for layer in sites.layers():
            sites.block(layer, self._add)

    def _add(self, states: Tensor, place: StatesPlace) -> Tensor:
        # Drawn token by token, so that a longer text begins with the noise of a shorter one.
        drawn = np.random.default_rng((self.seed, place.layer)).standard_normal(tuple(states.shape))
        return states + self.ratio * _spread(states, causal=place.causal) * states.new_tensor(drawn)


def _spread(states: Tensor, *, causal: bool) -> Tensor:
    """‖HC(X)‖_F / √(nd): one number, or (token, 1) in a causal model, as if the text ended with each token."""
    energy = high(states, causal=causal).square().mean(dim=1, keepdim=True)
    if not causal:
        return energy.mean().sqrt()
    seen = counts(states)
    # What the i-th token adds to the spread about the mean is i/(i−1) of its squared distance to the mean it is part of
    # (Welford); the first adds nothing.
    return ((energy * seen / (seen - 1).clamp(min=1)).cumsum(dim=0) / seen).sqrt()
