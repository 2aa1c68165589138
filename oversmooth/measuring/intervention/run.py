"""What happens during one forward pass under an intervention: where the pass is, what it met, what it keeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor

from oversmooth.core.errors import MitigationError
from oversmooth.core.wording import count
from oversmooth.measuring.intervention.observing import See
from oversmooth.mitigations.sites import (
    AttentionPlace,
    BranchPlace,
    Kind,
    Memory,
    Site,
    Stage,
    StatesPlace,
)

if TYPE_CHECKING:
    from oversmooth.models.anatomy import Anatomy

BLOCKED: Final = -1e9
"""A query may not see a key where its logit is no higher: masks add the lowest number of the type, or minus infinity,
and no logit of a working model comes near this."""


class Run:
    """One forward pass.

    Args:
        anatomy: of the network.
        sites: what is attached, in the order in which it acts at one place.
        tokens: in each sequence that the network was given, padding among them.
        mask: 1 for tokens, 0 for padding: (batch, token); None where there is no padding.
        keep_outputs: whether the outputs of the blocks are kept, for a read-out.
        see: is shown the attention matrices of every layer, (batch, head, query, key), after all changes.
    """

    def __init__(
        self,
        anatomy: Anatomy,
        sites: Sequence[Site],
        tokens: int,
        mask: Tensor | None,
        *,
        keep_outputs: bool,
        see: See | None = None,
    ) -> None:
        self.anatomy = anatomy
        self.mask = mask
        self._tokens = tokens
        self.layer = -1
        self.memory = Memory()
        self._keep_outputs = keep_outputs
        self._see = see
        self.outputs: list[Tensor] = []
        """Of the blocks, for a read-out: (batch, token, dim)."""
        self._sites: dict[tuple[Kind, int], list[Site]] = {}
        for site in sites:
            self._sites.setdefault((site.kind, site.layer), []).append(site)
        self._reached: Counter[tuple[Kind, int]] = Counter()
        self._first: Tensor | None = None
        self._entered: Tensor | None = None
        self._middle: Tensor | None = None
        self._attention: Tensor | None = None
        self._reads: Tensor | None = None

    def at(self, kind: Kind) -> list[Site]:
        """What is attached at this kind of place in the layer that the pass is in; counts the visit."""
        self._reached[kind, self.layer] += 1
        return self._sites.get((kind, self.layer), [])

    def require_all_reached(self) -> None:
        """Refuse a pass that went by a place where something is attached.

        Raises:
            MitigationError: naming the method and the layers.
        """
        missed = [(place, sites) for place, sites in self._sites.items() if not self._reached[place]]
        if missed:
            method = missed[0][1][0].method
            layers = sorted({layer for (_, layer), sites in missed if any(site.method == method for site in sites)})
            raise MitigationError(
                f"{method}: the family “{self.anatomy.family}” went by {count(len(layers), 'layer')} in which it "
                f"should act (the first is {layers[0]}), so its figures would show something else."
            )

    def enter_block(self, states: Tensor) -> None:
        """A block begins to work on these states."""
        self.layer += 1
        self._entered = self._ordered(states)
        if self._first is None:
            self._first = self._entered
            self._mask_what_was_added(self._entered)
        self._middle = self._attention = self._reads = None

    def _mask_what_was_added(self, states: Tensor) -> None:
        """Some families pad the text inside, to a multiple of a window: behind the tokens, and none of them."""
        added = states.shape[1] - self._tokens
        if added > 0:
            mask = states.new_ones(states.shape[0], self._tokens) if self.mask is None else self.mask
            self.mask = torch.nn.functional.pad(mask, (0, added))

    def attends(self, logits: Tensor) -> bool:
        """Whether logits are those of every query for every key: (batch, head, token, token)."""
        tokens = None if self._entered is None else self._entered.shape[1]
        return logits.dim() == 4 and logits.shape[-2] == logits.shape[-1] == tokens

    def leave_block(self, states: Tensor) -> Tensor:
        """The output of the block, changed."""
        changed = self.change_states("block", states)
        if self._keep_outputs:
            self.outputs.append(self._ordered(changed))
        return changed

    def read_attention(self, states: Tensor) -> None:
        """What the attention of this layer reads."""
        self._reads = states

    def pass_middle(self, stream: Tensor) -> None:
        """The residual stream between attention and MLP."""
        self._middle = self._batch_first(stream)

    def attend(self, logits: Tensor, values: Tensor, allowed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """From logits to attention matrices, values and mixed values, with the changes between."""
        probabilities = self.soften(logits, allowed)
        values = self._change("values", values, self._place(allowed, None))
        mixed = torch.matmul(probabilities, values)
        mixed = self._change("mixed", mixed, self._place(allowed, values))
        return probabilities, values, mixed

    def soften(self, logits: Tensor, allowed: Tensor) -> Tensor:
        """From logits to attention matrices, with the changes before and after the softmax."""
        changed = self._change("logits", logits, self._place(allowed, None))
        if changed is not logits:
            # A method may have closed keys: the uniform attention of those after it leaves them out too.
            allowed = allowed & (changed > BLOCKED)
        attention = self._change("probabilities", changed.softmax(dim=-1), self._place(allowed, None))
        if self._see is not None:
            self._see(self.layer, attention)
        self._attention = attention
        return attention

    def _place(self, allowed: Tensor, values: Tensor | None) -> AttentionPlace:
        return AttentionPlace(self.layer, allowed, values, self.memory, self._first)

    def _change(self, stage: Stage, tensor: Tensor, place: AttentionPlace) -> Tensor:
        for site in self.at(stage):
            changed = site.change(tensor, place)
            if site.heads is None:
                tensor = changed
            else:
                tensor = tensor.clone()
                tensor[:, site.heads] = changed[:, site.heads]
        return tensor

    def change_branch(self, kind: Kind, branch: Tensor) -> Tensor:
        """The output of a branch, changed before it is added to the stream."""
        sites = self.at(kind)
        if not sites:
            return branch
        of_attention = kind == "attention"
        stream = self._entered if of_attention or self.anatomy.parallel else self._middle
        if stream is None:
            raise MitigationError(f"{sites[0].method}: the stream beside the {kind} branch was not met.")
        place = BranchPlace(
            self.layer,
            stream,
            self._attention if of_attention else None,
            self._reads if of_attention else None,
            self._valid(stream),
            self.anatomy.causal,
            self.memory,
        )
        states = self._batch_first(branch)
        for site in sites:
            states = site.change(states, place)
        return self._ordered(states).reshape(branch.shape)

    def change_norm(self, read: Tensor, normed: Tensor) -> Tensor:
        """The output of a norm, changed."""
        sites = self.at("norm")
        if not sites:
            return normed
        stream, states = self._batch_first(read), self._batch_first(normed)
        place = BranchPlace(self.layer, stream, None, None, self._valid(stream), self.anatomy.causal, self.memory)
        for site in sites:
            states = site.change(states, place)
        return self._ordered(states).reshape(normed.shape)

    def change_states(self, kind: Kind, states: Tensor) -> Tensor:
        """The states at a point, changed sequence by sequence, padding left alone."""
        sites = self.at(kind)
        if not sites or self._entered is None:
            return states
        ordered = self._batch_first(states)
        rows = [self._one(sites, ordered, number) for number in range(len(ordered))]
        return self._ordered(torch.stack(rows)).reshape(states.shape)

    def _one(self, sites: Sequence[Site], states: Tensor, number: int) -> Tensor:
        assert self._entered is not None  # noqa: S101  set by the block's begin
        chosen = slice(None) if self.mask is None else self.mask[number].bool()
        tokens = states[number][chosen]
        place = StatesPlace(self.layer, number, self._entered[number][chosen], self.anatomy.causal, self.memory)
        for site in sites:
            tokens = site.change(tokens, place)
        if self.mask is None:
            return tokens
        whole = states[number].clone()
        whole[chosen] = tokens
        return whole

    def _valid(self, states: Tensor) -> Tensor:
        """Which tokens are no padding: bool (batch, token)."""
        if self.mask is None:
            return torch.ones(states.shape[:2], dtype=torch.bool, device=states.device)
        return self.mask.bool()

    def _ordered(self, states: Tensor) -> Tensor:
        """Batch first, and back again."""
        return states.transpose(0, 1) if self.anatomy.time_first else states

    def _batch_first(self, states: Tensor) -> Tensor:
        """As (batch, token, dim): some families flatten batch and token inside a block."""
        assert self._entered is not None  # noqa: S101  set by the block's begin
        return self._ordered(states).reshape(self._entered.shape)


ACTIVE: ContextVar[Run | None] = ContextVar("oversmooth_run", default=None)
"""The pass under way in this thread; hooks of an intervention are blind to every other."""
