"""The numbers of results as long tables: one row for each number, and what is said of each table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

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


Rows = TypeVar("Rows", bound="Callable[..., pd.DataFrame]")


def sides_of(result: Measurement | Comparison) -> Mapping[str, Measurement]:
    """The measurements of a result by the label of their rows."""
    return result.measurements if isinstance(result, Comparison) else {result.settings.model: result}


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table that a result can have, declared over the function that makes its rows: ``@table(header="…", …)``.

    It gets what they are made of, the measurement unless ``of`` says otherwise, and their label. Of what it gives, the
    columns are kept, in their order; one that is not there is empty.
    """

    header: str
    """Its columns, with commas between them."""
    meaning: str
    """What it holds, in a clause; its columns are told behind it unless it names them itself."""
    of: Callable[[Measurement | Comparison], Mapping[str, Any]] = sides_of
    """What its rows are made of, by their labels."""
    needs: Callable[[Measurement | Comparison], bool] = lambda _: True
    """Whether a result has it, where it has a row."""
    always: bool = False
    """Whether it is there without any row too."""
    shared: str = ""
    """Rows that are alike in these columns share one scale where runs are compared; empty where they are not."""
    compared: Callable[[pd.DataFrame], pd.DataFrame] = lambda rows: rows
    """Gives what is compared, one number in a row, in a column ``value``; all rows unless told otherwise."""
    name: str = ""
    """That of its files: the name of the function."""
    rows: Callable[[Any, str], pd.DataFrame] = lambda _, __: pd.DataFrame()
    """Those of one label."""

    def __call__(self, rows: Rows) -> Rows:
        """Register the function that makes its rows.

        Raises:
            RuntimeError: where another table has its name.
        """
        meaning = self.meaning if ": " in self.meaning else f"{self.meaning}: {', '.join(self.columns)}"

        @wraps(rows)
        def labelled(each: Any, label: str) -> pd.DataFrame:  # noqa: ANN401  a measurement, or what ``of`` gives
            return rows(each, label).assign(label=label).reindex(columns=self.columns)

        _REGISTRY.add(rows.__name__, replace(self, name=rows.__name__, meaning=meaning, rows=labelled))
        return cast(Rows, labelled)

    @property
    def columns(self) -> tuple[str, ...]:
        """Their names, in order."""
        return tuple(self.header.split(","))

    @property
    def scale(self) -> tuple[str, ...]:
        """The names of those that rows of one scale share."""
        return tuple(filter(None, self.shared.split(",")))

    def made_of(self, result: Measurement | Comparison) -> pd.DataFrame | None:
        """The table of a result, all labels below each other; None where the result does not have it."""
        if not self.needs(result):
            return None
        parts = [rows for label, each in self.of(result).items() if len(rows := self.rows(each, label))]
        if not parts and not self.always:
            return None
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=self.columns)


_REGISTRY: Registry[Table] = Registry(("table", "tables"), "oversmooth.results.files")


table = Table


def all_tables() -> Mapping[str, Table]:
    """Every table that a result can have, by its name and in the order in which they are shown."""
    return _REGISTRY


def tables_of(result: Measurement | Comparison) -> dict[str, pd.DataFrame]:
    """Every table of a result by its name; rows have the label of their side, or the model's name."""
    found = {name: each.made_of(result) for name, each in _REGISTRY.items()}
    return {name: rows for name, rows in found.items() if rows is not None}


@table(
    header="label,input,point,metric,value",
    meaning="every metric at every point of every text",
    always=True,
    shared="label,input,metric",
)
def curves(measurement: Measurement, label: str) -> pd.DataFrame:
    """Every metric at every point of every input (:meth:`oversmooth.results.measurement.Measurement.to_frame`)."""
    return measurement.to_frame(label)


def _several_texts(result: Measurement | Comparison) -> bool:
    return any(each.curves.sizes["input"] > 1 for each in sides_of(result).values())


@table(
    header="label,point,metric,n,mean,low,high",
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
    header="label,input,point,component,value",
    meaning="every singular value",
    always=True,
    shared="label,input,point",
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
    header="label,input,metric,value",
    meaning="what the language-model head says of every text",
    shared="label,input,metric",
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
    header="label,input,point,metric,delta",
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
