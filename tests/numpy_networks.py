"""The weights of tiny networks, handed to the NumPy blocks; and one run of a network that keeps what blocks see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from reference.transformer import Layer, Linear, Matrix, Norm, Stack, gelu, gelu_tanh
from torch import Tensor, nn

from oversmooth.measuring.intervention import Intervention
from oversmooth.mitigations import Mitigation, parse
from oversmooth.models.loaded import LoadedModel

TOKENS = torch.tensor([[2, 5, 9, 7, 11, 3]])


def _numbers(tensor: Tensor) -> Matrix:
    return tensor.detach().double().numpy()


def _linear(module: nn.Module) -> Linear:
    return Linear(_numbers(module.get_parameter("weight")).T, _numbers(module.get_parameter("bias")))


def _columns(module: nn.Module, part: slice) -> Linear:
    """Some of the columns of GPT-2's projections, whose weights multiply from the right."""
    return Linear(_numbers(module.get_parameter("weight"))[:, part], _numbers(module.get_parameter("bias"))[part])


def _norm(module: nn.Module) -> Norm:
    return Norm(_numbers(module.get_parameter("weight")), _numbers(module.get_parameter("bias")), float(module.eps))  # type: ignore[arg-type]


def bert(model: LoadedModel, **changes: Any) -> Stack:
    """The blocks of a tiny BERT."""
    names = ("query", "key", "value")
    layers = []
    for block in model.anatomy.blocks:
        query, key, value = (_linear(block.get_submodule(f"attention.self.{name}")) for name in names)
        output, up, down = (
            _linear(block.get_submodule(name))
            for name in ("attention.output.dense", "intermediate.dense", "output.dense")
        )
        norms = (_norm(block.get_submodule(name)) for name in ("attention.output.LayerNorm", "output.LayerNorm"))
        layers.append(Layer(query, key, value, output, up, down, *norms))
    return Stack(layers, model.anatomy.heads, gelu, post_norm=True, causal=False, **changes)


def gpt2(model: LoadedModel, **changes: Any) -> Stack:
    """The blocks of a tiny GPT-2."""
    layers, width = [], model.anatomy.hidden_size
    for block in model.anatomy.blocks:
        projection = block.get_submodule("attn.c_attn")
        query, key, value = (_columns(projection, slice(each, each + width)) for each in (0, width, 2 * width))
        output, up, down = (
            _columns(block.get_submodule(name), slice(None)) for name in ("attn.c_proj", "mlp.c_fc", "mlp.c_proj")
        )
        norms = (_norm(block.get_submodule(name)) for name in ("ln_1", "ln_2"))
        layers.append(Layer(query, key, value, output, up, down, *norms))
    return Stack(layers, model.anatomy.heads, gelu_tanh, post_norm=False, causal=True, **changes)


@dataclass
class Watched:
    """What the blocks of one run met, in the order of the layers: (batch, token, dim) each."""

    entered: list[Tensor] = field(default_factory=list)
    left: list[Tensor] = field(default_factory=list)
    attention: list[Tensor] = field(default_factory=list)
    """Branches as the modules put them out, before any change."""
    mlp: list[Tensor] = field(default_factory=list)
    middle: list[Tensor] = field(default_factory=list)
    """The residual stream after attention was added."""
    middle_normed: list[Tensor] = field(default_factory=list)
    end: list[Tensor] = field(default_factory=list)
    """The residual stream after the MLP was added, before any norm."""

    def blocks(self) -> Matrix:
        """The outputs of the blocks for the first sequence: (block, token, dim)."""
        return np.stack([_numbers(states[0]) for states in self.left])


def watch(model: LoadedModel, methods: str | Sequence[Mitigation] = (), ids: Tensor = TOKENS) -> Watched:
    """Run a network under methods; keep what its blocks met."""
    anatomy, seen = model.anatomy, Watched()
    chosen = parse(methods) if isinstance(methods, str) else tuple(methods)
    # Hooks registered first: they see the branches before a method changes them.
    with ExitStack() as stack:
        for into, modules in ((seen.entered, anatomy.blocks), *_norm_inputs(model, seen)):
            for module in dict.fromkeys(modules):
                stack.callback(module.register_forward_pre_hook(_keep_input(into), with_kwargs=True).remove)
        for into, modules in ((seen.left, anatomy.blocks), *_outputs(model, seen)):
            for module in dict.fromkeys(modules):
                stack.callback(module.register_forward_hook(_keep_output(into)).remove)
        with Intervention(model, chosen).active(), torch.inference_mode():
            # Passes that only try the model are over by now.
            for kept in vars(seen).values():
                kept.clear()
            anatomy.network(input_ids=ids, attention_mask=torch.ones_like(ids))
    # Some families flatten batch and token inside a block.
    for name, kept in vars(seen).items():
        setattr(seen, name, [states.reshape(seen.entered[0].shape) for states in kept])
    seen.end = seen.end or seen.left
    return seen


Kept = Iterable[tuple[list[Tensor], tuple[nn.Module, ...]]]


def _norm_inputs(model: LoadedModel, seen: Watched) -> Kept:
    norms = model.anatomy.sub_layers
    return (seen.middle, norms.get("attention", ())), (seen.end, norms.get("mlp", ()))


def _outputs(model: LoadedModel, seen: Watched) -> Kept:
    branches = model.anatomy.branches
    yield seen.attention, branches.get("attention", ())
    yield seen.mlp, branches.get("mlp", ())
    yield seen.middle_normed, model.anatomy.sub_layers.get("attention", ())


def _keep_input(into: list[Tensor]) -> Any:
    def hook(_: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        into.append((arguments[0] if arguments else named["hidden_states"]).clone())

    return hook


def _keep_output(into: list[Tensor]) -> Any:
    def hook(_: nn.Module, __: tuple[Any, ...], output: Any) -> None:
        into.append((output[0] if isinstance(output, tuple) else output).clone())

    return hook
