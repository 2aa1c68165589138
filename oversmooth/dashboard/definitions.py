"""What the drawn metrics are: formula, range, paper, what each tells and what it cannot."""

from __future__ import annotations

import streamlit as st

from oversmooth import metrics
from oversmooth.dashboard.prose import plain


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
            metric = metrics.get(name)
            st.markdown(f"**{plain(metric.title)}** · in {plain(metric.range_text())}{_unit(metric.unit)}")
            st.latex(metric.formula)
            paper = metric.paper
            st.markdown(
                f"{plain(metric.reads)} {plain(metric.caveat)} "
                f"[{plain(paper.cite())}]({paper.url}): {plain(paper.title)}."
            )


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""
