"""Mitigations on a model, for use from Python."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from oversmooth.calibration import Sampler
from oversmooth.inputs import batch, encode
from oversmooth.intervention import Intervention
from oversmooth.mitigations import Mitigation
from oversmooth.models.loaded import LoadedModel
from oversmooth.pairs import Input
from oversmooth.passes import batches
from oversmooth.settings import DEFAULT_MAX_TOKENS


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
    encoded = [encode(text, model, max_tokens=DEFAULT_MAX_TOKENS, special_tokens=True) for text in texts]
    members = batches(encoded, padded=model.anatomy.padding_is_safe)
    return Sampler(model.anatomy, (batch([encoded[number] for number in each], model) for each in members))
