"""Where tokens grow alike: the steps of a metric over the sub-layers, and the gains of the branches."""

from __future__ import annotations

from functools import partial

import streamlit as st

from oversmooth import metrics
from oversmooth.dashboard.charts.chart import Charts
from oversmooth.dashboard.charts.tables import folded_tables
from oversmooth.dashboard.controls import address
from oversmooth.dashboard.controls.declared import EXPLAINED, STEPS
from oversmooth.dashboard.controls.state import remembered
from oversmooth.dashboard.explain.tables import gain_table, step_table
from oversmooth.dashboard.markdown import plain
from oversmooth.dashboard.running.one_at_a_time import fragment
from oversmooth.report.findings.circuits_reading import gain_sentence
from oversmooth.report.findings.explanations import where
from oversmooth.results import waterfall
from oversmooth.results.gains import missing_gains
from oversmooth.results.measurement import Measurement

DETAILS = {
    "": "As fine as can be told apart",
    "parts": "Every part",
    "stream": "Branches with their residual add",
    "blocks": "Whole blocks",
}


@fragment
def draw_where(measurement: Measurement) -> None:
    """Draw the choice of a metric and its waterfall, the gains beside them; redrawn alone, without a model."""
    st.subheader("Where: which sub-layer changes it", anchor="where")
    # Others are measured at the outputs of the blocks alone.
    known = [name for name in measurement.metrics if name in metrics.names()]
    with st.container(horizontal=True):
        metric: str = st.selectbox(
            "Metric",
            known,
            format_func=lambda name: metrics.get(name).title,
            width=320,
            **remembered(EXPLAINED.key, EXPLAINED.usual if EXPLAINED.usual in known else known[0]),
        )
        detail = st.selectbox("Steps", list(DETAILS), format_func=DETAILS.__getitem__, width=320, **STEPS.remembered())
    address.update()
    for sentence in where(measurement, metric, detail or None):
        st.markdown(plain(sentence))
    charts = Charts(measurement, metrics=(metric,))
    charts.draw("waterfall", headed=True, metric=metric, detail=detail or None)
    charts.draw("branch_gains", "gains", headed=True)
    for sentence in filter(None, (gain_sentence(measurement), missing_gains(measurement))):
        st.caption(plain(sentence))
    folded_tables(
        "The steps and the gains as tables",
        "where_tables",
        lambda: step_table(waterfall.steps(measurement, metric, detail or "parts")),
        partial(gain_table, measurement),
    )
