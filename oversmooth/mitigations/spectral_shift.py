"""Spectral shift: the eigenvalues of each head's value–output map, all moved by one number."""

from functools import partial

from oversmooth.core.papers import Paper
from oversmooth.mitigations.parameters import number
from oversmooth.mitigations.registry import AttentionMitigation, mitigation
from oversmooth.mitigations.sites import BranchPlace, Sites, Tensor

ORDER = 50

DOVONON_2024 = Paper(
    "Dovonon et al.",
    2024,
    "Setting the Record Straight on Transformer Oversmoothing",
    "https://arxiv.org/abs/2401.04301",
)


@mitigation(
    name="spectral_shift",
    title="Spectral shift",
    formula=r"\sum_h A_h X\,W_V^h W_O^h \;\to\; \sum_h A_h X \Bigl(W_V^h W_O^h - \frac{\kappa}{H}\,I\Bigr)",
    paper=DOVONON_2024,
    meant="ablation",
    causal_safe=True,
    position="attention branch of every block",
    paper_position="none: the paper parametrises the weights anew and trains with that",
    does="Lowers all eigenvalues of the value–output map of each of the H heads by κ/H.",
    caveat="An ablation inspired by the paper, not its method; the weights were trained with the spectrum they have.",
)
class SpectralShift(AttentionMitigation):
    """κ times the attention-weighted mean of what attention reads, averaged over heads, taken from the branch.

    X is what attention reads: after the norm before it in pre-norm families.
    """

    kappa: float = number(0.05, "Shift κ, shared equally by the heads.", low=-2, high=2, neutral=0.0)

    def attach(self, sites: Sites) -> None:
        """Act on the attention branch of the chosen blocks."""
        sites.require_circuits()
        anatomy = sites.anatomy
        for layer in sites.layers():
            sites.require(
                anatomy.circuits[layer].projection is anatomy.branches["attention"][layer],
                f"in the family “{anatomy.family}” a norm follows the heads' outputs, so no shift of their maps can be "
                "added to the branch",
            )
            sites.branch(layer, "attention", partial(self._shift, sites.heads()))

    def _shift(self, heads: tuple[int, ...], branch: Tensor, place: BranchPlace) -> Tensor:
        assert place.attention is not None and place.reads is not None  # noqa: PT018,S101  required in `attach`
        attention = place.attention[:, heads].sum(dim=1) / place.attention.shape[1]
        return branch - self.kappa * (attention @ place.reads)
