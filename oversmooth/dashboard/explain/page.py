"""The page Explain: the finding, and where, why and whether tokens grow alike."""

from __future__ import annotations

from functools import partial

import streamlit as st
import xarray as xr

from oversmooth import metrics
from oversmooth.core import points
from oversmooth.dashboard import shell
from oversmooth.dashboard.charts.chart import Charts, layer_slider, name_text
from oversmooth.dashboard.charts.export_menu import data_row, note_choices
from oversmooth.dashboard.charts.tables import curve_table, folded_tables, quantities
from oversmooth.dashboard.controls import address
from oversmooth.dashboard.controls.declared import ATTENTION, EXPLAINED, NULL_MODEL, STEPS
from oversmooth.dashboard.controls.state import bound, last, remembered
from oversmooth.dashboard.explain.tables import (
    adjacent_table,
    attention_table,
    bound_table,
    cka_table,
    gain_table,
    head_table,
    norm_table,
    offset_table,
    step_table,
)
from oversmooth.dashboard.explain.toy import draw_toy
from oversmooth.dashboard.markdown import plain
from oversmooth.dashboard.running.one_at_a_time import fragment
from oversmooth.metrics import mechanisms
from oversmooth.metrics.identity import IDENTITY_RETRIEVAL
from oversmooth.metrics.mechanisms.declared_attention import NULL
from oversmooth.report.figures.curves import small_curve
from oversmooth.report.findings.explanations import explanation_headline, where
from oversmooth.report.findings.mechanisms import gain_sentence
from oversmooth.report.findings.readings import Reading, readings
from oversmooth.report.findings.whether import whether
from oversmooth.results import waterfall
from oversmooth.results.gains import missing_gains
from oversmooth.results.measurement import Measurement
from oversmooth.results.view import ATTENTION as QUANTITIES


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
    _why(measurement)
    _whether(measurement)
    Charts(measurement).draw_plugins()
    quantities()
    data_row(measurement)
    shell.numbers({"": measurement}, partial(curve_table, measurement))


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
    identity = tuple(name for name in (IDENTITY_RETRIEVAL,) if name in measurement.metrics)
    charts = Charts(measurement, metrics=identity)
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
        for name in identity:
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


SPECTRAL = ("spectrum_skewness", "explained_variance_1", "spectrum_median")


def _why(measurement: Measurement) -> None:
    """Draw the four readings, each redrawn alone, without a model."""
    st.subheader("Why: four readings", anchor="why")
    attention, norms, circuits, spectrum = readings(measurement)
    _attention(measurement, attention)
    _norms(measurement, norms)
    _circuits(measurement, circuits)
    _spectrum(measurement, spectrum)


def _said(number: int, reading: Reading) -> None:
    """The words of a reading."""
    st.markdown(f"#### {number}. {plain(reading.title)}")
    st.markdown("\n".join(f"- **{label}**: {plain(sentence)}" for label, sentence in reading.labelled))
    if reading.warning:
        st.warning(plain(reading.warning), icon=":material/warning:")


@fragment
def _attention(measurement: Measurement, reading: Reading) -> None:
    _said(1, reading)
    if measurement.explanation is None:
        return
    found = measurement.explanation.attention
    known = [name for name in QUANTITIES if name in found]
    if not known:
        return
    quantity, difference = _quantity(found, known)
    address.update()
    charts = Charts(measurement)
    left, right = st.columns(2, gap="large")
    with left:
        charts.draw("attention_map", "attention", headed=True, quantity=quantity, difference=difference)
    with right:
        charts.draw("attention_adjacent", "adjacent", headed=True)
    tables = partial(attention_table, measurement), partial(adjacent_table, measurement)
    folded_tables("Attention as a table", "attention_table", *tables)


def _quantity(found: xr.Dataset, known: list[str]) -> tuple[str, bool]:
    """The quantity that is drawn, and whether less that of its null model."""
    ATTENTION.note_usual(known[0])
    asked = last(ATTENTION.key, "")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        quantity: str = st.selectbox(
            "Quantity of attention",
            known,
            format_func=lambda name: mechanisms.get(name).title,
            width=320,
            **bound(ATTENTION.key, asked if asked in known else known[0]),
        )
        difference = f"{quantity}{NULL}" in found and st.toggle(
            "Less its null model",
            **NULL_MODEL.remembered(),
            help="The null model has every row's entries shuffled: as sharp, but attending to anything.",
        )
    return quantity, difference


@fragment
def _norms(measurement: Measurement, reading: Reading) -> None:
    _said(2, reading)
    explanation = measurement.explanation
    charts = Charts(measurement)
    left, right = st.columns(2, gap="large")
    if explanation is not None and "deviation" in explanation.norms:
        with left:
            charts.draw("norm_deviation", "norms", headed=True)
            name_text("The histograms are", measurement)
            folded_tables("Norms as a table", "norm_table", partial(norm_table, measurement))
    if explanation is not None and explanation.bound:
        with right:
            charts.draw("smoothing_bound", "bound", headed=True)
            folded_tables("Bound and contraction as a table", "bound_table", partial(bound_table, measurement))


@fragment
def _circuits(measurement: Measurement, reading: Reading) -> None:
    _said(3, reading)
    explanation = measurement.explanation
    if explanation is None or not explanation.circuits:
        return
    layer = layer_slider([point for point in measurement.points if points.is_block(point)])
    address.update()
    note_choices(layer)
    charts = Charts(measurement, point=layer)
    left, right = st.columns(2, gap="large")
    with left:
        charts.draw("circuit_eigenvalues", "eigenvalues", headed=True, layer=int(layer))
    if explanation.dominance:
        with right:
            charts.draw("dominance", headed=True)
            name_text("Attention is", measurement)
    folded_tables("Heads as a table", "head_table", partial(head_table, measurement))


@fragment
def _spectrum(measurement: Measurement, reading: Reading) -> None:
    _said(4, reading)
    drawn = tuple(name for name in SPECTRAL if name in measurement.metrics)
    charts = Charts(measurement, metrics=drawn)
    left, right = st.columns(2, gap="large")
    with left:
        charts.draw("spectrum_cdf", headed=True)
        name_text("The spectra are", measurement)
    with right:
        for name in drawn:
            charts.draw("curve", name, small=small_curve, metric=name, lines=False)
