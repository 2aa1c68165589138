"""The page Compare: a baseline beside mitigations, other models or other texts: what each changes, what it leaves."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from oversmooth import metrics
from oversmooth.core import points
from oversmooth.core.wording import count
from oversmooth.dashboard import shell, theme
from oversmooth.dashboard.charts.chart import Charts, chart, layer_slider, name_text, spectrum_form
from oversmooth.dashboard.charts.export_menu import Paper, data_row, note_choices
from oversmooth.dashboard.charts.tables import definitions, difference_table, end_table, show_table
from oversmooth.dashboard.controls import address, variant_editor
from oversmooth.dashboard.controls.declared import CHANGED, LEFT_OVER, WITH_CONTROLS
from oversmooth.dashboard.controls.models import note_headless, output_reason
from oversmooth.dashboard.controls.state import choice, last
from oversmooth.dashboard.controls.variants import compared
from oversmooth.dashboard.markdown import plain
from oversmooth.dashboard.running.one_at_a_time import fragment
from oversmooth.dashboard.running.waiting import await_comparison, await_controls
from oversmooth.dashboard.theme import swatch
from oversmooth.report import findings
from oversmooth.report.figures import registry
from oversmooth.report.figures.choosing import metrics_of
from oversmooth.report.figures.theme import LIGHT
from oversmooth.results.comparison import Comparison
from oversmooth.results.view import LEFT

COLUMNS = 2
"""Charts in a row below the first."""
NOTHING_TO_SAY = (
    "not defined. The baseline is not set against itself; other reasons stand below and under “All numbers as a table”."
)


def draw() -> None:
    """Draw the page; the finding stands above the variants."""
    settings, chosen = shell.controls("compare")
    headline = st.container()
    variants = variant_editor.editor()
    asked, refused = compared(settings, variants)
    address.write(asked, refused)
    comparison = await_comparison(asked, refused, {label: variant.place for label, variant in variants.items()})
    if comparison is not None:
        with headline:
            shell.header(findings.comparison_headline(comparison), *_circumstances(comparison))
        _below(comparison, chosen)


def _below(comparison: Comparison, chosen: tuple[str, ...]) -> None:
    note_headless(comparison)
    shell.remarks(comparison.measurements)
    details = st.container()
    # Outside the part that the layer slider redraws: this alone can stop the controls while they are measured.
    with_controls = st.toggle(
        "Draw the controls to beat",
        **WITH_CONTROLS.remembered(),
        help="Noise and a plain gain of high frequencies, each over a range of strengths, as lines through the plane: "
        "what any method reaches without knowing anything. Ten more runs; turn it off to stop them.",
    )
    _ends(comparison, chosen)
    table = partial(difference_table, comparison)
    shell.numbers(comparison.measurements, table, "not defined, or no difference")
    with details:
        # Last, since it may wait for the controls.
        _explore(comparison, chosen, with_controls)
        data_row(comparison)


def _circumstances(comparison: Comparison) -> tuple[str, ...]:
    record = comparison.baseline.record
    seconds = sum(each.record.seconds["measure"] for each in comparison.measurements.values())
    measured = sum(len(tokens.measured) for tokens in comparison.baseline.tokens)
    texts = len(comparison.baseline.tokens)
    return (
        f"baseline: {record.model.name}",
        f"{measured:,} tokens measured" + (f" in {count(texts, 'text')}" if texts > 1 else ""),
        f"{record.environment.device.upper()}, {record.environment.attention} attention on every side",
        f"{seconds:.2f} s",
    )


@fragment
def _explore(comparison: Comparison, chosen: tuple[str, ...], with_controls: bool) -> None:
    """Curves, one layer in detail, and the plane. Moving the slider redraws this part alone and runs no model."""
    curves = st.container()
    point = layer_slider(_points(comparison))
    note_choices(point)
    measured = [name for name in chosen if name in metrics_of(comparison)]
    charts = Charts(comparison, point=point, metrics=measured)
    with curves:
        _curves(comparison, charts, chosen, point)
        definitions(tuple(dict.fromkeys(chosen)))
    name_text("Maps and spectra", comparison.baseline)
    label = _maps(comparison, charts, point)
    address.update()
    left, right = st.columns(COLUMNS, gap="large")
    if label is not None:
        with left:
            st.subheader("Difference of the similarities", anchor=False)
            charts.draw("difference_map", "map_difference", label=label, point=point)
    with right:
        st.subheader("Singular values", anchor=False)
        centred, logarithmic = spectrum_form()
        charts.draw("compared_spectra", point=point, centred=centred, logarithmic=logarithmic)
    _plane(comparison, point, with_controls)
    charts.draw_plugins()


def _points(comparison: Comparison) -> list[str]:
    """Every main point that a side has, in order."""
    found = {point for each in comparison.measurements.values() for point in each.main_points}
    blocks = sorted(filter(points.is_block, found), key=int)
    return [point for point in (points.EMBEDDING, *blocks, points.FINAL_NORM, points.FUSION) if point in found]


def _curves(comparison: Comparison, charts: Charts, chosen: tuple[str, ...], point: str) -> None:
    if not chosen:
        st.info("Choose at least one metric under “Curves” to see it over depth.", icon=":material/info:")
        return
    first, *rest = chosen
    marks = {"selected": point}
    left, right = st.columns(COLUMNS, gap="large")
    with left:
        st.subheader(plain(f"{metrics.get(first).title} over depth"), anchor=False)
        charts.draw("compared_curve", metric=first, marks=marks)
    with right:
        st.subheader("Difference to the baseline", anchor=False)
        charts.draw("delta_curve", "delta", metric=first, marks=marks)
        _partings(comparison, first)
    for start in range(0, len(rest), COLUMNS):
        for column, name in zip(st.columns(COLUMNS, gap="large"), rest[start : start + COLUMNS], strict=False):
            with column:
                st.markdown(f"**{plain(metrics.get(name).title)}**")
                charts.draw("compared_curve", f"compared_{name}", metric=name, marks=marks)


def _partings(comparison: Comparison, metric: str) -> None:
    """The layer at which each variant parts from the baseline, in words."""
    found = {label: comparison.parting(metric, label) for label in comparison.variants}
    parted = [f"{label} at {points.title(point)}" for label, point in found.items() if point is not None]
    if parted:
        st.caption(plain(f"First difference: {'; '.join(parted)}."))


def _ends(comparison: Comparison, chosen: tuple[str, ...]) -> None:
    """What is drawn, where each side is read, as a table; with the reason where the head has nothing to say."""
    st.subheader("Every side at its end", anchor=False)
    show_table(end_table(comparison, chosen), NOTHING_TO_SAY)
    missing = {
        label: [
            f"no {metrics.get(str(name)).title.lower()}: {reason}."
            for name in measurement.outputs
            if (reason := output_reason(measurement, str(name)))
        ]
        for label, measurement in comparison.measurements.items()
    }
    for sentence in findings.told_once(missing, always_named=True):
        st.caption(plain(sentence))


def _maps(comparison: Comparison, charts: Charts, point: str) -> str | None:
    """Draw the baseline's map at a point beside that of a variant of the user's choice; give the variant."""
    st.subheader("Similarity of every pair of tokens", anchor=False)
    label = _chosen(comparison)
    shown = [each for each in (comparison.baseline_label, label) if each is not None]
    for column, side, each in zip(st.columns(2, gap="large"), ("baseline", "variant"), shown, strict=False):
        with column:
            charts.draw("compared_map", f"map_{side}", label=each, point=point)
    return label


def _chosen(comparison: Comparison) -> str | None:
    # By place, which stays while variants are renamed or removed.
    labels = {comparison.position(label): label for label in comparison.variants}
    if not labels:
        return None
    place = last("mapped", next(iter(labels)))
    names = {place: f"{swatch(comparison.position(label))} {plain(label)}" for place, label in labels.items()}
    chosen: int = st.pills(
        "Beside the baseline",
        required=True,
        wrap=True,
        **choice("mapped", place if place in labels else next(iter(labels)), names),
    )
    return labels[chosen]


def _plane(comparison: Comparison, point: str, with_controls: bool) -> None:
    """Draw the plane at a point, with the lines of the controls where they are wanted."""
    st.subheader("What changes, and what is left", anchor=False)
    diversity, kept = _axes()
    controls = await_controls(comparison.baseline.settings) if with_controls else {}
    # Not of the gallery: its axes and controls are chosen here.
    axes: dict[str, Any] = {"point": point, "diversity": diversity, "fidelity": kept, "controls": controls}
    declared = registry.get("fidelity_plane")
    chart(
        declared.build(comparison, **axes, theme=theme.current()),
        declared.alternative(comparison, **axes),
        "plane",
        Paper(comparison, f"plane_{point}", declared.drawable(comparison, axes, theme=LIGHT)),
    )


def _axes() -> tuple[str, str]:
    """The metrics of the two axes."""
    changing = metrics.usual_names()
    with st.container(horizontal=True):
        kept = st.selectbox("What is left, across", LEFT, format_func=_title, width=320, **LEFT_OVER.remembered())
        diversity = st.selectbox(
            "What changes, upwards",
            changing,
            format_func=_title,
            width=320,
            **CHANGED.remembered(),
        )
    return diversity, kept


def _title(name: str) -> str:
    return metrics.get(name).title
