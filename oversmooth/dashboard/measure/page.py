"""What the page shows of one measurement: finding, curves, one layer in detail, tokens, record."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import streamlit as st

from oversmooth import metrics
from oversmooth.core.wording import count
from oversmooth.dashboard import theme
from oversmooth.dashboard.charts.chart import chart, layer_slider, lines_toggle, name_text, spectrum_form
from oversmooth.dashboard.charts.definitions import definitions
from oversmooth.dashboard.charts.export_menu import Paper, data_row, note_choices
from oversmooth.dashboard.charts.tables import curve_table, show_table, token_table
from oversmooth.dashboard.controls import address
from oversmooth.dashboard.markdown import plain
from oversmooth.dashboard.measure.tokens import token_strip
from oversmooth.dashboard.running.one_at_a_time import part
from oversmooth.report import alternatives, findings
from oversmooth.report.figures.curves import curve, small_curve
from oversmooth.report.figures.gallery import figures_of
from oversmooth.report.figures.similarity import similarity_map
from oversmooth.report.figures.spectrum import spectrum
from oversmooth.report.figures.theme import LIGHT
from oversmooth.results.measurement import Measurement

TILES = 4
"""Metrics summed up above the curves."""
SMALL_COLUMNS = 3
"""Small charts in a row on a wide screen."""


def show(measurement: Measurement, chosen: tuple[str, ...]) -> None:
    """Draw the whole page below the controls."""
    st.header(plain(findings.headline(measurement)), anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(plain(circumstances(measurement)), width="content")
        address.copy_link()
    for warning in findings.warnings_beside(measurement):
        st.warning(plain(warning), icon=":material/warning:")
    for limit in measurement.record.model.limits:
        st.info(plain(limit), icon=":material/info:")
    if chosen:
        _summary(measurement, chosen)
    _explore(measurement, chosen)
    data_row(measurement)
    _tokens(measurement)
    _numbers(measurement)


def circumstances(measurement: Measurement) -> str:
    """Model, tokens, device and seconds in a line."""
    record = measurement.record
    measured = sum(len(tokens.measured) for tokens in measurement.tokens)
    special = sum(len(tokens.items) for tokens in measurement.tokens) - measured
    left_out = f" ({count(special, 'special token')} left out)" if special else ""
    texts = len(measurement.tokens)
    of_texts = f" in {count(texts, 'text')}" if texts > 1 else ""
    return " · ".join(
        (
            record.model.name,
            f"{count(measured, 'token')} measured{of_texts}{left_out}",
            f"{record.environment.device.upper()}, states in {record.environment.dtype}, metrics in float64",
            f"{record.seconds['measure']:.2f} s",
        )
    )


def _summary(measurement: Measurement, chosen: tuple[str, ...]) -> None:
    changes = findings.changes(measurement, chosen[:TILES])
    for column, change in zip(st.columns(len(changes)), changes, strict=True):
        metric = metrics.get(change.metric)
        with column:
            st.metric(
                metric.title,
                _ends(change),
                _largest(change),
                delta_color="off",
                delta_arrow="off",
                help=f"{plain(metric.reads)} {plain(metric.caveat)}",
                border=True,
            )


def _ends(change: findings.Change) -> str:
    return "missing" if math.isnan(change.first) else findings.arrow(change.first, change.last)


def _largest(change: findings.Change) -> str:
    if change.block is None or change.size == 0:
        return "no change"
    return f"most in block {change.block}: {findings.number(change.size, 2)}"


@part
def _explore(measurement: Measurement, chosen: tuple[str, ...]) -> None:
    """Curves over depth, and one layer in detail. Moving the slider redraws this part alone and runs no model."""
    lines = lines_toggle(len(measurement.tokens))
    curves = st.container()
    point = layer_slider(measurement.main_points)
    address.update()
    note_choices(point, lines=lines)
    colours, papers = theme.current(), _papers(measurement, chosen, point, lines=lines)
    with curves:
        if chosen:
            st.subheader(plain(f"{metrics.get(chosen[0]).title} over depth"), anchor=False)
            chart(
                curve(measurement, chosen[0], theme=colours, selected=point, lines=lines),
                alternatives.curve(measurement, chosen[0]),
                "curve",
                papers[chosen[0]],
            )
        _small_curves(measurement, chosen[1:], point, papers, lines=lines)
        if not chosen:
            st.info("Choose at least one metric under “Curves” to see it over depth.", icon=":material/info:")
        definitions(chosen)
    name_text("Map and spectrum", measurement)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Similarity of every pair of tokens", anchor=False)
        chart(
            similarity_map(measurement, point, theme=colours),
            alternatives.similarity(measurement, point),
            "similarity",
            papers.get(f"similarity_{point}"),
        )
    with right:
        _spectrum(measurement, point, papers)


def _papers(measurement: Measurement, chosen: tuple[str, ...], point: str, *, lines: bool) -> dict[str, Paper]:
    """What can go to paper, by the names of the files."""
    figures = figures_of(measurement, point=point, metrics=chosen, lines=lines)
    return {name: Paper(measurement, name, figure) for name, figure in figures.items()}


def _small_curves(
    measurement: Measurement, names: tuple[str, ...], point: str, papers: Mapping[str, Paper], *, lines: bool
) -> None:
    # A chart each, so that the columns fold into one on a narrow screen.
    for start in range(0, len(names), SMALL_COLUMNS):
        row = names[start : start + SMALL_COLUMNS]
        for column, name in zip(st.columns(SMALL_COLUMNS), row, strict=False):
            with column:
                figure = small_curve(measurement, name, theme=theme.current(), selected=point, lines=lines)
                chart(figure, alternatives.curve(measurement, name), f"small_{name}", papers[name])


def _spectrum(measurement: Measurement, point: str, papers: Mapping[str, Paper]) -> None:
    st.subheader("Singular values", anchor=False)
    centred, logarithmic = spectrum_form()
    draw = partial(spectrum, measurement, point, centred=centred, logarithmic=logarithmic)
    paper = papers[f"spectrum_{point}_centred" if centred else f"spectrum_{point}"]
    chart(
        draw(theme=theme.current()),
        alternatives.spectrum(measurement, point, centred=centred),
        "spectrum",
        replace(paper, figure=replace(paper.figure, build=partial(draw, theme=LIGHT))),
    )


def _tokens(measurement: Measurement) -> None:
    st.subheader("Tokens as the model sees them", anchor=False)
    name_text("Tokens", measurement)
    token_strip(measurement.shown)
    with st.expander("Tokens as a table"):
        show_table(token_table(measurement.shown))


def _numbers(measurement: Measurement) -> None:
    with st.expander("All numbers as a table"):
        show_table(curve_table(measurement), "not defined; the reasons stand below.", hide_index=False)
        for sentence in findings.missing(measurement):
            st.caption(plain(sentence[0].upper() + sentence[1:]))
    with st.expander("How these numbers came about"):
        st.code(measurement.record.to_json(), language="json", wrap_lines=True)
