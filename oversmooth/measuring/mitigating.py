"""Mitigations on a model, for use from Python."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from oversmooth.core.pairs import Input
from oversmooth.measuring.calibration import Sampler
from oversmooth.measuring.intervention import Intervention
from oversmooth.measuring.passes import batches
from oversmooth.mitigations import Mitigation
from oversmooth.models.inputs import batch, encode
from oversmooth.models.loaded import LoadedModel
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
    encoded = [encode(text, model, max_tokens=DEFAULT_MAX_TOKENS, special_tokens=True) for text in texts]
    members = batches(encoded, padded=model.anatomy.padding_is_safe)
    return Sampler(model.anatomy, (batch([encoded[number] for number in each], model) for each in members))
