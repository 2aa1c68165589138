"""What a mitigation does to one short text, measured by the engine for the one entry that is open."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from oversmooth import metrics
from oversmooth.core.errors import OversmoothError
from oversmooth.core.points import title
from oversmooth.dashboard import theme
from oversmooth.dashboard.charts.chart import chart
from oversmooth.dashboard.controls.methods import parameter_controls
from oversmooth.dashboard.controls.restoring import usual
from oversmooth.dashboard.controls.variants import Variant, defaults
from oversmooth.dashboard.markdown import plain
from oversmooth.dashboard.running.comparing import await_comparison
from oversmooth.mitigations import Mitigation
from oversmooth.report import findings
from oversmooth.report.figures import registry
from oversmooth.results.comparison import BASELINE, Comparison
from oversmooth.results.comparison_settings import ComparisonSettings
from oversmooth.results.permalink import to_query
from oversmooth.results.settings import Settings
from oversmooth.results.view import View

TEXT = "The old lighthouse keeper climbed the stairs each evening and lit the lamp before the ships came home."
DRAWN = "token_cosine"
FIDELITY = ("pooled_cosine_to_baseline", "cka_to_baseline")


def draw_effect(method: type[Mitigation]) -> None:
    """Draw the parameters as controls, and the mean cosine over depth with the method beside that without it."""
    name = method.declaration.name
    variant = _variant(name)
    baseline = _baseline()
    st.subheader("On a short text", anchor=False)
    st.caption(f"{plain(baseline.model)} reads “{plain(TEXT)}”")
    parameter_controls(variant, name)
    comparison = await_comparison(baseline, {variant.label: variant})
    if comparison is not None and comparison.variants:
        _draw(comparison)
    _link(baseline, variant)


def _variant(name: str) -> Variant:
    """The method with its parameters as they were set last in this session."""
    kept: dict[str, Variant] = st.session_state.setdefault("reference methods", {})
    return kept.setdefault(name, Variant(0, {name: defaults(name)}, place=1))


def _baseline() -> Settings:
    """What the page Compare measures before anything is changed, on the short text."""
    asked = usual("compare")
    baseline = asked.baseline if isinstance(asked, ComparisonSettings) else asked
    return Settings.of(**{**baseline.model_dump(), "texts": TEXT})


def _draw(comparison: Comparison) -> None:
    (label,) = comparison.variants
    end, variant = comparison.end(label), comparison.variants[label]
    last = comparison.baseline.curve(DRAWN)[comparison.end(BASELINE)], variant.curve(DRAWN)[end]
    tiles = {DRAWN: findings.arrow(*last)} | {name: findings.number(variant.curve(name)[end]) for name in FIDELITY}
    place = title(end)
    for column, (name, value) in zip(st.columns(len(tiles)), tiles.items(), strict=True):
        with column:
            st.metric(f"{metrics.get(name).title}, {place}", value, border=True)
    declared = registry.get("compared_curve")
    figure = declared.build(comparison, DRAWN, theme=theme.current())
    chart(figure, declared.alternative(comparison, DRAWN), "effect")


def _link(baseline: Settings, variant: Variant) -> None:
    """The same comparison on its own page, in a tab of its own, since this session's controls are not to be lost."""
    try:
        asked = ComparisonSettings(baseline=baseline, variants=((variant.label, variant.settings(baseline)),))
    except OversmoothError:
        return
    address = to_query(asked, View(), usual("compare"))
    st.link_button("Open in Compare", f"compare?{urlencode(address.query, doseq=True)}", icon=":material/open_in_new:")
