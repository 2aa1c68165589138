"""Hooks that see or change what modules read and put out, during passes of one's own intervention alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from oversmooth.measuring.intervention.run import ACTIVE, Run

if TYPE_CHECKING:
    from torch.utils.hooks import RemovableHandle

    from oversmooth.mitigations.sites import Kind
    from oversmooth.models.anatomy import Anatomy


def attach(anatomy: Anatomy, kinds: Iterable[Kind]) -> Iterator[RemovableHandle]:
    """Hooks that follow a pass through the blocks and make the changes of these kinds; each module gets its once."""
    for block in _each(anatomy.blocks):
        yield _before(block, Run.enter_block)
    for module in _each(circuit.value for circuit in anatomy.circuits):
        yield _before(module, Run.read_attention)
    if not anatomy.post_norm:
        # Before a change of what the norm reads: in pre-norm families the stream itself goes past it, unchanged.
        for module in _each(anatomy.sub_layers.get("attention", ())):
            yield _before(module, Run.pass_middle)
    for kind in kinds:
        yield from _of_kind(anatomy, kind)
    if anatomy.post_norm:
        # After a change of what the norm puts out, for that is the stream.
        for module in _each(anatomy.sub_layers["attention_norm"]):
            yield _after(module, _see_middle)
    for block in _each(anatomy.blocks):
        yield _after(block, _leave_block)


def _of_kind(anatomy: Anatomy, kind: Kind) -> Iterator[RemovableHandle]:
    match kind:
        case "attention_norm_input" | "mlp_norm_input":
            for module in _each(anatomy.sub_layers["attention" if kind == "attention_norm_input" else "mlp"]):
                yield _replace(module, partial(_change_states, kind))
        case "attention" | "mlp":
            for module in _each(anatomy.branches[kind]):
                yield _after(module, partial(_change_branch, kind))
        case "norm":
            for module in _each(norm for norms in anatomy.norms for norm in norms):
                yield _after(module, Run.change_norm)


def _each(modules: Iterable[nn.Module]) -> Iterable[nn.Module]:
    """Layers may share one module."""
    return dict.fromkeys(modules)


def _leave_block(run: Run, _: Tensor, states: Tensor) -> Tensor:
    return run.leave_block(states)


def _see_middle(run: Run, _: Tensor, states: Tensor) -> None:
    run.pass_middle(states)


def _change_states(kind: Kind, run: Run, states: Tensor) -> Tensor:
    return run.change_states(kind, states)


def _change_branch(kind: Kind, run: Run, _: Tensor, branch: Tensor) -> Tensor:
    return run.change_branch(kind, branch)


def _states_of(arguments: tuple[Any, ...], named: dict[str, Any]) -> Tensor:
    states: Tensor = arguments[0] if arguments else named["hidden_states"]
    return states


def _before(module: nn.Module, see: Callable[[Run, Tensor], None]) -> RemovableHandle:
    """Have a function see the first input of a module."""

    def hook(_: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        run = ACTIVE.get()
        if run is not None:
            see(run, _states_of(arguments, named))

    return module.register_forward_pre_hook(hook, with_kwargs=True)


def _replace(module: nn.Module, change: Callable[[Run, Tensor], Tensor]) -> RemovableHandle:
    """Have a function change the first input of a module."""

    def hook(_: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, dict[str, Any]] | None:
        run = ACTIVE.get()
        if run is None:
            return None
        changed = change(run, _states_of(arguments, named))
        if arguments:
            return (changed, *arguments[1:]), named
        return arguments, {**named, "hidden_states": changed}

    return module.register_forward_pre_hook(hook, with_kwargs=True)


def _after(module: nn.Module, change: Callable[[Run, Tensor, Tensor], Tensor | None]) -> RemovableHandle:
    """Have a function change the first output of a module, unless it gives None; it is shown the first input too."""

    def hook(_: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any], output: Any) -> Any:  # noqa: ANN401
        run = ACTIVE.get()
        if run is None:
            return None
        states = output[0] if isinstance(output, tuple) else output
        changed = change(run, _states_of(arguments, named), states)
        if changed is None:
            return None
        return (changed, *output[1:]) if isinstance(output, tuple) else changed

    return module.register_forward_hook(hook, with_kwargs=True)
