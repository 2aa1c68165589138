"""What stands beside charts: their numbers as tables, and the definitions of what is drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from oversmooth import metrics
from oversmooth.core.pairs import HALVES
from oversmooth.core.points import tick
from oversmooth.core.tokens import Tokens, visible
from oversmooth.core.wording import MISSING
from oversmooth.dashboard.markdown import cited, plain
from oversmooth.dashboard.running.one_at_a_time import fragment
from oversmooth.metrics import mechanisms
from oversmooth.metrics.registry import Definition
from oversmooth.report import findings
from oversmooth.results.comparison import Comparison
from oversmooth.results.measurement import Measurement

BESIDE = "not defined; the page says why beside the chart."
"""Of the empty cells of a table that is the one of a chart."""


def show_table(table: pd.DataFrame, why: str = "") -> None:
    """Draw a table; below it, where a cell is empty, why."""
    st.dataframe(table, hide_index=isinstance(table.index, pd.RangeIndex), placeholder=MISSING)
    if why and bool(table.isna().to_numpy().any()):
        st.caption(plain(f"{MISSING}: {why}"))


def folded_tables(label: str, key: str, *tables: Callable[[], pd.DataFrame]) -> None:
    """Draw the tables of the charts beside them under a label, made when it is opened."""
    with st.expander(label, key=key, on_change="rerun") as folded:
        if folded.open:
            for table in tables:
                show_table(table(), BESIDE)


def curve_table(measurement: Measurement) -> pd.DataFrame:
    """Points in rows, metrics in columns; a missing number is an empty cell."""
    columns = {metrics.get(name).title: measurement.curve(name) for name in measurement.metrics}
    table = pd.DataFrame(columns, index=list(measurement.main_points))
    table.index = pd.Index([tick(point) for point in measurement.main_points], name="point")
    return table


def end_table(comparison: Comparison, chosen: Sequence[str]) -> pd.DataFrame:
    """One row for each side: the chosen metrics and what is left of the baseline, where the side is read."""
    sides = findings.differences(comparison, [name for name in chosen if name in metrics.names()])
    numbers = [{name: found.last for name, found in side.differences.items()} | dict(side.fidelity) for side in sides]
    return pd.DataFrame(
        {"side": side.label, "at": tick(side.point), **{metrics.get(name).title: own[name] for name in own}}
        for side, own in zip(sides, numbers, strict=True)
    )


def difference_table(comparison: Comparison) -> pd.DataFrame:
    """One row for each metric of each side, where the side is read; a missing number is an empty cell."""
    measured = [name for name in metrics.names() if name in comparison.baseline.metrics]
    sides = findings.differences(comparison, measured)
    rows: list[dict[str, object]] = []
    for name in (*measured, *metrics.fidelity_names()):
        for side in sides:
            head = {"metric": metrics.get(name).title, "side": side.label, "at": tick(side.point)}
            if name in side.differences:
                rows.append({**head, **_difference(side.differences[name])})
            elif name in side.fidelity:
                rows.append({**head, "value": side.fidelity[name]})
    return pd.DataFrame(rows)


def _difference(found: findings.Difference) -> dict[str, object]:
    return {
        "value": found.last,
        "difference": found.delta,
        "first differs at": None if found.parting is None else tick(found.parting),
        "largest difference": found.largest,
        "largest at": None if found.largest_point is None else tick(found.largest_point),
    }


def token_table(tokens: Tokens) -> pd.DataFrame:
    """One row per token, in order."""
    return pd.DataFrame(
        {
            "position": range(len(tokens.items)),
            "token": [visible(token.text) for token in tokens.items],
            "id": [token.id for token in tokens.items],
            "kind": [token.kind for token in tokens.items],
            "measured": [token.measured for token in tokens.items],
        }
        | (
            {"text": ["" if each.segment is None else HALVES[each.segment] for each in tokens.items]}
            if tokens.pair
            else {}
        )
    )


@fragment
def definitions(names: tuple[str, ...]) -> None:
    """Draw the definitions of these metrics, folded."""
    if names:
        signs = (
            r"X is the n × d matrix of the measured tokens at one layer, x\_i its rows, σ\_i its singular values in "
            "descending order."
        )
        _define("metrics", "definitions", signs, [(metrics.get(name), f"reference?entry={name}") for name in names])


def quantities() -> None:
    """Draw the definitions of the quantities of an explanation, folded."""
    signs = (
        "A is the attention matrix of one head, R removes the mean over tokens, σ with an index of a token is its "
        "standard deviation over dimensions."
    )
    _define("quantities", "quantities", signs, [(mechanisms.get(name), "") for name in mechanisms.names()])


def _define(what: str, key: str, signs: str, linked: Sequence[tuple[Definition, str]]) -> None:
    with st.expander(f"How these {what} are defined", key=key, on_change="rerun") as folded:
        if not folded.open:
            return
        st.caption(signs)
        for definition, link in linked:
            unit = f" {definition.unit}" if definition.unit else ""
            st.markdown(f"**{plain(definition.title)}** · in {plain(definition.range_text())}{unit}")
            st.latex(definition.formula)
            source = f" {cited(definition.paper)}." if definition.paper else ""
            example = f" [A small example]({link})." if link else ""
            st.markdown(f"{plain(definition.reads)} {plain(definition.caveat)}{source}{example}")
