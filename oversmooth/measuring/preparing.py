"""What a run needs before its first pass, made once and carried through it."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from oversmooth.core import points
from oversmooth.core.errors import InputError
from oversmooth.core.pairs import Input
from oversmooth.core.progress import Report
from oversmooth.core.texts import which_text
from oversmooth.measuring.intervention import Intervention
from oversmooth.measuring.intervention.context import observable
from oversmooth.measuring.measured_rows import MeasuredRows
from oversmooth.measuring.mitigating import Sampler
from oversmooth.measuring.resolution import Resolution
from oversmooth.mitigations import Mitigation
from oversmooth.models.encodings import Encoded
from oversmooth.models.inputs import Batches, encode_all
from oversmooth.models.loaded import LoadedModel
from oversmooth.models.loading import load
from oversmooth.models.recording import expected_points
from oversmooth.results.settings import Settings


@dataclass(frozen=True)
class Memory:
    """What a run may hold on a GPU at once."""

    batch_tokens: int = sys.maxsize
    """Largest number of tokens of a batch, padding included."""
    on_host: bool = False
    """Whether states come to the CPU before anything is computed of them."""
    told: str = ""
    """What the record says of it."""


MEMORY: Final = (
    Memory(),
    Memory(512, told="The GPU ran out of memory, so texts went through it in smaller batches."),
    Memory(512, on_host=True, told="The GPU ran out of memory, so metrics were computed on the CPU."),
)
"""What is tried in turn where a GPU runs out of memory."""


@dataclass(frozen=True)
class Prepared:
    """A run, ready for its passes: whatever it computes is about these texts, tokens and points."""

    settings: Settings
    model: LoadedModel
    texts: Sequence[Encoded]
    rows: Sequence[MeasuredRows]
    """Of each text, which tokens count."""
    batches: Batches
    methods: tuple[Mitigation, ...]
    intervention: Intervention | None
    """Puts the methods on the model; one without any has it run in the same kernel, None leaves it in its own."""
    states_key: Hashable
    """Under which the model keeps what the variants of this run's baseline need."""
    on_host: bool
    """Whether states of a GPU come to the CPU before anything is computed of them."""
    points: tuple[str, ...]
    """At which the states are taken, in the order in which a pass reaches them; a read-out is the last."""

    @cached_property
    def main_points(self) -> tuple[str, ...]:
        """Those of the network itself outside its blocks' insides: embedding, outputs of blocks, final norm."""
        return tuple(each for each in self.points if each != points.FUSION and not points.is_sub_layer(each))

    def baseline(self) -> Prepared:
        """The same run with nothing attached to the model, in the same kernel."""
        reached = tuple(each for each in self.points if each != points.FUSION)
        return replace(self, methods=(), intervention=Intervention(self.model, ()), points=reached)

    def resolution(self) -> Resolution:
        """Of a round of passes that has not begun."""
        return Resolution(self.rows, np.dtype(self.model.precision), post_norm=self.model.anatomy.post_norm)


def acting(intervention: Intervention | None) -> AbstractContextManager[object]:
    """Has an intervention, where there is one, act on its model for as long as the block lasts."""
    return nullcontext() if intervention is None else intervention.active()


def load_model(settings: Settings, report: Report) -> LoadedModel:
    """The model that the settings name, as :func:`~oversmooth.models.loading.load` gives it."""
    return load(
        settings.model, revision=settings.revision, device=settings.device, precision=settings.precision, report=report
    )


def prepare(settings: Settings, model: LoadedModel, texts: Sequence[Encoded], memory: Memory = MEMORY[0]) -> Prepared:
    """Make it all.

    Args:
        settings: of the run.
        model: that runs; its lock is held.
        texts: the settings', as the model reads them.
        memory: what it may take.

    Raises:
        MitigationError: where the model cannot carry the settings' mitigations.
    """
    batches, methods = Batches.of(texts, model, memory.batch_tokens), settings.methods
    intervention = None
    if methods or settings.fidelity or settings.explanation:
        sampler = Sampler(model.anatomy, (inputs for _, inputs in batches))
        watched = settings.explanation and observable(model)
        intervention = Intervention(model, methods, sampler, watched=watched)
    fused = intervention is not None and intervention.read_out is not None
    return Prepared(
        settings=settings,
        model=model,
        texts=texts,
        rows=[MeasuredRows.of(text) for text in texts],
        batches=batches,
        methods=methods,
        intervention=intervention,
        on_host=memory.on_host,
        states_key=settings.states_key(),
        points=expected_points(model.anatomy, settings.points, fused=fused),
    )


def encoded(texts: Sequence[Input], model: LoadedModel, *, max_tokens: int, special_tokens: bool) -> list[Encoded]:
    """Texts as the model reads them, each tokenised once and kept on the model, whose lock is held.

    Raises:
        InputError: for the first that cannot be measured, with its number.
    """
    known = {text: model.encoded.get((text, max_tokens, special_tokens)) for text in texts}
    unknown = [text for text, kept in known.items() if kept is None]
    made = encode_all(unknown, model, max_tokens=max_tokens, special_tokens=special_tokens)
    found = {text: kept for text, kept in known.items() if kept is not None}
    for text in unknown:
        try:
            found[text] = next(made)
        except InputError as error:
            raise InputError(which_text(texts.index(text), texts) + str(error)) from error
        model.encoded.put((text, max_tokens, special_tokens), found[text])
    return [found[text] for text in texts]
