"""What a family of architectures declares about itself, and the list of all of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from oversmooth.core.plugins import Plugin, Registry

if TYPE_CHECKING:
    from torch.nn import Module
    from transformers import PreTrainedModel as PreTrainedModel
else:
    Module = PreTrainedModel = Any  # families are declared without torch

GlobalAttention = Literal["first", "question", "choice"]
"""Which tokens of a sparse attention see all others and are seen by them: the first one; of a pair, the first text with
what stands before it; of a pair, the second text with what stands behind it."""
Layout = Literal["own", "thirds", "per_head"]
"""How the values leave the projection: on their own, as the last third beside queries and keys, or beside the queries
and keys of each head in turn."""
Blocks = tuple[tuple[Module, ...], Module]
"""The blocks in order, and the module that holds their list."""


@dataclass(frozen=True)
class Parts:
    """Names inside a block."""

    middle_norm: str | None
    """The norm between attention and MLP: its input is the stream after attention, its output what the MLP reads. None
    where there is no such norm."""
    end_norm: str | None = None
    """Post-norm families: the norm after the MLP was added. Pre-norm families have none; there the block ends."""
    start_norm: str | None = None
    """Pre-norm families: the norm before attention."""
    mlp_norm: str | None = None
    """Parallel families: the norm before the MLP, where attention and MLP do not share one."""
    attention: str | None = None
    """The module whose output is the attention branch, just before it is added to the residual stream."""
    mlp: str | None = None
    """The same of the MLP branch."""
    mlp_first: str | None = None
    """Post-norm families: the MLP's first matrix, where it has two with an activation between them. ``mlp`` is the
    second."""
    value: str | None = None
    """The projection that gives the values; its input is what attention reads. None where attention is not reached."""
    layout: Layout = "own"
    projection: str | None = None
    """The projection that the mixed values go through, where it is not ``attention`` itself."""
    middle: str | None = None
    """Families with norms on their branches alone: the module that reads the stream after attention. Where there is
    neither, attention and MLP run in parallel."""


@dataclass(frozen=True)
class Family:
    """What is particular to the architectures of one or several values of ``model_type``."""

    parts: Parts | Callable[[Any], Parts | None] | None = None
    """Names inside a block, or a function of the configuration where that chooses between forms. None where they are
    not known."""
    blocks: Callable[[PreTrainedModel, int], Blocks] | None = None
    """How a network of so many layers is taken apart, where its blocks are no list of that length."""
    final_norm_on_pooled: bool = False
    """Whether the last norm sees only the pooled vector, so that it is no point of the tokens."""
    downsampled: bool = False
    """Whether blocks see groups of tokens, of which none is a token of the text."""
    time_first: bool = False
    """Whether blocks see (token, batch, dim) instead of (batch, token, dim)."""
    head_ratio: str | None = None
    """The configuration's switch that makes the heads fewer by this factor: convolutions do their part."""
    only_with_images: str | None = None
    """The configuration's list of layers that text alone passes by."""
    global_attention: Mapping[str, GlobalAttention] = field(default_factory=dict)
    """Heads of transformers that choose tokens for global attention where nobody does. The others choose none."""


_UNKNOWN: Final = Family()
_REGISTRY: Registry[Family] = Registry(("family", "families"), "oversmooth.models.families", "oversmooth.families")


def family(*names: str, **about: Any) -> Family:  # noqa: ANN401  the fields of a family
    """Declare what is particular to architectures: their ``model_type``, and the fields of :class:`Family`.

    Raises:
        RuntimeError: where one of them is declared already.
    """
    declared = Family(**about)
    for name in names:
        _REGISTRY.add(name, declared)
    return declared


def get(name: str) -> Family:
    """What is declared of an architecture; of one that nobody declared, that nothing is particular."""
    return _REGISTRY.get(name, _UNKNOWN)


def names() -> tuple[str, ...]:
    """The architectures whose blocks are known inside."""
    return tuple(name for name, declared in _REGISTRY.items() if declared.parts is not None)


def plugin(name: str) -> Plugin | None:
    """The plug-in that declares an architecture; None where none does."""
    return _REGISTRY.plugin(name) if name in _REGISTRY else None
