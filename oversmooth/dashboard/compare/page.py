"""What the page shows of a comparison: finding, curves, one layer in detail, fidelity, every number, records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from oversmooth import metrics
from oversmooth.core import points
from oversmooth.core.wording import count
from oversmooth.dashboard import theme
from oversmooth.dashboard.charts.chart import chart, layer_slider, name_text, spectrum_form
from oversmooth.dashboard.charts.definitions import definitions
from oversmooth.dashboard.charts.export_menu import Paper, data_row, note_choices
from oversmooth.dashboard.charts.tables import difference_table, end_table, output_reason, show_table
from oversmooth.dashboard.compare import maps
from oversmooth.dashboard.compare.plane import draw_plane
from oversmooth.dashboard.controls import address
from oversmooth.dashboard.controls import language_model as head_switch
from oversmooth.dashboard.controls.state import remembered
from oversmooth.dashboard.markdown import plain
from oversmooth.dashboard.running.one_at_a_time import part
from oversmooth.report import alternatives, findings
from oversmooth.report.figures.choosing import metrics_of
from oversmooth.report.figures.compared_curves import compared_curve
from oversmooth.report.figures.compared_spectra import compared_spectra
from oversmooth.report.figures.deltas import delta_curve
from oversmooth.report.figures.gallery import figures_of
from oversmooth.report.figures.theme import LIGHT
from oversmooth.results.comparison import Comparison
from oversmooth.results.measurement import Measurement

COLUMNS = 2
"""Charts in a row below the first."""
NOTHING_TO_SAY = (
    "not defined. The baseline is not set against itself; other reasons stand below and under “All numbers as a table”."
)


def show(comparison: Comparison, chosen: tuple[str, ...], headline: DeltaGenerator) -> None:
    """Draw everything but the controls; the finding goes to the top of the page."""
    with headline:
        st.header(plain(findings.comparison_headline(comparison)), anchor=False)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(plain(_circumstances(comparison)), width="content")
            address.copy_link()
    head_switch.learn(comparison)
    _remarks(comparison)
    details = st.container()
    # Outside the part that the layer slider redraws: this alone can stop the controls while they are measured.
    with_controls = st.toggle(
        "Draw the controls to beat",
        **remembered("with_controls", False),
        help="Noise and a plain gain of high frequencies, each over a range of strengths, as lines through the plane: "
        "what any method reaches without knowing anything. Ten more runs; turn it off to stop them.",
    )
    _ends(comparison, chosen)
    _numbers(comparison)
    with details:
        # Last, since it may wait for the controls.
        _explore(comparison, chosen, with_controls)
        data_row(comparison)


def _circumstances(comparison: Comparison) -> str:
    record = comparison.baseline.record
    seconds = sum(each.record.seconds["measure"] for each in comparison.measurements.values())
    return " · ".join(
        (
            f"baseline: {record.model.name}",
            _amount(comparison.baseline),
            f"{record.environment.device.upper()}, {record.environment.attention} attention on every side",
            f"{seconds:.2f} s",
        )
    )


def _amount(measurement: Measurement) -> str:
    measured = sum(len(tokens.measured) for tokens in measurement.tokens)
    texts = len(measurement.tokens)
    return f"{measured:,} tokens measured" + (f" in {count(texts, 'text')}" if texts > 1 else "")


def _remarks(comparison: Comparison) -> None:
    """Warnings and limits, each once, with the sides they are of."""
    warnings = {label: findings.warnings_beside(each) for label, each in comparison.measurements.items()}
    limits = {label: each.record.model.limits for label, each in comparison.measurements.items()}
    for sentence, sides in _by_sentence(warnings).items():
        st.warning(plain(_of(sides, comparison) + sentence), icon=":material/warning:")
    for sentence, sides in _by_sentence(limits).items():
        st.info(plain(_of(sides, comparison) + sentence), icon=":material/info:")


def _by_sentence(said: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for label, sentences in said.items():
        for sentence in sentences:
            found.setdefault(sentence, []).append(label)
    return found


def _of(sides: list[str], comparison: Comparison) -> str:
    return "" if len(sides) == len(comparison.measurements) else f"{', '.join(sides)}: "


@part
def _explore(comparison: Comparison, chosen: tuple[str, ...], with_controls: bool) -> None:
    """Curves, one layer in detail, and the plane. Moving the slider redraws this part alone and runs no model."""
    curves = st.container()
    point = layer_slider(_points(comparison))
    note_choices(point)
    papers = _papers(comparison, chosen, point)
    with curves:
        _curves(comparison, chosen, point, papers)
        definitions(tuple(dict.fromkeys(chosen)))
    name_text("Maps and spectra", comparison.baseline)
    label = maps.draw_maps(comparison, point, papers)
    address.update()
    left, right = st.columns(COLUMNS, gap="large")
    if label is not None:
        with left:
            maps.draw_difference(comparison, label, point, papers)
    with right:
        _spectra(comparison, point, papers)
    draw_plane(comparison, point, with_controls)


def _papers(comparison: Comparison, chosen: tuple[str, ...], point: str) -> dict[str, Paper]:
    """What can go to paper, by the names of the files."""
    measured = [name for name in chosen if name in metrics_of(comparison)]
    figures = figures_of(comparison, point=point, metrics=measured)
    return {name: Paper(comparison, name, figure) for name, figure in figures.items()}


def _points(comparison: Comparison) -> list[str]:
    """Every main point that a side has, in order."""
    found = {point for each in comparison.measurements.values() for point in each.main_points}
    blocks = sorted(filter(points.is_block, found), key=int)
    return [point for point in (points.EMBEDDING, *blocks, points.FINAL_NORM, points.FUSION) if point in found]


def _curves(comparison: Comparison, chosen: tuple[str, ...], point: str, papers: Mapping[str, Paper]) -> None:
    if not chosen:
        st.info("Choose at least one metric under “Curves” to see it over depth.", icon=":material/info:")
        return
    first, *rest = chosen
    title = metrics.get(first).title
    left, right = st.columns(COLUMNS, gap="large")
    with left:
        st.subheader(plain(f"{title} over depth"), anchor=False)
        figure = compared_curve(comparison, first, theme=theme.current(), selected=point)
        chart(figure, alternatives.compared_curve(comparison, first), "compared_curve", papers.get(first))
    with right:
        st.subheader("Difference to the baseline", anchor=False)
        figure = delta_curve(comparison, first, theme=theme.current(), selected=point)
        chart(figure, alternatives.delta_curve(comparison, first), "delta", papers.get(f"{first}_delta"))
        _partings(comparison, first)
    for start in range(0, len(rest), COLUMNS):
        for column, name in zip(st.columns(COLUMNS, gap="large"), rest[start : start + COLUMNS], strict=False):
            with column:
                st.markdown(f"**{plain(metrics.get(name).title)}**")
                figure = compared_curve(comparison, name, theme=theme.current(), selected=point)
                chart(figure, alternatives.compared_curve(comparison, name), f"compared_{name}", papers.get(name))


def _partings(comparison: Comparison, metric: str) -> None:
    """The layer at which each variant parts from the baseline, in words."""
    found = {label: comparison.parting(metric, label) for label in comparison.variants}
    parted = [f"{label} at {points.title(point)}" for label, point in found.items() if point is not None]
    if parted:
        st.caption(plain(f"First difference: {'; '.join(parted)}."))


def _spectra(comparison: Comparison, point: str, papers: Mapping[str, Paper]) -> None:
    st.subheader("Singular values", anchor=False)
    centred, logarithmic = spectrum_form()
    draw = partial(compared_spectra, comparison, point, centred=centred, logarithmic=logarithmic)
    paper = papers.get(f"spectra_{point}_centred" if centred else f"spectra_{point}")
    chart(
        draw(theme=theme.current()),
        alternatives.compared_spectra(comparison, point, centred=centred),
        "compared_spectra",
        paper and replace(paper, figure=replace(paper.figure, build=partial(draw, theme=LIGHT))),
    )


def _ends(comparison: Comparison, chosen: tuple[str, ...]) -> None:
    """What is drawn, where each side is read, as a table; with the reason where the head has nothing to say."""
    st.subheader("Every side at its end", anchor=False)
    show_table(end_table(comparison, chosen), NOTHING_TO_SAY)
    missing = {
        label: tuple(
            f"no {metrics.get(str(name)).title.lower()}: {reason}."
            for name in measurement.outputs
            if (reason := output_reason(measurement, str(name)))
        )
        for label, measurement in comparison.measurements.items()
    }
    for sentence, labels in _by_sentence(missing).items():
        st.caption(plain(f"{', '.join(labels)}: {sentence}"))


@part
def _numbers(comparison: Comparison) -> None:
    """Everything as tables and text; made when it is opened, since it is long."""
    everything = st.expander("All numbers as a table", key="numbers", on_change="rerun")
    if everything.open:
        with everything:
            show_table(difference_table(comparison), "not defined, or no difference; the reasons stand below.")
            for label, measurement in comparison.measurements.items():
                for sentence in findings.missing(measurement):
                    st.caption(plain(f"{label}: {sentence}"))
    records = st.expander("How these numbers came about", key="records", on_change="rerun")
    if records.open:
        with records:
            for label, measurement in comparison.measurements.items():
                st.markdown(f"**{plain(label)}**")
                st.code(measurement.record.to_json(), language="json", wrap_lines=True)
