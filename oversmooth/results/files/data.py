"""The numbers of a result as files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from oversmooth.results.files.formats import number_formats

if TYPE_CHECKING:
    from oversmooth.results.comparison import Comparison
    from oversmooth.results.measurement import Measurement


def data(result: Measurement | Comparison, formats: Iterable[str] | None = None) -> dict[str, bytes]:
    """The numbers by file name, in the formats asked for or in all of them; equal results give equal bytes.

    ``csv`` and ``parquet`` give a file for each table (:func:`~oversmooth.results.files.tables.tables_of`), ``npz``
    gives ``arrays.npz`` (:func:`~oversmooth.results.files.arrays.arrays`), ``json`` gives ``data.json``
    (:class:`~oversmooth.results.files.document.Document`).
    """
    chosen = [each for name, each in number_formats().items() if formats is None or name in formats]
    return {name: content for each in chosen for name, content in each.write(result).items()}
