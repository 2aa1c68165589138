"""The numbers of measurements as long tables: one row for each number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd
import xarray as xr

from oversmooth.core.resampling import band
from oversmooth.results.comparison import Comparison
from oversmooth.results.files.explained import explained_tables

if TYPE_CHECKING:
    from oversmooth.results.measurement import Measurement

CURVE_COLUMNS = ["label", "input", "point", "metric", "value"]
MEAN_COLUMNS = ["label", "point", "metric", "n", "mean", "low", "high"]
SPECTRUM_COLUMNS = ["label", "input", "point", "component", "value"]
DELTA_COLUMNS = ["label", "input", "point", "metric", "delta"]
OUTPUT_COLUMNS = ["label", "input", "metric", "value"]


def tables_of(result: Measurement | Comparison) -> dict[str, pd.DataFrame]:
    """Every table of a result by its name, all sides below each other.

    ``means`` is there where a side has several texts, ``outputs`` where a language-model head was measured, ``deltas``
    in a comparison. Rows are labelled with
    the side of a comparison, or with the model's name.
    """
    sides = sides_of(result)
    kinds = {"curves": curves}
    if any(each.curves.sizes["input"] > 1 for each in sides.values()):
        kinds["means"] = means
    kinds["spectra"] = spectra
    if any(each.outputs for each in sides.values()):
        kinds["outputs"] = outputs
    found = {name: pd.concat([table(each, label) for label, each in sides.items()]) for name, table in kinds.items()}
    if isinstance(result, Comparison):
        changes = [deltas(result, label) for label in result.variants]
        found["deltas"] = pd.concat(changes) if changes else pd.DataFrame(columns=DELTA_COLUMNS)
    return found | explained_tables(sides)


def sides_of(result: Measurement | Comparison) -> Mapping[str, Measurement]:
    """The measurements of a result by the label of their rows."""
    return result.measurements if isinstance(result, Comparison) else {result.settings.model: result}


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


def means(measurement: Measurement, label: str) -> pd.DataFrame:
    """The mean of every metric at every point over inputs, with its band (:func:`oversmooth.core.resampling.band`).

    Args:
        measurement: what was measured.
        label: what the rows are called where several measurements meet in one table.

    Returns:
        A table with the columns ``label,point,metric,n,mean,low,high``: ``n`` inputs have a value, and ``low`` and
        ``high`` are the ends of the 95 % bootstrap band of their mean, NaN where there are fewer than two.
    """
    array = measurement.curves.to_dataarray("metric").transpose("input", "point", "metric")
    found = band(array.values)
    numbers = {"n": found.count, "mean": found.mean, "low": found.low, "high": found.high}
    rows = array.isel(input=0, drop=True).to_series().rename("value").reset_index()
    return rows.assign(label=label, **{name: values.ravel() for name, values in numbers.items()})[MEAN_COLUMNS]


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


def outputs(measurement: Measurement, label: str) -> pd.DataFrame:
    """What the language-model head says of every input; empty where it was not asked.

    Args:
        measurement: what was measured.
        label: what the rows are called where several measurements meet in one table.

    Returns:
        A table with the columns ``label,input,metric,value``; a missing value is NaN.
    """
    if not measurement.outputs:
        return pd.DataFrame(columns=OUTPUT_COLUMNS)
    array = measurement.outputs.to_dataarray("metric").transpose("input", "metric")
    return array.to_series().rename("value").reset_index().assign(label=label)[OUTPUT_COLUMNS]


def deltas(comparison: Comparison, label: str) -> pd.DataFrame:
    """A variant less the baseline, for every metric that both were measured with.

    Returns:
        A table with the columns ``label,input,point,metric,delta``. Where the variant read other texts than the
        baseline, ``input`` is missing and the delta is that of the means over texts; where the two differ in their
        number of blocks, the delta is missing. The fusion of all blocks is set against the baseline's last block.
    """
    metrics = comparison.measurements[label].metrics
    found = {metric: comparison.input_deltas(metric, label) for metric in metrics}
    array = xr.Dataset({metric: values for metric, values in found.items() if values is not None})
    rows = array.to_dataarray("metric").transpose("input", "point", "metric").to_series().rename("delta").reset_index()
    if not comparison.same_texts(label):
        rows["input"] = pd.array([pd.NA] * len(rows), dtype="Int64")
    return rows.assign(label=label)[DELTA_COLUMNS]


def to_csv(table: pd.DataFrame) -> bytes:
    """The table as UTF-8 CSV.

    Lines end with a line feed. Numbers are written with the fewest digits that read back to the same float64;
    a missing value is an empty field.
    """
    return table.to_csv(index=False, lineterminator="\n", na_rep="").encode()
