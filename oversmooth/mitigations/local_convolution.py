"""Local convolution: fixed even weights on the neighbours in place of attention."""

from oversmooth.core.papers import Paper
from oversmooth.mitigations.masking import near
from oversmooth.mitigations.parameters import integer
from oversmooth.mitigations.registry import AttentionMitigation, mitigation
from oversmooth.mitigations.sites import AttentionPlace, Sites, Tensor

ORDER = 100


@mitigation(
    name="local_convolution",
    title="Local convolution",
    formula=r"A_{ij} \propto \begin{cases} 1 & |i - j| < w \\ 0 & \text{else} \end{cases}",
    paper=Paper(
        "Gao et al.", 2022, "AutoBERT-Zero: Evolving BERT Backbone from Scratch", "https://arxiv.org/abs/2107.07445"
    ),
    meant="training",
    causal_safe=True,
    position="attention matrices of every second block, beginning with the first",
    paper_position="convolution blocks between attention blocks, found by search",
    does="Replaces attention by the plain mean of the values of a token and its neighbours.",
    caveat="Its paper searches and trains whole models of convolution and attention; here the frozen values of a block "
    "go through a fixed kernel. Image patches are counted row by row.",
    excludes=(
        "no_diagonal",
        "attention_window",
        "attnscale",
        "gfsa",
        "centred_attention",
        "laplacian_heads",
        "attention_temperature",
        "shared_attention",
    ),
)
class LocalConvolution(AttentionMitigation):
    """The idea of Gao et al. 2022 on frozen weights; padding and the future carry no weight."""

    width: int = integer(
        3,
        "Values less than this many positions away are averaged; 1 is the token's own value.",
        low=1,
        high=8192,
        stops=(1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64),
    )

    def attach(self, sites: Sites) -> None:
        """Act on the attention matrices of the chosen blocks, or of every second one."""
        for layer in sites.layers(range(0, sites.depth, 2)):
            sites.attention(layer, "probabilities", self._replace)

    def _replace(self, attention: Tensor, place: AttentionPlace) -> Tensor:
        kept = (place.allowed & near(self.width, attention)).to(attention)
        return (kept / kept.sum(dim=-1, keepdim=True).clamp(min=1)).expand_as(attention)
