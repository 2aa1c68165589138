"""Mitigations on a loaded model, for as long as a ``with`` block lasts."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from oversmooth.core.errors import MitigationError
from oversmooth.core.wording import blocks_in_words
from oversmooth.measuring.intervention.attention import NAME, WHOLE, faithful, register
from oversmooth.measuring.intervention.hooks import attach
from oversmooth.measuring.intervention.observing import Announcement, See
from oversmooth.measuring.intervention.run import ACTIVE, Run
from oversmooth.measuring.intervention.softmax import CatchSoftmax
from oversmooth.mitigations.sites import Kind, ReadOut, Sites
from oversmooth.mitigations.specification import check_together
from oversmooth.models.trial import two_texts

if TYPE_CHECKING:
    from torch.utils.hooks import RemovableHandle

    from oversmooth.mitigations.registry import Mitigation
    from oversmooth.models.loaded import LoadedModel

register()

_FAITHFUL: WeakKeyDictionary[nn.Module, bool] = WeakKeyDictionary()
_ATTENDED: WeakKeyDictionary[nn.Module, frozenset[int]] = WeakKeyDictionary()
_HERE: ContextVar[frozenset[Intervention]] = ContextVar("oversmooth_interventions", default=frozenset())
"""Those that are active in this thread, one a model: a pass of another thread is none of their business."""
# Branches of attention are shown its matrices.
ATTENTION: frozenset[Kind] = frozenset({"logits", "probabilities", "values", "mixed", "attention"})
STAGES: frozenset[Kind] = ATTENTION - {"attention"}


def observable(model: LoadedModel) -> bool:
    """Whether what is seen of the model's attention is what the model computes; tried once for each network."""
    network = model.anatomy.network
    if not model.anatomy.attention_reachable:
        return True
    if network not in _FAITHFUL:
        _FAITHFUL[network] = faithful(network)
    return _FAITHFUL[network]


def attended(model: LoadedModel) -> frozenset[int]:
    """Blocks whose attention is met where it can be changed, as two short texts show; tried once for each network."""
    network, met = model.anatomy.network, set[int]()
    if network not in _ATTENDED:
        probe = Intervention(model, (), watched=True)
        with probe.active(), probe.seen_by(lambda layer, _: met.add(layer)), torch.inference_mode():
            network(**two_texts(network))
        _ATTENDED[network] = frozenset(met)
    return _ATTENDED[network]


class Intervention:
    """A set of mitigations attached to one model.

    Args:
        model: left as it is; the hooks live in :meth:`active` alone.
        methods: in the order in which they act.
        sampler: for methods that are calibrated; see :class:`~oversmooth.mitigations.sites.Sites`.
        watched: whether attention will be seen in passes that are announced by :meth:`seen_by`.

    Raises:
        MitigationError: where methods exclude each other or the model cannot carry one.
    """

    def __init__(
        self,
        model: LoadedModel,
        methods: Sequence[Mitigation],
        sampler: Callable[[int], Tensor] | None = None,
        *,
        watched: bool = False,
    ) -> None:
        check_together(methods)
        self.methods = tuple(methods)
        self._model = model
        self._sites = Sites(model.anatomy, sampler)
        for method in methods:
            self._sites.attach(method)
        self._require_attention()
        self._watched = watched
        self._announced = Announcement()
        self._outputs: Sequence[Tensor] = ()

    @property
    def read_out(self) -> ReadOut | None:
        """The read-out of the blocks' outputs, where one of the methods is one."""
        return self._sites.read_out

    @property
    def copied_by(self) -> str:
        """The method that has norms read a changed copy of the stream, which itself goes past them; empty without."""
        copies = (site.method for site in self._sites.found if site.kind == "attention_norm_input")
        return "" if self._model.anatomy.post_norm else next(copies, "")

    def fused(self) -> Tensor:
        """What the read-out makes of the last pass: (batch, token, dim)."""
        if self.read_out is None or not self._outputs:
            raise RuntimeError("no pass with a read-out has been run")
        return self.read_out.fuse(self._outputs)

    @contextmanager
    def active(self) -> Iterator[Intervention]:
        """Attach to the model; leave it bit for bit as it was, whatever happens inside.

        Raises:
            MitigationError: where the model is mitigated already, or its attention cannot be stood in for.
        """
        with self._model.lock, ExitStack() as stack:
            if self._model.mitigated_by:
                raise MitigationError(
                    "This model is already mitigated: give all the methods to one call, in their order."
                )
            self._model.mitigated_by.extend(map(str, self.methods))
            stack.callback(self._model.mitigated_by.clear)
            self._set_kernel(stack)
            stack.callback(self._forget)
            _HERE.set(_HERE.get() | {self})
            for handle in self._hooks() if self._watched or self.methods else ():
                stack.callback(handle.remove)
            yield self

    def seen_by(self, see: See) -> AbstractContextManager[None]:
        """Announce one pass, run inside the block: its attention matrices are shown layer by layer, after all changes.

        The observer belongs to that pass: no other is shown to it, be it run under this intervention or later.

        Raises:
            RuntimeError: where the intervention is not ``watched``, or not exactly one pass was announced and run.
        """
        if not self._watched:
            raise RuntimeError("attention is seen of an intervention that is watched alone")
        return self._announced.of_one_pass(see)

    def _forget(self) -> None:
        _HERE.set(_HERE.get() - {self})
        ACTIVE.set(None)
        self._outputs = ()

    def _set_kernel(self, stack: ExitStack) -> None:
        """Eager attention throughout, with or without methods: figures that are compared come from one kernel."""
        anatomy = self._model.anatomy
        network, before = anatomy.network, anatomy.network.config._attn_implementation
        changes = self._watched or not ATTENTION.isdisjoint(site.kind for site in self._sites.found)
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
            stack.enter_context(CatchSoftmax(anatomy))

    def _require_attention(self) -> None:
        """Refuse a method that would act on the attention of blocks that have none, or none that is met."""
        needed = [site for site in self._sites.found if site.kind in STAGES]
        if not needed or not observable(self._model):
            return
        met = attended(self._model)
        lacking = [site for site in needed if site.layer not in met]
        if lacking:
            method = next(each for each in self.methods if each.declaration.name == lacking[0].method)
            layers = sorted({site.layer for site in lacking if site.method == lacking[0].method})
            raise MitigationError(f"{lacking[0].method}: {self._nowhere(method, layers, sorted(met))}")

    def _nowhere(self, method: Mitigation, lacking: Sequence[int], met: Sequence[int]) -> str:
        family = self._model.anatomy.family
        if not met:
            return f"no attention of the family “{family}” is met where a method could change it."
        there = f"attention of the family “{family}” is met in {blocks_in_words(met)} alone"
        narrowed = Sites(self._model.anatomy)
        try:
            narrowed.attach(replace(method, layers=tuple(met)))
        except MitigationError:
            return f"{there}, and it needs that of {blocks_in_words(lacking)}."
        still = sorted({site.layer for site in narrowed.found if site.kind in STAGES} - set(met))
        if still:
            return f"{there}, and in whichever it acts, it needs that of {blocks_in_words(still)}."
        layers = method.parameters()["layers"].write(tuple(met))
        return f"{there}, and it would act in {blocks_in_words(lacking)} too: give it layers={layers}."

    def _require_faithful(self) -> None:
        if not observable(self._model):
            method = next((site.method for site in self._sites.found if site.kind in ATTENTION), "explanation")
            raise MitigationError(
                f"{method}: the attention of the family “{self._model.anatomy.family}” "
                "computes something else than Oversmooth would in its place, so it is not changed."
            )

    def _hooks(self) -> Iterator[RemovableHandle]:
        network = self._model.anatomy.network
        yield network.register_forward_pre_hook(self._begin, with_kwargs=True)
        yield from attach(self._model.anatomy, dict.fromkeys(site.kind for site in self._sites.found))
        yield network.register_forward_hook(self._finish)
        # Called although the pass failed as well: a later one elsewhere must not find it.
        yield network.register_forward_hook(_end, always_call=True)

    def _begin(self, _: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        if self not in _HERE.get():
            return
        network = self._model.anatomy.network
        given = {**named, **_signature(type(network).forward).bind_partial(network, *arguments, **named).arguments}
        _require_whole(given.get("past_key_values"))
        mask = _padding(given.get("attention_mask"))
        tokens = _tokens(given)
        keep, see = self.read_out is not None, self._announced.take()
        ACTIVE.set(Run(self._model.anatomy, self._sites.found, tokens, mask, keep_outputs=keep, see=see))

    def _finish(self, *_: object) -> None:
        run = ACTIVE.get()
        if run is not None:
            run.require_all_reached()
            self._outputs = run.outputs


@cache
def _signature(forward: Callable[..., object]) -> inspect.Signature:
    # Kept: reading it takes as long as a small analysis.
    return inspect.signature(forward)


def _end(*_: object) -> None:
    ACTIVE.set(None)


def _require_whole(past: Any) -> None:  # noqa: ANN401  one of transformers' many caches
    if past is not None and past.get_seq_length() > 0:
        raise MitigationError(WHOLE)


def _tokens(given: Mapping[str, Any]) -> int:
    """In each sequence that the network is given, padding among them."""
    ids = given.get("input_ids")
    length: int = (given["inputs_embeds"] if ids is None else ids).shape[1]
    return length


def _padding(mask: object) -> Tensor | None:
    """Which tokens are no padding (batch, token); None where all are."""
    if mask is None:
        return None
    if not isinstance(mask, Tensor) or mask.dim() != 2:
        raise MitigationError("Mitigations need the attention mask as one row of 0 and 1 for each sequence.")
    return None if bool(mask.all()) else mask
