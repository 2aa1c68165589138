"""NeuTRENO re-projected: values drawn back to what this layer would make of the first layer's input."""

from functools import partial

from oversmooth.mitigations.neutreno import NGUYEN_2023
from oversmooth.mitigations.parameters import number
from oversmooth.mitigations.registry import AttentionMitigation, mitigation
from oversmooth.mitigations.sites import Anatomy, AttentionPlace, Sites, Tensor

ORDER = 40


@mitigation(
    name="neutreno_reprojected",
    title="NeuTRENO (re-projected)",
    formula=r"U^{\ell} = A^{\ell} V^{\ell} + \lambda\bigl(\operatorname{Norm}_\ell(X^{0}) W_V^{\ell} - V^{\ell}\bigr), "
    r"\ell \ge 1",
    paper=NGUYEN_2023,
    meant="inference",
    causal_safe=True,
    position="mixed values of every head, from the second block on",
    paper_position="mixed values of every head, from the second block on, with the first block's own values",
    does="Adds to the mixed values of each token how far they have moved from the values that this block would give "
    "the token as it entered the first block.",
    caveat="A variant of the paper's method: there the values come from the first block's weights, which frozen later "
    "blocks have no common basis with.",
)
class NeuTRENOReprojected(AttentionMitigation):
    """NeuTRENO with V⁰ = Norm(X⁰) W_V + b in the weights of the layer itself; the paper's where layers share weights.

    The norm is the layer's own before attention, in pre-norm families alone; X⁰ is what the first block reads.
    """

    strength: float = number(0.05, "Weight λ of the difference to the re-projected values.", low=0, high=1, neutral=0.0)

    def attach(self, sites: Sites) -> None:
        """Act on the mixed values of the chosen layers."""
        sites.require_circuits()
        for layer in sites.layers(range(1, sites.depth)):
            sites.attention(layer, "mixed", partial(self._draw_back, sites.anatomy))

    def _draw_back(self, anatomy: Anatomy, mixed: Tensor, place: AttentionPlace) -> Tensor:
        from oversmooth.models.circuit import normed, value_states

        assert place.values is not None and place.first_stream is not None  # noqa: PT018,S101  known within a layer
        first = value_states(anatomy, place.layer, normed(anatomy, place.layer, place.first_stream))
        return mixed + self.strength * (first - place.values)
