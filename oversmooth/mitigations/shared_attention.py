"""Shared attention: a run of blocks with the attention matrices of its first."""

from oversmooth.core.errors import MitigationError
from oversmooth.metrics.similarity import SHI
from oversmooth.mitigations.parameters import integer
from oversmooth.mitigations.registry import AttentionMitigation, mitigation
from oversmooth.mitigations.sites import AttentionPlace, Sites, Tensor

ORDER = 190


@mitigation(
    name="shared_attention",
    title="Shared attention",
    formula=r"A^{\ell} = A^{\mathrm{first}}, \qquad \mathrm{first} < \ell \le \mathrm{last}",
    paper=SHI,
    meant="ablation",
    causal_safe=True,
    position="attention matrices of a run of blocks",
    paper_position="attention matrices of a run of blocks that ends with the last",
    does="Gives a run of blocks the attention matrices of its first block, head by head.",
    caveat="Its paper trains with it and shares in the late blocks, whose attention matrices resemble each other most; "
    "on frozen weights it shows how much of a block's work depends on its own attention.",
    excludes=(
        "no_diagonal",
        "attention_window",
        "local_convolution",
        "attnscale",
        "gfsa",
        "centred_attention",
        "laplacian_heads",
        "attention_temperature",
    ),
)
class SharedAttention(AttentionMitigation):
    """Shi et al. 2022; ``layers`` narrows which blocks of the run take the matrices over."""

    first: int = integer(0, "Block that gives its attention matrices, counted from 0.", low=0, high=1000)
    last: int = integer(1, "Last block that takes them over; the same as the first changes nothing.", low=0, high=1000)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.first > self.last:
            raise MitigationError(
                f"shared_attention: the run begins with block {self.first} and ends before it, with block {self.last}."
            )

    def attach(self, sites: Sites) -> None:
        """Keep the matrices of the first block of the run, and put them into the later ones."""
        sites.require_block(self.last)
        sites.attention(self.first, "probabilities", self._keep, every_head=True)
        run = range(self.first + 1, self.last + 1)
        for layer in sites.layers(run):
            sites.require(layer in run, f"block {layer} is not one that takes over, from {run.start} to {self.last}")
            sites.attention(layer, "probabilities", self._take_over)

    def _keep(self, attention: Tensor, place: AttentionPlace) -> Tensor:
        place.memory[self] = attention
        return attention

    def _take_over(self, _: Tensor, place: AttentionPlace) -> Tensor:
        kept: Tensor = place.memory[self]
        return kept
