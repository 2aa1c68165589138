"""Spectra and maps as arrays."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

from oversmooth.results.files.formats import number_format

if TYPE_CHECKING:
    from oversmooth.results.comparison import Comparison
    from oversmooth.results.measurement import Measurement

ORDER = 30
_FILE: Final = "arrays.npz"


@number_format(title="NPZ", file=_FILE, meaning="spectra and similarity maps with their coordinates, for numpy.load")
def npz(result: Measurement | Comparison) -> dict[str, bytes]:
    """A compressed file of :func:`oversmooth.results.files.data.arrays` that ``numpy.load`` reads without pickles."""
    import numpy as np

    from oversmooth.results.files.arrays import arrays

    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays(result))
    return {_FILE: buffer.getvalue()}
