"""The page Explain: the finding, and where, why and whether tokens grow alike."""

from __future__ import annotations

from functools import partial

import streamlit as st

from oversmooth import metrics
from oversmooth.core import points
from oversmooth.dashboard import shell
from oversmooth.dashboard.charts.chart import Charts
from oversmooth.dashboard.charts.export_menu import data_row, note_choices
from oversmooth.dashboard.charts.tables import folded_tables, quantities
from oversmooth.dashboard.controls import address
from oversmooth.dashboard.controls.declared import EXPLAINED, STEPS
from oversmooth.dashboard.controls.state import remembered
from oversmooth.dashboard.explain.tables import cka_table, gain_table, offset_table, step_table
from oversmooth.dashboard.explain.toy import draw_toy
from oversmooth.dashboard.explain.why import draw_why
from oversmooth.dashboard.markdown import plain
from oversmooth.dashboard.running.one_at_a_time import fragment
from oversmooth.metrics.identity import IDENTITY_RETRIEVAL
from oversmooth.report.findings.circuits_reading import gain_sentence
from oversmooth.report.findings.explanations import explanation_headline, where
from oversmooth.report.findings.whether import whether
from oversmooth.results import waterfall
from oversmooth.results.gains import missing_gains
from oversmooth.results.measurement import Measurement


def draw() -> None:
    """Draw the page; the toy needs no model."""
    measurement, _ = shell.measured("explain")
    if measurement is not None:
        _explanation(measurement)
    draw_toy()


def _explanation(measurement: Measurement) -> None:
    shell.header(explanation_headline(measurement), *shell.circumstances(measurement))
    st.markdown("[Where](#where) · [Why](#why) · [Whether](#whether) · [Toy](#toy)")
    shell.remarks({"": measurement})
    note_choices([point for point in measurement.points if points.is_block(point)][-1])
    _where(measurement)
    draw_why(measurement)
    _whether(measurement)
    Charts(measurement).draw_plugins()
    quantities()
    data_row(measurement)
    shell.numbers({"": measurement}, when_opened=True)


DETAILS = {
    "": "As fine as can be told apart",
    "parts": "Every part",
    "stream": "Branches with their residual add",
    "blocks": "Whole blocks",
}


@fragment
def _where(measurement: Measurement) -> None:
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


@fragment
def _whether(measurement: Measurement) -> None:
    """Draw what tells over-smoothing from an offset that all texts share; redrawn alone, without a model."""
    st.subheader("Whether: smoothing, or an offset of every text", anchor="whether")
    sentences = whether(measurement)
    for sentence in sentences:
        st.markdown(plain(sentence))
    explanation = measurement.explanation
    charts = Charts(measurement, metrics=_identity(measurement))
    if explanation is not None and explanation.corpus:
        said = explanation.reasons.get("corpus", "")
        if said and not any(said in sentence for sentence in sentences):
            st.caption(plain(said))
        charts.draw("within_between", headed=True)
    left, right = st.columns(2, gap="large")
    if explanation is not None and "layer_cka" in explanation.corpus:
        with left:
            charts.draw("layer_cka", headed=True)
    with right:
        for name in _identity(measurement):
            st.markdown(f"**{plain(metrics.get(name).title)}**")
            charts.draw("curve", name, metric=name, lines=False)
            st.caption(plain(f"{metrics.get(name).reads} {metrics.get(name).caveat}"))
    if explanation is not None and explanation.corpus:
        folded_tables(
            "Within, between and the layers as tables",
            "offset_table",
            partial(offset_table, measurement),
            partial(cka_table, measurement),
        )


def _identity(measurement: Measurement) -> tuple[str, ...]:
    return tuple(name for name in (IDENTITY_RETRIEVAL,) if name in measurement.metrics)
