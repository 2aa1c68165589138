"""Whether tokens of one text grow alike at all: within against between texts, layers, token identity."""

from __future__ import annotations

from functools import partial

import streamlit as st

from oversmooth import metrics
from oversmooth.dashboard.charts.chart import chart, papers_of, titled
from oversmooth.dashboard.charts.tables import folded_tables
from oversmooth.dashboard.explain.tables import cka_table, offset_table
from oversmooth.dashboard.markdown import plain
from oversmooth.dashboard.running.one_at_a_time import fragment
from oversmooth.metrics import mechanisms
from oversmooth.metrics.identity import IDENTITY_RETRIEVAL
from oversmooth.report import alternatives
from oversmooth.report.figures.curves import curve
from oversmooth.report.figures.layer_cka import layer_cka
from oversmooth.report.figures.within_between import within_between
from oversmooth.report.findings.outlying import outlier_sentence
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
    papers = papers_of(measurement, metrics=_identity(measurement))
    if explanation is not None and explanation.corpus:
        said = explanation.reasons.get("corpus", "")
        if said and not any(said in sentence for sentence in sentences):
            st.caption(plain(said))
        titled(
            "Cosine within a text and between texts",
            partial(within_between, measurement),
            " ".join(filter(None, (*sentences, outlier_sentence(measurement)))),
            "within_between",
            papers,
            "within_between",
        )
    left, right = st.columns(2, gap="large")
    if explanation is not None and "layer_cka" in explanation.corpus:
        with left:
            about = mechanisms.get("layer_cka")
            titled(about.title, partial(layer_cka, measurement), about.reads, "layer_cka", papers, "layer_cka")
    with right:
        for name in _identity(measurement):
            st.markdown(f"**{plain(metrics.get(name).title)}**")
            chart(partial(curve, measurement, name), alternatives.curve(measurement, name), name, papers.get(name))
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
