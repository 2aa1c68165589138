"""The page Measure: finding, curves, one layer in detail, tokens and record of one measurement."""

from __future__ import annotations

import math
from functools import partial
from html import escape

import streamlit as st

from oversmooth import metrics
from oversmooth.core.tokens import Token, Tokens, visible
from oversmooth.core.wording import count
from oversmooth.dashboard import shell
from oversmooth.dashboard.charts.chart import Charts, layer_slider, lines_toggle, name_text, spectrum_form
from oversmooth.dashboard.charts.export_menu import data_row, note_choices
from oversmooth.dashboard.charts.tables import curve_table, definitions, folded_tables, token_table
from oversmooth.dashboard.controls import address
from oversmooth.dashboard.markdown import plain
from oversmooth.dashboard.running.one_at_a_time import fragment
from oversmooth.report import findings
from oversmooth.report.figures.curves import small_curve
from oversmooth.results.measurement import Measurement

TILES = 4
"""Metrics summed up above the curves."""
SMALL_COLUMNS = 3
"""Small charts in a row on a wide screen."""


def draw() -> None:
    """Draw the page."""
    measurement, chosen = shell.measured("measure")
    if measurement is None:
        return
    shell.header(findings.headline(measurement), *shell.circumstances(measurement))
    shell.remarks({"": measurement})
    if chosen:
        _summary(measurement, chosen)
    _explore(measurement, chosen)
    data_row(measurement)
    _tokens(measurement)
    shell.numbers({"": measurement}, partial(curve_table, measurement))


def _summary(measurement: Measurement, chosen: tuple[str, ...]) -> None:
    changes = findings.changes(measurement, chosen[:TILES])
    for column, change in zip(st.columns(len(changes)), changes, strict=True):
        metric = metrics.get(change.metric)
        with column:
            st.metric(
                metric.title,
                "missing" if math.isnan(change.first) else findings.arrow(change.first, change.last),
                _largest(change),
                delta_color="off",
                delta_arrow="off",
                help=f"{plain(metric.reads)} {plain(metric.caveat)}",
                border=True,
            )


def _largest(change: findings.Change) -> str:
    if change.block is None or change.size == 0:
        return "no change"
    return f"most in block {change.block}: {findings.number(change.size, 2)}"


@fragment
def _explore(measurement: Measurement, chosen: tuple[str, ...]) -> None:
    """Curves over depth, and one layer in detail. Moving the slider redraws this part alone and runs no model."""
    lines = lines_toggle(len(measurement.tokens))
    curves = st.container()
    point = layer_slider(measurement.main_points)
    address.update()
    note_choices(point, lines=lines)
    charts = Charts(measurement, point=point, metrics=chosen, lines=lines)
    with curves:
        _curves(charts, chosen, point, lines=lines)
        definitions(chosen)
    name_text("Map and spectrum", measurement)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Similarity of every pair of tokens", anchor=False)
        charts.draw("similarity_map", "similarity", point=point)
    with right:
        st.subheader("Singular values", anchor=False)
        centred, logarithmic = spectrum_form()
        charts.draw("spectrum", point=point, centred=centred, logarithmic=logarithmic)
    charts.draw_plugins()


def _curves(charts: Charts, chosen: tuple[str, ...], point: str, *, lines: bool) -> None:
    if not chosen:
        st.info("Choose at least one metric under “Curves” to see it over depth.", icon=":material/info:")
        return
    first, *rest = chosen
    st.subheader(plain(f"{metrics.get(first).title} over depth"), anchor=False)
    charts.draw("curve", metric=first, lines=lines, marks={"selected": point})
    # A chart each, so that the columns fold into one on a narrow screen.
    for start in range(0, len(rest), SMALL_COLUMNS):
        for column, name in zip(st.columns(SMALL_COLUMNS), rest[start : start + SMALL_COLUMNS], strict=False):
            with column:
                charts.draw(
                    "curve", f"small_{name}", small=small_curve, metric=name, lines=lines, marks={"selected": point}
                )


def _tokens(measurement: Measurement) -> None:
    st.subheader("Tokens as the model sees them", anchor=False)
    name_text("Tokens", measurement)
    token_strip(measurement.shown)
    _token_table(measurement)


@fragment
def _token_table(measurement: Measurement) -> None:
    folded_tables("Tokens as a table", "tokens", partial(token_table, measurement.shown))


SHOWN = 512
STYLE = """<style>
.tokens {display: flex; flex-wrap: wrap; gap: 3px; line-height: 1.5}
.tokens bdi {border: 1px solid rgba(128, 128, 128, .45); border-radius: 4px; padding: 0 5px; white-space: pre}
.tokens bdi.out {opacity: .55; border-style: dashed}
.tokens bdi.unknown {border-color: #D55E00}
.tokens bdi.second {border-bottom: 3px double rgba(128, 128, 128, .9)}
</style>"""


def token_strip(tokens: Tokens) -> None:
    """Draw the tokens in order; those that do not count are dashed, those unknown to the vocabulary outlined."""
    chips = "".join(_chip(token, position) for position, token in enumerate(tokens.items[:SHOWN]))
    st.html(f'{STYLE}<div class="tokens" role="list" aria-label="Tokens in order">{chips}</div>')
    legend = ["dashed: not counted"] if any(not token.measured for token in tokens.items) else []
    if any(token.kind == "unknown" for token in tokens.items):
        legend.append("orange outline: unknown to the vocabulary")
    if tokens.pair:
        legend.append("underlined: of the second text of the pair")
    if len(tokens.items) > SHOWN:
        legend.append(f"{count(len(tokens.items) - SHOWN, 'more token')} in the table")
    if legend:
        st.caption("; ".join(legend))


def _chip(token: Token, position: int) -> str:
    # bdi keeps a right-to-left token from turning its neighbours round.
    marks = {"out": not token.measured, "unknown": token.kind == "unknown", "second": token.segment == 1}
    classes = " ".join(name for name, on in marks.items() if on)
    title = f"position {position}, id {token.id}, {token.kind}{', second text' if token.segment == 1 else ''}"
    return f'<bdi role="listitem" class="{classes}" title="{title}">{escape(visible(token.text))}</bdi>'
