"""The numbers of an explanation as long tables.

A field is empty where a quantity has no such dimension: that of a whole layer names no head. Tables of parts that no
side has are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Final

import numpy as np

from oversmooth.results.files.tables import table

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from oversmooth.results.explanation import Explanation
    from oversmooth.results.measurement import Measurement
else:
    import lazy_loader

    pd = lazy_loader.load("pandas")

ORDER = 20

_COUNTS: Final = ("input", "layer", "head", "token", "component")


def _of(rows: Callable[[Explanation], pd.DataFrame]) -> Callable[[Measurement, str], pd.DataFrame]:
    """A table of the explanation alone; empty where there is none."""

    @wraps(rows)
    def of(measurement: Measurement, _: str) -> pd.DataFrame:
        return pd.DataFrame() if measurement.explanation is None else rows(measurement.explanation)

    return of


def _long(dataset: xr.Dataset) -> pd.DataFrame:
    """Each number of each variable in a row of its own, under the names of its dimensions."""
    parts = [
        values.to_series().rename("value").reset_index().assign(quantity=str(name))
        for name, values in dataset.items()
        if values.size
    ]
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    # A count that some quantities do not have would become a float.
    return rows.astype({name: "Int64" for name in _COUNTS if name in rows})


def _steady(rows: pd.DataFrame) -> pd.DataFrame:
    """Without what rounding may move from 0 to 1; what that is made of is compared."""
    return rows[rows["quantity"] != "attention_sink_rate"] if "quantity" in rows else rows


def _moduli(rows: pd.DataFrame) -> pd.DataFrame:
    """The moduli of the eigenvalues of each head in order: which of a conjugate pair comes first is rounding."""
    keys = ["label", "layer", "head"]
    value = np.hypot(rows["real"], rows["imaginary"])
    rows = rows[[*keys, "component"]].assign(value=value)
    ordered = rows.sort_values([*keys, "value"], ascending=[True, True, True, False], kind="stable")
    return ordered.assign(component=rows.sort_values([*keys, "component"])["component"].to_numpy())


def _gains(rows: pd.DataFrame) -> pd.DataFrame:
    """The gains alone: which pair attains one may be a tie."""
    return rows[["label", "layer", "head"]].assign(quantity="gain", value=rows["gain"])


@table(
    header="label,input,layer,head,quantity,value",
    meaning="every quantity of every attention matrix",
    shared="label,input,quantity",
    compared=_steady,
)
@_of
def attention(explanation: Explanation) -> pd.DataFrame:
    """Every quantity of every attention matrix."""
    return _long(explanation.attention)


@table(
    header="label,input,layer,norm,kind,token,quantity,value",
    meaning="deviations and gains of the norms",
    shared="label,layer,norm,quantity",
)
def norms(measurement: Measurement, _: str) -> pd.DataFrame:
    """Deviations of the tokens of the text shown, and the gains of each norm with its kind."""
    if measurement.explanation is None:
        return pd.DataFrame()
    found = measurement.explanation.norms
    rows = _long(found.drop_vars("kind", errors="ignore"))
    if not len(rows):
        return rows
    rows.loc[rows["quantity"] == "deviation", "input"] = measurement.settings.shown
    if "kind" not in found:
        return rows
    kinds = found["kind"].to_series().rename("kind").reset_index().astype({"layer": "Int64"})
    return rows.merge(kinds, on=["layer", "norm"], how="left")


@table(
    header="label,input,layer,quantity,value",
    meaning="the bound on the contraction of each block",
    shared="label,quantity",
)
@_of
def bound(explanation: Explanation) -> pd.DataFrame:
    """Bound and contraction of each block, and the norm of its weights."""
    return _long(explanation.bound)


@table(
    header="label,layer,head,component,real,imaginary",
    meaning="eigenvalues of the value–output circuits",
    shared="label,layer",
    compared=_moduli,
)
@_of
def circuits(explanation: Explanation) -> pd.DataFrame:
    """Eigenvalues of each head's value–output circuit."""
    if "eigenvalues" not in explanation.circuits:
        return pd.DataFrame()
    values = explanation.circuits["eigenvalues"]
    rows: pd.DataFrame = values.real.to_series().rename("real").reset_index()
    rows["imaginary"] = values.imag.transpose(*values.dims).values.ravel()
    # Heads of a layer that has none are no numbers, not numbers that are missing.
    kept: pd.DataFrame = rows.loc[np.isfinite(rows["real"])]
    return kept


@table(
    header="label,layer,head,gain,kind,circuit_real,circuit_imaginary,attention_real,attention_imaginary",
    meaning="the pair of eigenvalues that dominates each head: label, layer, head, gain, kind, both eigenvalues",
    shared="label",
    compared=_gains,
)
@_of
def dominance(explanation: Explanation) -> pd.DataFrame:
    """The gain that dominates each head, and the pair of eigenvalues that attains it."""
    found = explanation.dominance
    if "dominant_gain" not in found:
        return pd.DataFrame()
    columns = {
        "gain": found["dominant_gain"],
        "kind": found["dominant_kind"],
        **{
            f"{side}_{part}": getattr(found[f"{side}_eigenvalue"], short)
            for side in ("circuit", "attention")
            for part, short in (("real", "real"), ("imaginary", "imag"))
        },
    }
    series = [values.transpose("layer", "head").to_series().rename(name) for name, values in columns.items()]
    rows: pd.DataFrame = pd.concat(series, axis="columns").reset_index()
    return rows


@table(
    header="label,form,point,input,quantity,value",
    meaning="cosine within texts and between them",
    shared="label,form,quantity",
)
@_of
def corpus(explanation: Explanation) -> pd.DataFrame:
    """Cosine within texts and between them, and their parts."""
    return _long(explanation.corpus.drop_vars("layer_cka", errors="ignore"))


@table(
    header="label,point,other,value",
    meaning="linear CKA of every pair of points",
    shared="label",
)
@_of
def layer_cka(explanation: Explanation) -> pd.DataFrame:
    """Linear CKA of every pair of points."""
    if "layer_cka" not in explanation.corpus:
        return pd.DataFrame()
    values = explanation.corpus["layer_cka"].transpose("point", "other")
    rows: pd.DataFrame = values.to_series().rename("value").reset_index()
    return rows
