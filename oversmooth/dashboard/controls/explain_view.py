"""What the page that explains draws, as a view for its address, and back into its controls."""

from __future__ import annotations

from typing import Final

import streamlit as st

from oversmooth.dashboard.charts.chart import LAYER_ASKED_FOR, USUAL_LAYER
from oversmooth.dashboard.controls.state import keep, last
from oversmooth.report.findings.changes import MAIN_METRIC
from oversmooth.results.view import View

USUAL_QUANTITY: Final = "usual quantity"
"""Key of the session: the quantity of attention that is drawn at first."""
SOURCE: Final = "explain_source"
METRIC, STEPS, QUANTITY, NULL_CHOICE = "explained_metric", "explained_steps", "attention_quantity", "beyond_null"
RANGE, RESIDUAL, DEPTH, SEED = "toy_range", "toy_residual", "toy_depth", "toy_seed"
"""Keys of the page's controls."""


def view() -> View:
    """What its controls say, or would say before they are drawn."""
    usual = View()
    low, high = (round(end, 10) for end in last(RANGE, (usual.toy_low, usual.toy_high)))
    layer = last("layer", "")
    metric, quantity = last(METRIC, MAIN_METRIC), last(QUANTITY, "")
    return View(
        lines=False,
        layer="" if layer == st.session_state.get(USUAL_LAYER) else layer,
        explained="" if metric == MAIN_METRIC else metric,
        steps=last(STEPS, usual.steps),
        attention="" if quantity == st.session_state.get(USUAL_QUANTITY) else quantity,
        null=last(NULL_CHOICE, usual.null),
        toy_low=low,
        toy_high=high,
        toy_residual=last(RESIDUAL, usual.toy_residual),
        toy_depth=last(DEPTH, usual.toy_depth),
        toy_seed=last(SEED, usual.toy_seed),
    )


def restore(asked: View) -> None:
    """Set the controls, before they are drawn."""
    if asked.layer:
        keep("layer", asked.layer)
        st.session_state[LAYER_ASKED_FOR] = asked.layer
    keep(METRIC, asked.explained or MAIN_METRIC)
    keep(STEPS, asked.steps)
    keep(QUANTITY, asked.attention)
    keep(NULL_CHOICE, asked.null)
    keep(RANGE, tuple(sorted((asked.toy_low, asked.toy_high))))
    keep(RESIDUAL, asked.toy_residual)
    keep(DEPTH, asked.toy_depth)
    keep(SEED, asked.toy_seed)
