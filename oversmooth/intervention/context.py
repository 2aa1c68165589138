"""Mitigations on a loaded model, for as long as a ``with`` block lasts."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from torch import Tensor, nn

from oversmooth.errors import MitigationError
from oversmooth.intervention.attention import NAME, faithful, register
from oversmooth.intervention.run import ACTIVE, Run
from oversmooth.intervention.softmax import CatchSoftmax
from oversmooth.mitigations.sites import Kind, ReadOut, Sites
from oversmooth.mitigations.specification import check_together

if TYPE_CHECKING:
    from torch.utils.hooks import RemovableHandle

    from oversmooth.mitigations.registry import Mitigation
    from oversmooth.models.loaded import LoadedModel

register()

_FAITHFUL: WeakKeyDictionary[LoadedModel, bool] = WeakKeyDictionary()
"""Tried once for each loaded model."""
ATTENTION: frozenset[Kind] = frozenset({"logits", "probabilities", "values", "mixed"})


class Intervention:
    """A set of mitigations attached to one model.

    Args:
        model: left as it is; the hooks live in :meth:`active` alone.
        methods: in the order in which they act.
        sampler: for methods that are calibrated; see :class:`~oversmooth.mitigations.sites.Sites`.

    Raises:
        MitigationError: where methods exclude each other or the model cannot carry one.
    """

    def __init__(
        self,
        model: LoadedModel,
        methods: Sequence[Mitigation],
        sampler: Callable[[int], Tensor] | None = None,
    ) -> None:
        check_together(methods)
        self.methods = tuple(methods)
        self._model = model
        self._sites = Sites(model.anatomy, sampler)
        for method in methods:
            self._sites.attach(method)
        self._run: Run | None = None

    @property
    def read_out(self) -> ReadOut | None:
        """The read-out of the blocks' outputs, where one of the methods is one."""
        return self._sites.read_out

    def fused(self) -> Tensor:
        """What the read-out makes of the last pass: (batch, token, dim)."""
        if self.read_out is None or self._run is None:
            raise RuntimeError("no pass with a read-out has been run")
        return self.read_out.fuse(self._run.outputs)

    @contextmanager
    def active(self) -> Iterator[Intervention]:
        """Attach to the model; leave it bit for bit as it was, whatever happens inside."""
        with self._model.lock, ExitStack() as stack:
            if self._model.mitigated_by:
                raise MitigationError(
                    "This model is already mitigated: give all the methods to one call, in their order."
                )
            self._model.mitigated_by.extend(map(str, self.methods))
            stack.callback(self._model.mitigated_by.clear)
            self._set_kernel(stack)
            stack.callback(ACTIVE.set, None)
            stack.callback(setattr, self, "_run", None)
            for handle in self._hooks() if self.methods else ():
                stack.callback(handle.remove)
            yield self

    def _set_kernel(self, stack: ExitStack) -> None:
        """Eager attention throughout, with or without methods: figures that are compared come from one kernel."""
        network, anatomy = self._model.anatomy.network, self._model.anatomy
        before = network.config._attn_implementation
        changes = any(site.kind in ATTENTION for site in self._sites.found) or self._reads_attention()
        if anatomy.attention_reachable:
            if changes:
                self._require_faithful()
            stack.callback(network.set_attn_implementation, before)
            network.set_attn_implementation(NAME if changes else "eager")
            return
        # transformers does not switch these families, but they look at their configuration in every pass.
        stack.callback(setattr, network.config, "_attn_implementation", before)
        network.config._attn_implementation = "eager"
        if changes:
            stack.enter_context(CatchSoftmax())

    def _require_faithful(self) -> None:
        if self._model not in _FAITHFUL:
            _FAITHFUL[self._model] = faithful(self._model.anatomy.network)
        if not _FAITHFUL[self._model]:
            raise MitigationError(
                f"{self.methods[0].declaration.name}: the attention of the family “{self._model.anatomy.family}” "
                "computes something else than Oversmooth would in its place, so it is not changed."
            )

    def _reads_attention(self) -> bool:
        """Branches of attention are shown its matrices."""
        return any(site.kind == "attention" for site in self._sites.found)

    def _begin(self, _: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        mask = self._mask(arguments, named)
        self._run = Run(self._model.anatomy, self._sites.found, mask, keep_outputs=self.read_out is not None)
        ACTIVE.set(self._run)

    def _end(self, *_: object) -> None:
        # Set although the pass failed as well: a later one outside must not find it.
        ACTIVE.set(None)

    def _finish(self, *_: object) -> None:
        if self._run is not None:
            self._run.require_all_reached()

    def _mask(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> Tensor | None:
        """Which tokens are no padding (batch, token); None where all are."""
        signature = inspect.signature(self._model.anatomy.network.forward)
        mask = signature.bind_partial(*arguments, **named).arguments.get("attention_mask", named.get("attention_mask"))
        if mask is None or bool(mask.all()):
            return None
        if mask.dim() != 2:
            raise MitigationError("Mitigations need the attention mask as one row of 0 and 1 for each sequence.")
        return mask  # type: ignore[no-any-return]

    def _hooks(self) -> Iterator[RemovableHandle]:
        anatomy = self._model.anatomy
        yield anatomy.network.register_forward_pre_hook(self._begin, with_kwargs=True)
        for block in dict.fromkeys(anatomy.blocks):
            yield _before(block, lambda run, states: run.enter_block(states))
            yield _after(block, lambda run, _, states: run.leave_block(states))
        for module in dict.fromkeys(anatomy.sub_layers.get("attention_norm", ())):
            yield _after(module, Run.pass_middle)
        for module in dict.fromkeys(circuit.value for circuit in anatomy.circuits):
            yield _before(module, Run.read_attention)
        for kind in dict.fromkeys(site.kind for site in self._sites.found):
            yield from self._hooks_of(kind)
        yield anatomy.network.register_forward_hook(self._finish)
        yield anatomy.network.register_forward_hook(self._end, always_call=True)

    def _hooks_of(self, kind: Kind) -> Iterator[RemovableHandle]:
        anatomy = self._model.anatomy
        match kind:
            case "attention_norm_input":
                for module in dict.fromkeys(anatomy.sub_layers["attention"]):
                    yield _replace(module, _changing_states(kind))
            case "mlp_norm_input":
                for module in dict.fromkeys(anatomy.sub_layers["mlp"]):
                    yield _replace(module, _changing_states(kind))
            case "attention" | "mlp":
                for module in dict.fromkeys(anatomy.branches[kind]):
                    yield _after(module, _changing_branch(kind))
            case "norm":
                for module in dict.fromkeys(norm for norms in anatomy.norms for norm in norms):
                    yield _after(module, Run.change_norm)


def _changing_states(kind: Kind) -> Callable[[Run, Tensor], Tensor]:
    return lambda run, states: run.change_states(kind, states)


def _changing_branch(kind: Kind) -> Callable[[Run, Tensor, Tensor], Tensor]:
    return lambda run, _, branch: run.change_branch(kind, branch)


def _states_of(arguments: tuple[Any, ...], named: dict[str, Any]) -> Tensor:
    states: Tensor = arguments[0] if arguments else named["hidden_states"]
    return states


def _before(module: nn.Module, see: Callable[[Run, Tensor], None]) -> RemovableHandle:
    """Have a function see the input of a module, during passes of this context alone."""

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
    """Have a function change the output of a module; it is shown the input too."""

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
