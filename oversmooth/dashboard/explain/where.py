"""Where tokens grow alike: the steps of a metric over the sub-layers, and the gains of the branches."""

from __future__ import annotations

from functools import partial

import streamlit as st

from oversmooth import metrics
from oversmooth.dashboard.charts.chart import papers_of, titled
from oversmooth.dashboard.charts.tables import folded_tables
from oversmooth.dashboard.controls import address
from oversmooth.dashboard.controls.declared import EXPLAINED, STEPS
from oversmooth.dashboard.controls.state import remembered
from oversmooth.dashboard.explain.tables import gain_table, step_table
from oversmooth.dashboard.markdown import plain
from oversmooth.dashboard.running.one_at_a_time import fragment
from oversmooth.report.figures.gains import branch_gains
from oversmooth.report.figures.waterfall import waterfall as waterfall_figure
from oversmooth.report.findings.circuits_reading import gain_sentence
from oversmooth.report.findings.explanations import where
from oversmooth.report.findings.outlying import outlier_sentence
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
    sentences = where(measurement, metric, detail or None)
    for sentence in sentences:
        st.markdown(plain(sentence))
    papers = papers_of(measurement, metrics=(metric,))
    titled(
        f"{metrics.get(metric).title}, step by step",
        partial(waterfall_figure, measurement, metric, detail=detail or None),
        " ".join(filter(None, (*sentences, outlier_sentence(measurement)))),
        "waterfall",
        papers,
        f"waterfall_{metric}",
    )
    titled(
        "What each branch does to the mean token (DC) and to the rest (HC)",
        partial(branch_gains, measurement),
        gain_sentence(measurement),
        "gains",
        papers,
        "branch_gains",
    )
    for sentence in filter(None, (gain_sentence(measurement), missing_gains(measurement))):
        st.caption(plain(sentence))
    folded_tables(
        "The steps and the gains as tables",
        "where_tables",
        lambda: step_table(waterfall.steps(measurement, metric, detail or "parts")),
        partial(gain_table, measurement),
    )
