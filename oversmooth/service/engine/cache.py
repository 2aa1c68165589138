"""What results and model folders are known by in a cache, and what they take there."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from oversmooth.core.pairs import parts

if TYPE_CHECKING:
    import xarray as xr

    from oversmooth.results.measurement import Measurement
    from oversmooth.results.settings import Settings

BYTES_PER_TOKEN = 400
"""One ``Token`` with its text, in CPython."""


def measurement_bytes(measurement: Measurement) -> int:
    """Memory of a result: its arrays, its texts, and a constant per token."""
    arrays = sum(each.nbytes for each in _labelled(measurement))
    tokens = sum(len(tokens.items) for tokens in measurement.tokens)
    texts = sum(sys.getsizeof(part) for text in measurement.settings.texts for part in parts(text))
    return arrays + BYTES_PER_TOKEN * tokens + texts


def freeze(measurement: Measurement) -> None:
    """Make its arrays read-only: a result may be shown in many sessions, and none can change it for the others."""
    import xarray as xr  # the web process starts without it

    for each in _labelled(measurement):
        for variable in (each.variable,) if isinstance(each, xr.DataArray) else each.variables.values():
            variable.values.setflags(write=False)


def _labelled(measurement: Measurement) -> Iterator[xr.Dataset | xr.DataArray]:
    import xarray as xr

    held = [getattr(measurement, field.name) for field in dataclasses.fields(measurement)]
    if measurement.explanation is not None:
        held += measurement.explanation.parts.values()
    return (each for each in held if isinstance(each, xr.Dataset | xr.DataArray))


def request_key(settings: Settings) -> tuple[Hashable, ...]:
    """Equal for two requests exactly when one result serves both."""
    return settings.key(), folder_fingerprint(settings.model)


def folder_fingerprint(model: str) -> tuple[tuple[str, int, int, int], ...]:
    """Name, size and times of change of each file of a local model folder; empty for a model from elsewhere.

    A folder that is saved over under the same name is thus another model. The second time is the file system's own,
    which a copy that keeps the first cannot set back.
    """
    try:
        folder = Path(model).expanduser()
        if not folder.is_dir():
            return ()
        # Not below: weights, configuration and tokenizer lie at the top, and somebody may have typed "/".
        status = [(path.name, path.stat()) for path in folder.iterdir() if path.is_file()]
    except (OSError, ValueError, RuntimeError):  # no permission; a NUL in the name; "~nobody"
        return ()
    return tuple(sorted((name, file.st_size, file.st_mtime_ns, file.st_ctime_ns) for name, file in status))
