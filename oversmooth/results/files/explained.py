"""The numbers of an explanation as long tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import xarray as xr

    from oversmooth.results.explanation import Explanation
    from oversmooth.results.measurement import Measurement

ATTENTION_COLUMNS: Final = ["label", "input", "layer", "head", "quantity", "value"]
NORM_COLUMNS: Final = ["label", "input", "layer", "norm", "kind", "token", "quantity", "value"]
BOUND_COLUMNS: Final = ["label", "input", "layer", "quantity", "value"]
CIRCUIT_COLUMNS: Final = ["label", "layer", "head", "component", "real", "imaginary"]
DOMINANCE_COLUMNS: Final = [
    "label", "layer", "head", "gain", "kind", "circuit_real", "circuit_imaginary", "attention_real",
    "attention_imaginary",
]  # fmt: skip
CORPUS_COLUMNS: Final = ["label", "form", "point", "input", "quantity", "value"]
CKA_COLUMNS: Final = ["label", "point", "other", "value"]
_COUNTS: Final = ("input", "layer", "head", "token", "component")


def explained_tables(sides: Mapping[str, Measurement]) -> dict[str, pd.DataFrame]:
    """Every table of the explanations by its name, all sides below each other; empty where no side has one.

    A field is empty where a quantity has no such dimension: that of a whole layer names no head. Tables of parts that
    no side has are left out.

    Args:
        sides: measurements by the label of their rows.
    """
    found: dict[str, pd.DataFrame] = {}
    for name, (columns, rows_of) in _TABLES.items():
        tables = [
            rows_of(each.explanation, each.settings.shown).assign(label=label).reindex(columns=columns)
            for label, each in sides.items()
            if each.explanation is not None
        ]
        known = [table for table in tables if len(table)]
        if known:
            found[name] = pd.concat(known, ignore_index=True)
    return found


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


def _attention(explanation: Explanation, _: int) -> pd.DataFrame:
    return _long(explanation.attention)


def _norms(explanation: Explanation, shown: int) -> pd.DataFrame:
    found = explanation.norms
    rows = _long(found.drop_vars("kind", errors="ignore"))
    if not len(rows):
        return rows
    rows.loc[rows["quantity"] == "deviation", "input"] = shown
    if "kind" not in found:
        return rows
    kinds = found["kind"].to_series().rename("kind").reset_index().astype({"layer": "Int64"})
    return rows.merge(kinds, on=["layer", "norm"], how="left")


def _bound(explanation: Explanation, _: int) -> pd.DataFrame:
    return _long(explanation.bound)


def _circuits(explanation: Explanation, _: int) -> pd.DataFrame:
    if "eigenvalues" not in explanation.circuits:
        return pd.DataFrame()
    values = explanation.circuits["eigenvalues"]
    rows: pd.DataFrame = values.real.to_series().rename("real").reset_index()
    rows["imaginary"] = values.imag.transpose(*values.dims).values.ravel()
    # Heads of a layer that has none are no numbers, not numbers that are missing.
    kept: pd.DataFrame = rows.loc[np.isfinite(rows["real"])]
    return kept


def _dominance(explanation: Explanation, _: int) -> pd.DataFrame:
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


def _corpus(explanation: Explanation, _: int) -> pd.DataFrame:
    return _long(explanation.corpus.drop_vars("layer_cka", errors="ignore"))


def _layer_cka(explanation: Explanation, _: int) -> pd.DataFrame:
    if "layer_cka" not in explanation.corpus:
        return pd.DataFrame()
    values = explanation.corpus["layer_cka"].transpose("point", "other")
    rows: pd.DataFrame = values.to_series().rename("value").reset_index()
    return rows


_TABLES: Final[Mapping[str, tuple[list[str], Callable[[Explanation, int], pd.DataFrame]]]] = {
    "attention": (ATTENTION_COLUMNS, _attention),
    "norms": (NORM_COLUMNS, _norms),
    "bound": (BOUND_COLUMNS, _bound),
    "circuits": (CIRCUIT_COLUMNS, _circuits),
    "dominance": (DOMINANCE_COLUMNS, _dominance),
    "corpus": (CORPUS_COLUMNS, _corpus),
    "layer_cka": (CKA_COLUMNS, _layer_cka),
}
