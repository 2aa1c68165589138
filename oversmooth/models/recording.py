"""One forward pass, with the hidden states at named points handed on as they arrive."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from oversmooth.core import points
from oversmooth.core.errors import ModelError
from oversmooth.core.points import PARTS, Part, PointSet
from oversmooth.models.anatomy import Anatomy

Consumer = Callable[[str, Tensor], None]
"""Takes a point's name and its states (batch, token, dim), valid only during the call; may raise to stop the pass."""


def expected_points(anatomy: Anatomy, which: PointSet, *, fused: bool = False) -> tuple[str, ...]:
    """Names of the points that a pass will reach, in order; with that of a read-out behind them where ``fused``."""
    names = [points.EMBEDDING]
    for index in range(len(anatomy.blocks)):
        names += [points.sub_layer(index, part) for part in _inside(anatomy, which)]
        names.append(points.block(index))
    if anatomy.final_norm is not None:
        names.append(points.FINAL_NORM)
    if fused:
        names.append(points.FUSION)
    return tuple(names)


def _inside(anatomy: Anatomy, which: PointSet) -> dict[Part, tuple[nn.Module, ...]]:
    """The points inside each block, in order, with the modules whose input or output they are, one per layer."""
    if which == "blocks":
        return {}
    found: dict[str, tuple[nn.Module, ...]] = dict(anatomy.sub_layers.items())
    if which == "branches":
        found |= {f"{branch}_branch": modules for branch, modules in anatomy.branches.items()}
        if anatomy.start_norms:
            found["attention_read"] = anatomy.start_norms
    return {part: found[part] for part in PARTS if part in found}


@torch.inference_mode()
def record(
    anatomy: Anatomy,
    inputs: dict[str, Tensor],
    consumer: Consumer,
    which: PointSet = "blocks",
    fused: Callable[[], Tensor] | None = None,
) -> None:
    """Run the network once and hand each point's states to ``consumer`` while the pass goes on.

    Nothing is kept: memory grows with what the consumer keeps, not with depth. The caller holds the model's lock.

    Args:
        anatomy: of the network to run.
        inputs: keyword arguments of the network, batch first.
        consumer: called once per point, in the order of :func:`expected_points`.
        which: whether the points inside the blocks are read too.
        fused: gives the read-out of the pass that has just ended, where there is one.

    Raises:
        ModelError: where the network passes by its own blocks.
    """
    run = _Pass(anatomy, consumer)
    with ExitStack() as stack:
        for handle in _hooks(run, which):
            stack.callback(handle.remove)
        anatomy.network(**inputs, **_without_cache(anatomy))
    if run.index != len(anatomy.blocks):
        raise ModelError(
            f"This {anatomy.family} network ran {run.index} of its {len(anatomy.blocks)} blocks in the usual way, so "
            "the others cannot be measured."
        )
    if fused is not None:
        consumer(points.FUSION, fused())


def _without_cache(anatomy: Anatomy) -> dict[str, Any]:
    # Causal models would otherwise keep keys and values of every layer for a continuation that never comes.
    return {"use_cache": False} if hasattr(anatomy.network.config, "use_cache") and anatomy.causal else {}


class _Pass:
    """Counts the blocks of one forward pass, since layers may share one module, and names what arrives."""

    def __init__(self, anatomy: Anatomy, consumer: Consumer) -> None:
        self.anatomy = anatomy
        self.consumer = consumer
        self.index = 0
        self.shape: torch.Size | None = None

    def hand_on(self, point: str, states: Tensor) -> None:
        if self.shape is None:
            self.shape = states.shape
        # Some families flatten (batch, token) before a norm.
        states = states.reshape(self.shape)
        self.consumer(point, states.transpose(0, 1) if self.anatomy.time_first else states)

    def enter_block(self, states: Tensor) -> None:
        if self.index == 0:
            self.hand_on(points.EMBEDDING, states)

    def leave_block(self, states: Tensor) -> None:
        self.hand_on(points.block(self.index), states)
        self.index += 1

    def sub_layer(self, part: Part, states: Tensor) -> None:
        self.hand_on(points.sub_layer(self.index, part), states)


def _hooks(run: _Pass, which: PointSet) -> Iterator[RemovableHandle]:
    anatomy = run.anatomy
    for block in _unique(anatomy.blocks):
        yield _before(block, run.enter_block)
        yield _after(block, run.leave_block)
    for part, modules in _inside(anatomy, which).items():
        for module in _unique(modules):
            take = partial(run.sub_layer, part)
            if part in ("attention", "mlp"):
                # In pre-norm families the stream goes past the norm: what a method has the norm read is a copy.
                yield _before(module, take, first=not anatomy.post_norm)
            else:
                yield _after(module, take)
    if anatomy.final_norm is not None:
        yield _after(anatomy.final_norm, partial(run.hand_on, points.FINAL_NORM))


def _unique(modules: tuple[nn.Module, ...]) -> tuple[nn.Module, ...]:
    return tuple(dict.fromkeys(modules))


def _before(module: nn.Module, take: Callable[[Tensor], None], *, first: bool = False) -> RemovableHandle:
    """Take what a module is called with: before other hooks change it, or as they leave it."""

    def hook(_: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        take(arguments[0] if arguments else named["hidden_states"])

    return module.register_forward_pre_hook(hook, with_kwargs=True, prepend=first)


def _after(module: nn.Module, take: Callable[[Tensor], None]) -> RemovableHandle:
    def hook(_: nn.Module, __: tuple[Any, ...], output: Tensor | tuple[Tensor, ...]) -> None:
        take(output[0] if isinstance(output, tuple) else output)

    return module.register_forward_hook(hook)
