"""The numbers behind the charts of an explanation, as tables."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

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
    gains = branch_gains(measurement).mean("input").to_dataframe().reset_index()
    return gains.rename(
        columns={
            "layer": "block",
            "constant_branch": "DC, branch alone",
            "rest_branch": "HC, branch alone",
            "constant_stream": "DC, with residual add",
            "rest_stream": "HC, with residual add",
        }
    )


def attention_table(measurement: Measurement) -> pd.DataFrame:
    """One row for each block and head with attention: every quantity of it, as means over texts."""
    if measurement.explanation is None:
        return pd.DataFrame()
    found = measurement.explanation.attention
    of_heads = found[[name for name in found.data_vars if "head" in found[name].dims]]
    frame = of_heads.mean("input").to_dataframe().dropna(how="all").reset_index()
    titles = {name: mechanisms.get(str(name)).title for name in of_heads.data_vars if name in mechanisms.names()}
    return frame.rename(columns={"layer": "block", **titles})


def adjacent_table(measurement: Measurement) -> pd.DataFrame:
    """One row for each block but the first: cosine of its attention to that of the block before, mean over texts."""
    if measurement.explanation is None:
        return pd.DataFrame()
    means = measurement.explanation.attention["attention_adjacent_cosine"].mean("input").to_series().dropna()
    title = mechanisms.get("attention_adjacent_cosine").title
    return pd.DataFrame({"block": means.index, title: means.to_numpy()})


def norm_table(measurement: Measurement) -> pd.DataFrame:
    """One row for each block and norm: what it divides by at least, and its gains."""
    if measurement.explanation is None:
        return pd.DataFrame()
    found = measurement.explanation.norms.drop_vars("deviation")
    smallest = found["smallest_deviation"].min("input")
    frame = found.drop_dims("input").assign(smallest_deviation=smallest).to_dataframe().reset_index()
    names = {
        "layer": "block",
        "smallest_deviation": "smallest deviation of any token",
        "negative_gains": "share of negative gains",
        "largest_gain": "largest |γ|",
    }
    columns = [column for column in ("layer", "norm", "kind", *list(names)[1:]) if column in frame]
    return frame[columns].rename(columns=names)


def cka_table(measurement: Measurement) -> pd.DataFrame:
    """Linear CKA, a row and a column for each point."""
    if measurement.explanation is None:
        return pd.DataFrame()
    names = [tick(str(point)) for point in measurement.explanation.corpus["point"].values]
    return pd.DataFrame(measurement.explanation.corpus["layer_cka"].values, index=names, columns=names)


def bound_table(measurement: Measurement) -> pd.DataFrame:
    """One row for each block: measured contraction and bound, as means over texts, and the norm of the weights."""
    if measurement.explanation is None:
        return pd.DataFrame()
    found = measurement.explanation.bound
    means = found.mean("input") if "input" in found.dims else found
    names = {
        "layer": "block",
        "contraction": "measured d_M ratio",
        "smoothing_bound": "bound v",
        "weight_norm": "largest weight norm s",
    }
    return means.to_dataframe().reset_index().rename(columns=names)


def head_table(measurement: Measurement) -> pd.DataFrame:
    """One row for each block and head: the pair of eigenvalues that dominates, and its gain."""
    if measurement.explanation is None or not measurement.explanation.dominance:
        return pd.DataFrame()
    frame = measurement.explanation.dominance.to_dataframe().reset_index()
    names = {
        "layer": "block",
        "dominant_gain": "dominant gain",
        "dominant_kind": "reads as",
        "circuit_eigenvalue": "λᴴ",
        "attention_eigenvalue": "λᴬ",
    }
    for column in ("circuit_eigenvalue", "attention_eigenvalue"):
        frame[column] = [f"{value.real:.3g}{value.imag:+.3g}i" for value in frame[column]]
    return frame.rename(columns=names)


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
