"""Attention temperature: sharper or flatter attention, and nothing else."""

from oversmooth.mitigations.masking import seen
from oversmooth.mitigations.parameters import number
from oversmooth.mitigations.registry import AttentionMitigation, mitigation
from oversmooth.mitigations.sites import AttentionPlace, Sites, Tensor

ORDER = 180


@mitigation(
    name="attention_temperature",
    title="Attention temperature",
    formula=r"A = \operatorname{softmax}\!\left(\beta\,\frac{QK^{\top}}{\sqrt{d_h}}\right)",
    paper=None,
    meant="control",
    causal_safe=True,
    position="attention logits of every block",
    paper_position="none: a control",
    does="Multiplies the attention logits: above 1 attention gets sharper, below flatter, and at 0 it is uniform.",
    caveat="A control: where another method does no more than this, sharper or flatter attention explains it.",
)
class AttentionTemperature(AttentionMitigation):
    """Inverse temperature of the softmax; masked keys stay masked at every value."""

    beta: float = number(2.0, "Factor β of the logits, an inverse temperature.", low=0, high=100, neutral=1.0)

    def attach(self, sites: Sites) -> None:
        """Act on the attention logits of the chosen blocks."""
        for layer in sites.layers():
            sites.attention(layer, "logits", self._sharpen)

    def _sharpen(self, logits: Tensor, place: AttentionPlace) -> Tensor:
        # Masked logits are the lowest number or −∞: a factor would overflow them or, at 0, unmask them.
        return logits.where(~seen(logits, place), self.beta * logits)
