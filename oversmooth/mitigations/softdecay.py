"""SoftDecay: large singular values of a sequence's tokens pressed together."""

import math

from oversmooth.core.errors import MitigationError
from oversmooth.metrics.similarity import YAN
from oversmooth.mitigations.parameters import number, switch, where
from oversmooth.mitigations.registry import Mitigation, mitigation
from oversmooth.mitigations.sites import Sites, StatesPlace, Tensor

ORDER = 10

STOPS = (0, -1e-4, -2e-4, -5e-4, -1e-3, -2e-3, -5e-3, -0.01, -0.02, -0.05, -0.1, -0.2, -0.4, -0.6, -0.8, -0.9)


@mitigation(
    name="softdecay",
    title="SoftDecay",
    formula=r"X + \beta\,(U\,\mathrm{diag}(K f(\sigma))\,V^\top - X),\quad "
    r"f(\sigma) = -\tfrac{1}{\alpha}\ln(1 - \alpha(\sigma + \alpha)),\quad K = \sigma_1 / f(\sigma_1)",
    paper=YAN,
    meant="inference",
    causal_safe=False,
    position="output of the last block",
    paper_position="last block, before its last norm",
    does="Presses the singular values of a sequence together and keeps the largest one and all singular directions.",
    caveat="Depends on the scale of the states, and turns the sign of directions with a singular value below |α|; at "
    "where=paper the paper's code adds the branch's input once more before the norm, which is left out here, and takes "
    "padding into the decomposition; for sentence similarity it transforms the pooled vectors of a whole data set.",
)
class SoftDecay(Mitigation):
    """Yan et al. 2022, on the tokens of one sequence, blended with the unchanged states."""

    alpha: float = number(
        -0.6, "How strongly large singular values decay; 0 changes nothing.",
        low=-1, high=0, low_open=True, neutral=0.0, stops=STOPS,
    )  # fmt: skip
    blend: float = number(
        0.2, "Weight β of the transformed states; the rest stays as it was.", low=0, high=1, paper=1.0, neutral=0.0
    )
    safe: bool = switch(False, "Whether singular values that would turn negative become 0; not in the paper.")
    where: str = where(
        "“default” is the output of the block; “paper” is what its last norm reads, where a norm follows the MLP."
    )

    def attach(self, sites: Sites) -> None:
        """Act on the output of the last block, or what its last norm reads."""
        for layer in sites.layers((sites.depth - 1,)):
            if self.where == "paper" and sites.post_norm:
                sites.before_norm(layer, "mlp", self._blend)
            else:
                sites.block(layer, self._blend)

    def _blend(self, states: Tensor, place: StatesPlace) -> Tensor:
        import torch

        if self.alpha == 0 or self.blend == 0:
            return states
        if not states.isfinite().all():
            return states.new_full(states.shape, math.nan)
        # On the CPU: not every accelerator has float64, and none decomposes small matrices faster.
        exact = states.to("cpu", torch.float64)
        left, values, right = torch.linalg.svd(exact, full_matrices=False)
        if values[0] <= -self.alpha:
            raise MitigationError(
                f"softdecay: at block {place.layer} the largest singular value of a text is {float(values[0]):.3g}, "
                f"and the formula holds above |alpha| = {-self.alpha:g} only: take an alpha nearer to 0."
            )
        changed = left * self._decayed(values) @ right
        blended: Tensor = exact + self.blend * (changed - exact)
        return blended.to(states)

    def _decayed(self, values: Tensor) -> Tensor:
        """K f(σ) of singular values in descending order: (component)."""
        decayed = (-self.alpha * (values + self.alpha)).log1p() / -self.alpha
        decayed = decayed * (values[0] / decayed[0])
        return decayed.clamp(min=0) if self.safe else decayed
