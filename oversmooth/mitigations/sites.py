"""Where a mitigation can act, and what it sees there. The intervention calls what is attached here."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol

from oversmooth.core.errors import MitigationError
from oversmooth.core.points import Branch
from oversmooth.core.wording import count
from oversmooth.mitigations.parameters import Indices

if TYPE_CHECKING:
    # By these names for the files of methods, which are declared without torch.
    from torch import Tensor as Tensor

    from oversmooth.models.anatomy import Anatomy as Anatomy
else:
    Anatomy = Tensor = Any

Stage = Literal["logits", "probabilities", "values", "mixed"]
"""Steps of attention, in order: before the softmax, after it, the values, and the values once they were mixed."""
Kind = Stage | Literal["attention", "mlp", "norm", "attention_norm_input", "mlp_norm_input", "block"]


class Memory(dict[Hashable, Any]):
    """What a method keeps from an earlier layer of the same forward pass; empty at its start.

    Keys are the method, or a tuple that begins with it.

    Raises:
        MitigationError: where a method asks for what it could not keep, since the pass went by that layer.
    """

    def __missing__(self, key: Hashable) -> Any:  # noqa: ANN401
        method: Any = key[0] if isinstance(key, tuple) else key
        name = method.declaration.name
        raise MitigationError(f"{name}: the block that it keeps something from was passed by, so it cannot act.")


@dataclass(frozen=True, eq=False)
class AttentionPlace:
    """One attention call."""

    layer: int
    allowed: Tensor
    """Whether a query may see a key: bool, broadcastable to (batch, head, query, key); padding and future are False."""
    values: Tensor | None
    """Values as they are mixed, repeated to all heads: (batch, head, token, head dim). None before they are known, and
    in families whose attention is reached only at its softmax."""
    memory: Memory
    first_stream: Tensor | None = None
    """What the first block read: (batch, token, dim)."""

    @cached_property
    def uniform(self) -> Tensor:
        """U: every query spreads its weight evenly over the keys it may see; rows sum to 1 (0 where it may see none).

        Not 1/n: that would put weight on padding and on the future.
        """
        allowed = self.allowed.float() if self.first_stream is None else self.allowed.to(self.first_stream.dtype)
        return allowed / allowed.sum(dim=-1, keepdim=True).clamp(min=1)


@dataclass(frozen=True, eq=False)
class BranchPlace:
    """The output of an attention or MLP branch, before it is added to the residual stream."""

    layer: int
    stream: Tensor
    """The residual stream that the branch will be added to: (batch, token, dim)."""
    attention: Tensor | None
    """A of this layer after all changes (batch, head, query, key); None for the MLP and where it is not reached."""
    reads: Tensor | None
    """What the attention read, after any norm before it (batch, token, dim); None where ``attention`` is None."""
    valid: Tensor
    """Which tokens are no padding: bool (batch, token)."""
    causal: bool
    """Whether the model is causal: a method with a causal form takes it then."""
    memory: Memory


@dataclass(frozen=True, eq=False)
class StatesPlace:
    """The states of one sequence at one point, padding left out."""

    layer: int
    sequence: int
    """Number of the sequence in its batch: part of the key of whatever is kept in ``memory``."""
    entered: Tensor
    """What the block read: (token, dim)."""
    causal: bool
    """Whether the model is causal: a method with a causal form takes it then."""
    memory: Memory


OnAttention = Callable[[Tensor, AttentionPlace], Tensor]
"""Takes and gives (batch, head, query, key) for logits and probabilities, (batch, head, token, head dim) for values."""
OnBranch = Callable[[Tensor, BranchPlace], Tensor]
"""Takes and gives (batch, token, dim)."""
OnStates = Callable[[Tensor, StatesPlace], Tensor]
"""Takes and gives (token, dim)."""


class ReadOut(Protocol):
    """Combines the outputs of the blocks into one further state; changes nothing in the model."""

    def fuse(self, states: Sequence[Tensor]) -> Tensor:
        """One state per token (batch, token, dim) from those of all blocks, in order."""


@dataclass(frozen=True, eq=False)
class Site:
    """One change at one place of one layer."""

    method: str
    layer: int
    kind: Kind
    change: Any
    heads: tuple[int, ...] | None = None


@dataclass(eq=False)
class Sites:
    """Collects what the methods of one intervention attach, in their order."""

    anatomy: Anatomy
    sampler: Callable[[int], Tensor] | None = None
    """Gives the tokens of the calibration texts at the output of a block, of the unchanged model."""
    found: list[Site] = field(default_factory=list)
    read_out: ReadOut | None = None
    _method: str = ""
    _layers: Indices = None
    _heads: Indices = None

    def attach(self, method: Any) -> None:  # noqa: ANN401  a mitigation, whose class is declared above this
        """Have a method say where it acts; one that acts on single heads has ``heads`` too."""
        self._method, self._layers, self._heads = method.declaration.name, method.layers, getattr(method, "heads", None)
        method.attach(self)

    @property
    def depth(self) -> int:
        """Number of blocks."""
        return len(self.anatomy.blocks)

    @property
    def post_norm(self) -> bool:
        """Whether a norm follows the addition of each branch."""
        return self.anatomy.post_norm

    def layers(self, default: Sequence[int] | None = None) -> tuple[int, ...]:
        """The layers that the user chose, or else the default (all); refused where the model has no such layer."""
        if self._layers is None:
            return tuple(range(self.depth) if default is None else default)
        for layer in self._layers:
            self.require_block(layer)
        return self._layers

    def heads(self) -> tuple[int, ...]:
        """The heads that the user chose, or else all; refused where the model has no such head."""
        total = self.anatomy.heads
        chosen = tuple(range(total)) if self._heads is None else self._heads
        self.require(all(head < total for head in chosen), f"there are only {count(total, 'head')}, counted from 0")
        return chosen

    def require(self, condition: bool, reason: str) -> None:
        """Refuse the method where a condition does not hold, by a MitigationError: its name, a colon, the reason."""
        if not condition:
            raise MitigationError(f"{self._method}: {reason}.")

    def require_block(self, layer: int) -> None:
        """Refuse the method where the model has no such block."""
        self.require(layer < self.depth, f"there is no block {layer}: they are counted from 0 to {self.depth - 1}")

    def require_circuits(self) -> None:
        """Refuse the method where the projections of values and outputs are out of reach."""
        self.require(
            bool(self.anatomy.circuits),
            f"the projections of values and outputs of the family “{self.anatomy.family}” cannot be reached",
        )

    def attention(self, layer: int, stage: Stage, change: OnAttention, *, every_head: bool = False) -> None:
        """Change attention at one stage, where that is reached; in the chosen heads alone, unless ``every_head``."""
        self.require(
            self.anatomy.attention_reachable or stage in ("logits", "probabilities"),
            f"in the family “{self.anatomy.family}” attention can be changed at its softmax only, not where the "
            "values are mixed",
        )
        heads = None if every_head or self._heads is None else self.heads()
        self._add(layer, stage, change, heads)

    def branch(self, layer: int, branch: Branch, change: OnBranch) -> None:
        """Change the output of a branch, where the family's are known, before it is added to the residual stream."""
        self.require(
            branch in self.anatomy.branches,
            f"the {'MLP' if branch == 'mlp' else 'attention'} branch cannot be told apart in the family "
            f"“{self.anatomy.family}”",
        )
        self._add(layer, branch, change)

    def norm(self, layer: int, change: OnBranch) -> None:
        """Change the output of every norm on the residual stream of a block; ``stream`` is what the norm read."""
        self.require(bool(self.anatomy.norms), self.anatomy.why_no_norms)
        self._add(layer, "norm", change)

    def before_norm(self, layer: int, which: Branch, change: OnStates) -> None:
        """Change what the norm after a branch reads, where there is one: the point ``i.attention`` or ``i.mlp``."""
        self.require(
            ("attention_norm" if which == "attention" else which) in self.anatomy.sub_layers,
            f"the family “{self.anatomy.family}” has no norm after the {'MLP' if which == 'mlp' else 'attention'}",
        )
        self._add(layer, "attention_norm_input" if which == "attention" else "mlp_norm_input", change)

    def block(self, layer: int, change: OnStates) -> None:
        """Change the output of a block."""
        self._add(layer, "block", change)

    def fuse(self, read_out: ReadOut) -> None:
        """Add a read-out of the outputs of all blocks."""
        self.read_out = read_out

    def sample(self, layer: int) -> Tensor:
        """Tokens of the calibration texts, without which it refuses, at the output of a plain block: (token, dim)."""
        self.require(self.sampler is not None, "it is calibrated on texts, and none were given (texts=…)")
        assert self.sampler is not None  # noqa: S101  required above; for the type checker
        return self.sampler(layer)

    def _add(self, layer: int, kind: Kind, change: Any, heads: tuple[int, ...] | None = None) -> None:  # noqa: ANN401
        self.found.append(Site(self._method, layer, kind, change, heads))
