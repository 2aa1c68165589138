"""Names of the places in a network where hidden states are read.

In order of the data's way through the model: ``embedding`` (what the first block reads), then for block ``i``

* ``i.attention``: the residual stream after the attention branch was added, before any norm that follows;
* ``i.attention_norm``: the output of the norm between attention and MLP, which is what the MLP reads;
* ``i.mlp``: the residual stream after the MLP branch was added, where a norm still follows (post-norm families);
* ``i``: the output of the block,

with, between these, what a branch reads and what it adds: ``i.attention_read`` (the output of a norm before attention),
``i.attention_branch`` and ``i.mlp_branch`` (the output of the branch before it is added to the stream);

and ``final_norm``, the output of the norm after the last block, where the family has one. Hierarchical fusion adds
``fusion``: what it makes of the outputs of all blocks.
Blocks are counted from 0, as in the weights' own names.
"""

from collections.abc import Sequence
from typing import Final, Literal, cast, get_args

from oversmooth.core.wording import count, enumerated

EMBEDDING = "embedding"
FINAL_NORM = "final_norm"
FUSION = "fusion"
OUTPUT = "output"
"""Of the language-model head; no point of the states, but a place for notes on what is measured there."""

Branch = Literal["attention", "mlp"]
BRANCHES: Final[tuple[Branch, ...]] = get_args(Branch)
"""Of a block, in the order of the data's way."""
PointSet = Literal["blocks", "all", "branches"]
SubLayer = Literal["attention", "attention_norm", "mlp"]
BranchPart = Literal["attention_read", "attention_branch", "mlp_branch"]
Part = SubLayer | BranchPart
PARTS: Final[tuple[Part, ...]] = (
    "attention_read", "attention_branch", "attention", "attention_norm", "mlp_branch", "mlp",
)  # fmt: skip
"""Points inside a block, in the order of the data's way."""
WORDS: Final[dict[Part, str]] = {
    "attention_read": "before attention, normed",
    "attention_branch": "in the attention branch",
    "attention": "after attention",
    "attention_norm": "after its attention norm",
    "mlp_branch": "in the MLP branch",
    "mlp": "after the MLP",
}
"""The same in words."""
_TITLES: Final = {
    EMBEDDING: "the embedding",
    FINAL_NORM: "the final norm",
    FUSION: "the fusion of all blocks",
    OUTPUT: "the output of the language-model head",
}


def block(index: int) -> str:
    """Name of the output of block ``index``."""
    return str(index)


def sub_layer(index: int, part: Part) -> str:
    """Name of a sub-layer point of block ``index``."""
    return f"{index}.{part}"


def is_block(point: str) -> bool:
    """Whether the point is the output of a block."""
    return point.isdecimal()


def is_sub_layer(point: str) -> bool:
    """Whether the point lies inside a block."""
    return "." in point


def title(point: str) -> str:
    """The point in words, for a sentence: ``block 5``, ``the embedding``, ``block 5 after attention``."""
    if point in _TITLES:
        return _TITLES[point]
    if is_block(point):
        return f"block {point}"
    index, part = point.split(".")
    return f"block {index} {WORDS[cast(Part, part)]}"


def tick(point: str) -> str:
    """The point as a short axis label."""
    return "final norm" if point == FINAL_NORM else point


def places(names: Sequence[str], noun: str = "point") -> str:
    """Points in words: ``block 1 and block 2``, and of many ``5 points from block 1 to block 5``."""
    if len(names) > 3:
        return f"{count(len(names), noun)} from {title(names[0])} to {title(names[-1])}"
    return enumerated([title(name) for name in names])
