"""Whether tokens of one text grow alike at all: within against between texts, layers, token identity."""

from __future__ import annotations

from functools import partial

import streamlit as st

from oversmooth import metrics
from oversmooth.dashboard.charts.chart import Charts
from oversmooth.dashboard.charts.tables import folded_tables
from oversmooth.dashboard.explain.tables import cka_table, offset_table
from oversmooth.dashboard.markdown import plain
from oversmooth.dashboard.running.one_at_a_time import fragment
from oversmooth.metrics.identity import IDENTITY_RETRIEVAL
from oversmooth.report.findings.whether import whether
from oversmooth.results.measurement import Measurement


@fragment
def draw_whether(measurement: Measurement) -> None:
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
