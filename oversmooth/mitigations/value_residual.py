"""Value residual: the values of every block, in part those of the first."""

from oversmooth.core.papers import Paper
from oversmooth.mitigations.neutreno import difference, keep
from oversmooth.mitigations.parameters import number
from oversmooth.mitigations.registry import AttentionMitigation, mitigation
from oversmooth.mitigations.sites import AttentionPlace, Sites, Tensor

ORDER = 110


@mitigation(
    name="value_residual",
    title="Value residual (ResFormer)",
    formula=r"V^{\ell} \leftarrow V^{\ell} + \lambda\,(V^{0} - V^{\ell}), \qquad \ell \ge 1",
    paper=Paper("Zhou et al.", 2025, "Value Residual Learning", "https://arxiv.org/abs/2410.17897"),
    meant="training",
    causal_safe=True,
    position="values of every head, before they are mixed, from the second block on",
    paper_position="values of every head, before they are mixed, from the second block on",
    does="Replaces a part λ of every block's values by those of the first block; λ = 1 is the paper's SVFormer.",
    caveat="Its paper trains with it; on frozen weights the values of two blocks have no common basis unless the "
    "blocks share weights.",
)
class ValueResidual(AttentionMitigation):
    """Zhou et al. 2025 with one weight for all blocks; the first block stays as it is at every strength."""

    strength: float = number(
        0.1, "Part λ of the values that is taken from the first block.", low=0, high=1, paper=0.5, neutral=0.0
    )

    def attach(self, sites: Sites) -> None:
        """Keep the values of the first block, and change those of the chosen ones."""
        keep(self, sites)
        for layer in sites.layers(range(1, sites.depth)):
            sites.attention(layer, "values", self._blend)

    def _blend(self, values: Tensor, place: AttentionPlace) -> Tensor:
        return values + self.strength * difference(self, values, place)
