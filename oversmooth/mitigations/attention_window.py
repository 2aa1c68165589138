"""Attention within a window: every token sees its neighbours alone."""

from oversmooth.mitigations.masking import hide, near
from oversmooth.mitigations.no_diagonal import SHI_2021
from oversmooth.mitigations.parameters import integer
from oversmooth.mitigations.registry import AttentionMitigation, mitigation
from oversmooth.mitigations.sites import AttentionPlace, Sites, Tensor

ORDER = 90


@mitigation(
    name="attention_window",
    title="Attention window",
    formula=r"S_{ij} = -\infty \quad \text{where } |i - j| \ge w",
    paper=SHI_2021,
    meant="ablation",
    causal_safe=True,
    position="attention logits of every block",
    paper_position="attention logits of every block, with masks that are learned or of a fixed pattern",
    does="Lets every token attend to itself and its neighbours only.",
    caveat="Special tokens see their neighbours only as well, though many models use them to look at the whole text; "
    "image patches are counted row by row.",
)
class AttentionWindow(AttentionMitigation):
    """One of the fixed masks of Shi et al. 2021; a text shorter than the window stays as it is."""

    # Not 1: without the diagonal as well, nothing would be left to see. A token alone is local_convolution:width=1.
    width: int = integer(
        8,
        "Keys less than this many positions away are seen, the token itself among them.",
        low=2,
        high=8192,
        stops=(2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512),
    )

    def attach(self, sites: Sites) -> None:
        """Act on the attention logits of the chosen blocks."""
        for layer in sites.layers():
            sites.attention(layer, "logits", self._hide)

    def _hide(self, logits: Tensor, _: AttentionPlace) -> Tensor:
        return hide(logits, ~near(self.width, logits))
