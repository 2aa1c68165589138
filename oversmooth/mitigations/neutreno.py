"""NeuTRENO: the mixed values are drawn back to the values of the first layer."""

from oversmooth.core.errors import MitigationError
from oversmooth.core.papers import Paper
from oversmooth.mitigations.parameters import number
from oversmooth.mitigations.registry import AttentionMitigation, Mitigation, mitigation
from oversmooth.mitigations.sites import AttentionPlace, Sites, Tensor

ORDER = 30

NGUYEN_2023 = Paper(
    "Nguyen et al.",
    2023,
    "Mitigating Over-smoothing in Transformers via Regularized Nonlocal Functionals",
    "https://arxiv.org/abs/2312.00751",
)


@mitigation(
    name="neutreno",
    title="NeuTRENO",
    formula=r"U^{\ell} = A^{\ell} V^{\ell} + \lambda\,(V^{0} - V^{\ell}), \qquad \ell \ge 1",
    paper=NGUYEN_2023,
    meant="training",
    causal_safe=True,
    position="mixed values of every head, from the second block on",
    paper_position="mixed values of every head, from the second block on",
    does="Adds to the mixed values of each token how far its values have moved from those of the first block.",
    caveat="Its paper trains with it, at 0.4 in language models and 0.6 in vision transformers; on frozen weights the "
    "values of two blocks have no common basis unless the blocks share weights.",
)
class NeuTRENO(AttentionMitigation):
    """Nguyen et al. 2023; the first block stays as it is at every strength."""

    strength: float = number(
        0.05, "Weight λ of the difference to the first block's values.", low=0, high=1, paper=0.4, neutral=0.0
    )

    def attach(self, sites: Sites) -> None:
        """Keep the values of the first block, and add to the mixed values of the chosen ones."""
        keep(self, sites)
        for layer in sites.layers(range(1, sites.depth)):
            sites.attention(layer, "mixed", self._draw_back)

    def _draw_back(self, mixed: Tensor, place: AttentionPlace) -> Tensor:
        assert place.values is not None  # noqa: S101  known where they are mixed
        return mixed + self.strength * difference(self, place.values, place)


def keep(method: Mitigation, sites: Sites) -> None:
    """Have the values of the first block kept in every pass, for :func:`difference`, where they can be reached."""

    def remember(values: Tensor, place: AttentionPlace) -> Tensor:
        place.memory[method] = values
        return values

    sites.attention(0, "values", remember, every_head=True)


def difference(method: Mitigation, values: Tensor, place: AttentionPlace) -> Tensor:
    """V⁰ − V: (batch, head, token, head dim); refused where the heads of this block are not those of the first."""
    first: Tensor = place.memory[method]
    if first.shape != values.shape:
        raise MitigationError(
            f"{method.declaration.name}: block {place.layer} has other heads than the first block, so their values "
            "have no difference."
        )
    return first - values
