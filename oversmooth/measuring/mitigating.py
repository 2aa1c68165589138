"""Mitigations on a model, for use from Python, and what calibrated ones are calibrated on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from oversmooth.core import points
from oversmooth.core.pairs import Input
from oversmooth.measuring.intervention import Intervention
from oversmooth.mitigations import Mitigation
from oversmooth.models.anatomy import Anatomy
from oversmooth.models.inputs import Batches, encode_all
from oversmooth.models.loaded import LoadedModel
from oversmooth.models.recording import record
from oversmooth.results.settings import DEFAULT_MAX_TOKENS


@contextmanager
def mitigated(model: LoadedModel, *methods: Mitigation, texts: str | Sequence[Input] = ()) -> Iterator[Intervention]:
    """Have methods act on a model inside a ``with`` block, in their order; afterwards it is bit for bit as it was.

    The block holds the model: other threads wait for its end. Whatever runs the network in it is mitigated, be it
    ``measure(settings, model=model)`` or a call of ``model.network``, and computed with eager attention.

    Args:
        model: as :func:`oversmooth.load` gives it.
        methods: such as ``NeuTRENO(strength=0.05)``.
        texts: what calibrated methods are calibrated on; one or several.

    Raises:
        MitigationError: where methods exclude each other, the model cannot carry one, or texts are missing.
        InputError: where a text cannot be tokenised.
    """
    with model.lock, Intervention(model, methods, _sampler(model, texts)).active() as intervention:
        yield intervention


def _sampler(model: LoadedModel, texts: str | Sequence[Input]) -> Sampler | None:
    texts = (texts,) if isinstance(texts, str) else texts
    if not texts:
        return None
    encoded = list(encode_all(texts, model, max_tokens=DEFAULT_MAX_TOKENS, special_tokens=True))
    return Sampler(model.anatomy, (inputs for _, inputs in Batches.of(encoded, model)))


class Sampler:
    """Gives the tokens of some texts at the output of a block; runs the model when first asked.

    Args:
        anatomy: of the model.
        batches: keyword arguments of the network, with ``attention_mask``; all their tokens but padding count. Read
            when the model is first run.
    """

    def __init__(self, anatomy: Anatomy, batches: Iterable[dict[str, Tensor]]) -> None:
        self._anatomy = anatomy
        self._batches = batches
        self._states: dict[str, Tensor] = {}

    def __call__(self, layer: int) -> Tensor:
        """The tokens at the output of this block: (token, dim)."""
        if not self._states:
            self._states = self._run()
        return self._states[points.block(layer)]

    def _run(self) -> dict[str, Tensor]:
        parts: dict[str, list[Tensor]] = {}
        for batch in self._batches:
            kept = batch["attention_mask"].bool()

            def take(point: str, states: Tensor, kept: Tensor = kept) -> None:
                if points.is_block(point):
                    # Some families pad the text inside, to a multiple of a window.
                    parts.setdefault(point, []).append(states[:, : kept.shape[1]][kept])

            record(self._anatomy, batch, take)
        return {point: torch.cat(tokens) for point, tokens in parts.items()}
