"""What results and model folders are known by in a cache, and what they take there."""

from __future__ import annotations

import sys
from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING

from oversmooth.pairs import parts

if TYPE_CHECKING:
    from oversmooth.measurement import Measurement
    from oversmooth.settings import Settings

BYTES_PER_TOKEN = 400
"""One ``Token`` with its text, in CPython."""


def measurement_bytes(measurement: Measurement) -> int:
    """Memory of a result: its arrays, its texts, and a constant per token."""
    arrays = measurement.curves.nbytes + measurement.spectra.nbytes + measurement.outputs.nbytes
    if measurement.similarity is not None:
        arrays += measurement.similarity.nbytes
    if measurement.explanation is not None:
        arrays += measurement.explanation.nbytes
    tokens = sum(len(tokens.items) for tokens in measurement.tokens)
    return (
        arrays
        + BYTES_PER_TOKEN * tokens
        + sum(sys.getsizeof(part) for text in measurement.settings.texts for part in parts(text))
    )


def request_key(settings: Settings) -> tuple[Hashable, ...]:
    """Equal for two requests exactly when one result serves both."""
    return settings.key(), folder_fingerprint(settings.model)


def folder_fingerprint(model: str) -> tuple[tuple[str, int, int], ...]:
    """Name, size and time of change of each file of a local model folder; empty for a model from elsewhere.

    A folder that is saved over under the same name is thus another model.
    """
    try:
        folder = Path(model).expanduser()
        if not folder.is_dir():
            return ()
        # Not below: weights, configuration and tokenizer lie at the top, and somebody may have typed "/".
        status = [(path.name, path.stat()) for path in folder.iterdir() if path.is_file()]
    except (OSError, ValueError, RuntimeError):  # no permission; a NUL in the name; "~nobody"
        return ()
    return tuple(sorted((name, file.st_size, file.st_mtime_ns) for name, file in status))
