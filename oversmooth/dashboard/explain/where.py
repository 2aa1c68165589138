"""Where tokens grow alike: the steps of a metric over the sub-layers, and the gains of the branches."""

from __future__ import annotations

from functools import partial

import streamlit as st

from oversmooth import metrics
from oversmooth.dashboard.charts.explain_charts import papers, titled
from oversmooth.dashboard.charts.tables import BESIDE, show_table
from oversmooth.dashboard.controls import address
from oversmooth.dashboard.controls.explain_view import METRIC, STEPS
from oversmooth.dashboard.controls.state import remembered
from oversmooth.dashboard.explain.tables import gain_table, step_table
from oversmooth.dashboard.markdown import plain
from oversmooth.dashboard.running.one_at_a_time import part
from oversmooth.report.figures.gains import branch_gains
from oversmooth.report.figures.waterfall import waterfall as waterfall_figure
from oversmooth.report.findings.changes import MAIN_METRIC
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


@part
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
            **remembered(METRIC, MAIN_METRIC if MAIN_METRIC in known else known[0]),
        )
        detail = st.selectbox(
            "Steps", list(DETAILS), format_func=DETAILS.__getitem__, width=320, **remembered(STEPS, "")
        )
    address.update()
    sentences = where(measurement, metric, detail or None)
    for sentence in sentences:
        st.markdown(plain(sentence))
    on_paper = papers(measurement, metrics=(metric,))
    titled(
        f"{metrics.get(metric).title}, step by step",
        partial(waterfall_figure, measurement, metric, detail=detail or None),
        " ".join(filter(None, (*sentences, outlier_sentence(measurement)))),
        "waterfall",
        on_paper,
        f"waterfall_{metric}",
    )
    titled(
        "What each branch does to the mean token (DC) and to the rest (HC)",
        partial(branch_gains, measurement),
        gain_sentence(measurement),
        "gains",
        on_paper,
        "branch_gains",
    )
    for sentence in filter(None, (gain_sentence(measurement), missing_gains(measurement))):
        st.caption(plain(sentence))
    with st.expander("The steps and the gains as tables", key="where_tables", on_change="rerun") as tables:
        if tables.open:
            show_table(step_table(waterfall.steps(measurement, metric, detail or "parts")), BESIDE)
            show_table(gain_table(measurement), BESIDE)
