"""Baselines that variants are set against: kept on the model, or run once more."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from oversmooth.core.progress import Report
from oversmooth.measuring.fidelity import Sides
from oversmooth.measuring.intervention import Intervention
from oversmooth.measuring.passes import run_texts
from oversmooth.measuring.references import Reference, reference_key
from oversmooth.measuring.resolution import Resolution
from oversmooth.measuring.rows import measured_tokens, rows_of
from oversmooth.models.encodings import Encoded
from oversmooth.models.loaded import LoadedModel
from oversmooth.models.recording import expected_points
from oversmooth.results.settings import Settings


@contextmanager
def sides_of(
    settings: Settings, model: LoadedModel, texts: Sequence[Encoded], report: Report
) -> Iterator[Sides | None]:
    """What one side of a comparison is measured with; runs the baseline first where its states are not kept.

    A baseline's own states are kept on the model when the block has come to its end.
    """
    if not settings.fidelity:
        yield Sides() if settings.explanation else None
        return
    key = reference_key(settings)
    kept: Reference | None = model.references.get(key)
    if settings.mitigations:
        if kept is None:
            kept = _run_baseline(settings, model, texts, report)
            model.references.put(key, kept)
        yield Sides(baseline=kept)
    else:
        made = _empty_reference(settings, model, texts) if kept is None else None
        yield Sides(kept=made)
        if made is not None:
            model.references.put(key, made)


def _run_baseline(settings: Settings, model: LoadedModel, texts: Sequence[Encoded], report: Report) -> Reference:
    reference = _empty_reference(settings, model, texts)
    rows = [rows_of(text) for text in texts]
    resolution = Resolution(rows, np.dtype(model.precision), post_norm=model.anatomy.post_norm)

    def take(numbers: Sequence[int], point: str, states: NDArray[np.floating]) -> None:
        for number, tokens in measured_tokens(rows, numbers, states, resolution.of(numbers, point)):
            if math.isfinite(tokens.energy):
                reference.keep(number, point, tokens)

    with Intervention(model, ()).active() as intervention:
        run_texts(texts, model, settings.points, intervention, take, report, resolution=resolution)
    return reference


def _empty_reference(settings: Settings, model: LoadedModel, texts: Sequence[Encoded]) -> Reference:
    counts = [len(text.tokens.measured) for text in texts]
    points = len(expected_points(model.anatomy, settings.points))
    return Reference(counts, points, model.anatomy.hidden_size, model.network.dtype.itemsize)
