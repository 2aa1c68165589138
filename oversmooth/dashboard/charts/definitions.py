"""What the drawn metrics are: formula, range, paper, what each tells and what it cannot."""

from __future__ import annotations

import streamlit as st

from oversmooth import metrics
from oversmooth.dashboard.markdown import plain
from oversmooth.metrics import mechanisms
from oversmooth.metrics.registry import Definition


def definitions(names: tuple[str, ...]) -> None:
    """Draw the definitions of these metrics, folded."""
    if not names:
        return
    with st.expander("How these metrics are defined"):
        st.caption(
            "X is the n × d matrix of the measured tokens at one layer, x_i its rows, σ_i its singular values in "
            "descending order.".replace("_", r"\_")
        )
        for name in names:
            _define(metrics.get(name), f" [A small example](reference?entry={name}).")


def quantities() -> None:
    """Draw the definitions of the quantities of an explanation, folded."""
    with st.expander("How these quantities are defined", key="quantities", on_change="rerun") as folded:
        if not folded.open:
            return
        st.caption(
            "A is the attention matrix of one head, R removes the mean over tokens, σ with an index of a token is its "
            "standard deviation over dimensions."
        )
        for name in mechanisms.names():
            _define(mechanisms.get(name))


def _define(definition: Definition, more: str = "") -> None:
    st.markdown(f"**{plain(definition.title)}** · in {plain(definition.range_text())}{_unit(definition.unit)}")
    st.latex(definition.formula)
    paper = definition.paper
    source = f" [{plain(paper.cite())}]({paper.url}): {plain(paper.title)}." if paper else ""
    st.markdown(f"{plain(definition.reads)} {plain(definition.caveat)}{source}{more}")


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""
