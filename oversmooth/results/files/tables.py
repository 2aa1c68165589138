"""The numbers of results as long tables: one row for each number, and what is said of each table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from oversmooth.core.plugins import Registry
from oversmooth.core.resampling import band
from oversmooth.results.comparison import Comparison

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from oversmooth.results.measurement import Measurement
else:
    import lazy_loader

    # When first asked for something: names of tables are asked for by commands that have no numbers yet.
    pd, xr = map(lazy_loader.load, ("pandas", "xarray"))

ORDER = 10


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table that a result can have."""

    name: str
    """That of its files."""
    columns: tuple[str, ...]
    meaning: str
    """What it holds, with its columns."""
    rows: Callable[[Any, str], pd.DataFrame]
    """Those of one label."""
    of: Callable[[Measurement | Comparison], Mapping[str, Any]]
    """What its rows are made of, by their labels."""
    needs: Callable[[Measurement | Comparison], bool]
    """Whether a result has it."""
    always: bool
    """Whether it is there without any row too."""
    scale: tuple[str, ...]
    """Rows that are alike in these columns share one scale where runs are compared; empty where they are not."""
    compared: Callable[[pd.DataFrame], pd.DataFrame]
    """Gives what is compared, one number in a row, in a column ``value``."""

    def made_of(self, result: Measurement | Comparison) -> pd.DataFrame | None:
        """The table of a result, all labels below each other; None where the result does not have it."""
        if not self.needs(result):
            return None
        parts = [rows for label, each in self.of(result).items() if len(rows := self.rows(each, label))]
        if not parts and not self.always:
            return None
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=self.columns)


_REGISTRY: Registry[Table] = Registry(("table", "tables"), "oversmooth.results.files")
Of = TypeVar("Of")


def sides_of(result: Measurement | Comparison) -> Mapping[str, Measurement]:
    """The measurements of a result by the label of their rows."""
    return result.measurements if isinstance(result, Comparison) else {result.settings.model: result}


def numbers(table: pd.DataFrame) -> pd.DataFrame:
    """What is compared of a table that holds one number in a row: all of them."""
    return table


def table(
    *,
    columns: str,
    meaning: str,
    of: Callable[[Measurement | Comparison], Mapping[str, Any]] = sides_of,
    needs: Callable[[Measurement | Comparison], bool] = lambda _: True,
    always: bool = False,
    scale: str = "",
    compared: Callable[[pd.DataFrame], pd.DataFrame] = numbers,
) -> Callable[[Callable[[Of, str], pd.DataFrame]], Callable[[Of, str], pd.DataFrame]]:
    """Register the decorated function as the table of its name; see :class:`Table` for the arguments.

    It gets the measurement and the label of its rows. Of what it gives, the columns are kept, in their order; one that
    is not there is empty.

    Args:
        columns: named with commas between them, like ``scale``.
        meaning: what it holds, in a clause; its columns are told behind it unless it names them itself.
        of: the measurements of the result unless told otherwise.
        needs: without it, a result has the table where that has a row.
        always: see :class:`Table`.
        scale: see :class:`Table`.
        compared: see :class:`Table`.

    Raises:
        RuntimeError: where another table has that name.
    """
    names = tuple(columns.split(","))

    def register(rows: Callable[[Of, str], pd.DataFrame]) -> Callable[[Of, str], pd.DataFrame]:
        @wraps(rows)
        def labelled(each: Of, label: str) -> pd.DataFrame:
            return rows(each, label).assign(label=label).reindex(columns=names)

        found = Table(
            name=rows.__name__,
            columns=names,
            meaning=meaning if ": " in meaning else f"{meaning}: {', '.join(names)}",
            rows=labelled,
            of=of,
            needs=needs,
            always=always,
            scale=tuple(filter(None, scale.split(","))),
            compared=compared,
        )
        _REGISTRY.add(found.name, found)
        return labelled

    return register


def all_tables() -> Mapping[str, Table]:
    """Every table that a result can have, by its name and in the order in which they are shown."""
    return _REGISTRY


def tables_of(result: Measurement | Comparison) -> dict[str, pd.DataFrame]:
    """Every table of a result by its name; rows have the label of their side, or the model's name."""
    found = {name: each.made_of(result) for name, each in _REGISTRY.items()}
    return {name: rows for name, rows in found.items() if rows is not None}


@table(
    columns="label,input,point,metric,value",
    meaning="every metric at every point of every text",
    always=True,
    scale="label,input,metric",
)
def curves(measurement: Measurement, label: str) -> pd.DataFrame:
    """Every metric at every point of every input (:meth:`oversmooth.results.measurement.Measurement.to_frame`)."""
    return measurement.to_frame(label)


def _several_texts(result: Measurement | Comparison) -> bool:
    return any(each.curves.sizes["input"] > 1 for each in sides_of(result).values())


@table(
    columns="label,point,metric,n,mean,low,high",
    meaning="means over the texts with their 95 % bootstrap bands",
    needs=_several_texts,
)
def means(measurement: Measurement, _: str) -> pd.DataFrame:
    """The mean of every metric at every point over inputs, with its band (:func:`oversmooth.core.resampling.band`).

    ``n`` inputs have a value, and ``low`` and ``high`` are the ends of the 95 % bootstrap band of their mean, NaN where
    there are fewer than two.
    """
    array = measurement.curves.to_dataarray("metric").transpose("input", "point", "metric")
    found = band(array.values)
    ends = {"n": found.count, "mean": found.mean, "low": found.low, "high": found.high}
    rows = array.isel(input=0, drop=True).to_series().rename("value").reset_index()
    return rows.assign(**{name: values.ravel() for name, values in ends.items()})


@table(
    columns="label,input,point,component,value",
    meaning="every singular value",
    always=True,
    scale="label,input,point",
)
def spectra(measurement: Measurement, _: str) -> pd.DataFrame:
    """Every singular value of the tokens (not centred) at every point of every input.

    Components are counted from 1, the largest singular value first, and end with the last that any point of the input
    has. A value that is missing at one point alone is NaN. Empty where no metric is made of singular values.
    """
    if "raw" not in measurement.spectra:
        return pd.DataFrame()
    raw = measurement.spectra["raw"].transpose("input", "point", "component")
    last = raw["component"].where(raw.notnull().any("point"), 0).max("component").to_series()
    rows = raw.to_series().rename("value").reset_index()
    kept: pd.DataFrame = rows[rows["component"] <= rows["input"].map(last)]
    return kept


@table(
    columns="label,input,metric,value",
    meaning="what the language-model head says of every text",
    scale="label,input,metric",
)
def outputs(measurement: Measurement, _: str) -> pd.DataFrame:
    """What the language-model head says of every input; empty where it was not asked, NaN where a value is missing."""
    if not measurement.outputs:
        return pd.DataFrame()
    array = measurement.outputs.to_dataarray("metric").transpose("input", "metric")
    return array.to_series().rename("value").reset_index()


def _variants(result: Measurement | Comparison) -> dict[str, Comparison]:
    return dict.fromkeys(result.variants, result) if isinstance(result, Comparison) else {}


@table(
    columns="label,input,point,metric,delta",
    meaning="each variant less the baseline",
    of=_variants,
    needs=lambda result: isinstance(result, Comparison),
    always=True,
)
def deltas(comparison: Comparison, label: str) -> pd.DataFrame:
    """A variant less the baseline, for every metric that both were measured with.

    Where the variant read other texts than the baseline, ``input`` is missing and the delta is that of the means over
    texts; where the two differ in their number of blocks, the delta is missing. The fusion of all blocks is set against
    the baseline's last block.
    """
    metrics = comparison.measurements[label].metrics
    found = {metric: comparison.input_deltas(metric, label) for metric in metrics}
    array = xr.Dataset({metric: values for metric, values in found.items() if values is not None})
    rows = array.to_dataarray("metric").transpose("input", "point", "metric").to_series().rename("delta").reset_index()
    if not comparison.same_texts(label):
        rows["input"] = pd.array([pd.NA] * len(rows), dtype="Int64")
    return rows


def to_csv(table: pd.DataFrame) -> bytes:
    """The table as UTF-8 CSV.

    Lines end with a line feed. Numbers are written with the fewest digits that read back to the same float64;
    a missing value is an empty field.
    """
    return table.to_csv(index=False, lineterminator="\n", na_rep="").encode()
