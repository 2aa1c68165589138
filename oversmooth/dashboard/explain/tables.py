"""The numbers behind the charts of an explanation, as tables."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import xarray as xr

from oversmooth.core.points import tick
from oversmooth.metrics import mechanisms
from oversmooth.report.findings.whether import offsets
from oversmooth.results.gains import branch_gains
from oversmooth.results.measurement import Measurement
from oversmooth.results.waterfall import Step


def step_table(steps: Sequence[Step]) -> pd.DataFrame:
    """One row for each step, in the order of the data's way."""
    return pd.DataFrame(
        {
            "block": "final norm" if step.block is None else str(step.block),
            "step": step.kind,
            "from": step.start,
            "to": step.end,
            "change": step.change,
            "band, low": step.low,
            "band, high": step.high,
            "texts": step.count,
        }
        for step in steps
    )


def gain_table(measurement: Measurement) -> pd.DataFrame:
    """One row for each block and branch: means over texts."""
    columns = {
        "constant_branch": "DC, branch alone",
        "rest_branch": "HC, branch alone",
        "constant_stream": "DC, with residual add",
        "rest_stream": "HC, with residual add",
    }
    return _rows(branch_gains(measurement), columns)


def attention_table(measurement: Measurement) -> pd.DataFrame:
    """One row for each block and head with attention: every quantity of it, as means over texts."""
    found = _part(measurement, "attention")
    of_heads = found[[name for name in found.data_vars if "head" in found[name].dims]]
    titles = {str(name): mechanisms.get(str(name)).title for name in of_heads.data_vars if name in mechanisms.names()}
    return _rows(of_heads, titles, empty=False)


def adjacent_table(measurement: Measurement) -> pd.DataFrame:
    """One row for each block but the first: cosine of its attention to that of the block before, mean over texts."""
    name = "attention_adjacent_cosine"
    found = _rows(_part(measurement, "attention")[[name]], {name: mechanisms.get(name).title})
    return found.dropna().reset_index(drop=True)


def norm_table(measurement: Measurement) -> pd.DataFrame:
    """One row for each block and norm: what it divides by at least, and its gains."""
    found = _part(measurement, "norms").drop_vars("deviation")
    smallest = found["smallest_deviation"].min("input")
    columns = {
        "smallest_deviation": "smallest deviation of any token",
        "negative_gains": "share of negative gains",
        "largest_gain": "largest |γ|",
    }
    table = _rows(found.drop_dims("input").assign(smallest_deviation=smallest), columns)
    return table[[name for name in ("block", "norm", "kind", *columns.values()) if name in table]]


def cka_table(measurement: Measurement) -> pd.DataFrame:
    """Linear CKA, a row and a column for each point."""
    found = _part(measurement, "corpus")
    names = [tick(str(point)) for point in found["point"].values]
    return pd.DataFrame(found["layer_cka"].values, index=names, columns=names)


def bound_table(measurement: Measurement) -> pd.DataFrame:
    """One row for each block: measured contraction and bound, as means over texts, and the norm of the weights."""
    columns = {
        "contraction": "measured d_M ratio",
        "smoothing_bound": "bound v",
        "weight_norm": "largest weight norm s",
    }
    return _rows(_part(measurement, "bound"), columns)


def head_table(measurement: Measurement) -> pd.DataFrame:
    """One row for each block and head: the pair of eigenvalues that dominates, and its gain."""
    found = _part(measurement, "dominance")
    if not found:
        return pd.DataFrame()
    pair = {"circuit_eigenvalue": "λᴴ", "attention_eigenvalue": "λᴬ"}
    table = _rows(found, {"dominant_gain": "dominant gain", "dominant_kind": "reads as", **pair})
    for column in pair.values():
        table[column] = [f"{value.real:.3g}{value.imag:+.3g}i" for value in table[column]]
    return table


def offset_table(measurement: Measurement) -> pd.DataFrame:
    """One row for each form and point: within, between, their difference and the common share."""
    return pd.DataFrame(
        {
            "form": form,
            "point": tick(point),
            "within": each.within,
            "between": each.between,
            "within − between": each.own,
            "common share": each.share,
        }
        for form in ("raw", "centred", "standardised")
        for point, each in offsets(measurement, form).items()
    )


def _part(measurement: Measurement, name: str) -> xr.Dataset:
    """One part of the explanation; empty where none was measured."""
    found: xr.Dataset = getattr(measurement.explanation, name, xr.Dataset())
    return found


def _rows(found: xr.Dataset, columns: dict[str, str], *, empty: bool = True) -> pd.DataFrame:
    """One row for each block and what else is told apart, of means over texts; also those that are ``empty``."""
    means = (found.mean("input") if "input" in found.dims else found).to_dataframe()
    return (means if empty else means.dropna(how="all")).reset_index().rename(columns={"layer": "block", **columns})
