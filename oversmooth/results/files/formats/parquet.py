"""A Parquet file for each table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oversmooth.results.files.formats import number_format

if TYPE_CHECKING:
    from oversmooth.results.comparison import Comparison
    from oversmooth.results.measurement import Measurement

ORDER = 20


@number_format(title="Parquet")
def parquet(result: Measurement | Comparison) -> dict[str, bytes]:
    """With types; what is missing is null."""
    from oversmooth.results.files.tables import tables_of

    tables = tables_of(result)
    return {f"{name}.parquet": table.to_parquet(index=False, engine="pyarrow") for name, table in tables.items()}
