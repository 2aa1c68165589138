"""A CSV file for each table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oversmooth.results.files.formats import number_format

if TYPE_CHECKING:
    from oversmooth.results.comparison import Comparison
    from oversmooth.results.measurement import Measurement

ORDER = 10


@number_format(title="CSV", media_type="text/csv")
def csv(result: Measurement | Comparison) -> dict[str, bytes]:
    """See :func:`oversmooth.results.files.tables.to_csv`."""
    from oversmooth.results.files.tables import tables_of, to_csv

    return {f"{name}.csv": to_csv(table) for name, table in tables_of(result).items()}
