"""The numbers of a measurement as long tables: one row for each number."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from oversmooth.measurement import Measurement

CURVE_COLUMNS = ["label", "input", "point", "metric", "value"]
SPECTRUM_COLUMNS = ["label", "input", "point", "component", "value"]


def curves(measurement: Measurement, label: str) -> pd.DataFrame:
    """Every metric at every point of every input.

    Args:
        measurement: what was measured.
        label: what the rows are called where several measurements meet in one table.

    Returns:
        A table with the columns ``label,input,point,metric,value``; inputs are counted from 0, points are in the
        order of the data's way through the model, a missing value is NaN.
    """
    array = measurement.curves.to_dataarray("metric").transpose("input", "point", "metric")
    rows = array.to_series().rename("value").reset_index()
    return rows.assign(label=label)[CURVE_COLUMNS]


def spectra(measurement: Measurement, label: str) -> pd.DataFrame:
    """Every singular value of the tokens (not centred) at every point of every input.

    Args:
        measurement: what was measured.
        label: what the rows are called where several measurements meet in one table.

    Returns:
        A table with the columns ``label,input,point,component,value``; components are counted from 1, the largest
        singular value first, and end with the last that any point of the input has. A value that is missing at one
        point alone is NaN.
    """
    raw = measurement.spectra["raw"].transpose("input", "point", "component")
    last = raw["component"].where(raw.notnull().any("point"), 0).max("component").to_series()
    rows = raw.to_series().rename("value").reset_index()
    kept = rows[rows["component"] <= rows["input"].map(last)]
    return kept.assign(label=label)[SPECTRUM_COLUMNS].reset_index(drop=True)


def to_csv(table: pd.DataFrame) -> bytes:
    """The table as UTF-8 CSV.

    Lines end with a line feed. Numbers are written with the fewest digits that read back to the same float64;
    a missing value is an empty field.
    """
    return table.to_csv(index=False, lineterminator="\n", na_rep="").encode()
