"""The reference page: a list to search, and the one entry that the address asks for, in full."""

from __future__ import annotations

from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from oversmooth import metrics
from oversmooth.core.points import title
from oversmooth.core.wording import count, shortened
from oversmooth.dashboard import theme
from oversmooth.dashboard.charts.chart import chart
from oversmooth.dashboard.controls.copying import copy_button
from oversmooth.dashboard.controls.methods import LEAKING, LEAKS, MEANT, parameter_controls
from oversmooth.dashboard.controls.restoring import usual
from oversmooth.dashboard.controls.state import enter, remembered
from oversmooth.dashboard.controls.variants import Variant, compared, defaults
from oversmooth.dashboard.markdown import cited, plain
from oversmooth.dashboard.reference.examples import draw_example
from oversmooth.dashboard.running.waiting import await_comparison
from oversmooth.mitigations import Mitigation
from oversmooth.mitigations.parameters import Parameter
from oversmooth.report import findings, glossary
from oversmooth.report.figures import registry
from oversmooth.report.glossary import Entry, Kind
from oversmooth.results.comparison import BASELINE, Comparison
from oversmooth.results.comparison_settings import ComparisonSettings
from oversmooth.results.permalink import to_query
from oversmooth.results.settings import Settings
from oversmooth.results.view import View

ENTRY = "entry"
"""In the address: the name of the entry that is drawn in full."""


def draw() -> None:
    """Draw the page: the entry of the address in full, or the list."""
    enter("reference")
    asked = st.query_params.get(ENTRY, "")
    entry = glossary.find(asked)
    if entry is not None:
        st.button("All entries", icon=":material/arrow_back:", key="reference_all", on_click=_open, args=("",))
        _entry(entry)
        return
    st.header("Every number and method, with its source", anchor=False)
    if asked:
        _unknown(asked)
    _list()


def _unknown(asked: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.warning(plain(f"The reference has no entry “{shortened(asked)}”."), icon=":material/link_off:")
        _nearest(asked, "reference_nearest")


def _nearest(words: str, key: str) -> None:
    if near := glossary.nearest(words):
        st.button(f"Nearest: {plain(near.title)}", key=key, on_click=_open, args=(near.name,))


def _list() -> None:
    """What the search and the chosen kinds leave, a line each."""
    words = st.text_input(
        "Search",
        **remembered("reference_search", ""),
        type="search",
        live=True,
        max_chars=100,
        placeholder="Title, name or author",
        label_visibility="collapsed",
    )
    kinds = st.pills(
        "Kind",
        list(Kind),
        format_func=lambda kind: kind.value,
        selection_mode="multi",
        **remembered("reference_kinds", []),
        label_visibility="collapsed",
    )
    found = glossary.matching(words or "", kinds)
    if not found:
        sentence = f"Nothing of the chosen kinds mentions “{shortened(words or '')}”."
        st.info(plain(sentence), icon=":material/search_off:")
        _nearest(words or "", "reference_near")
    for kind, entries in glossary.grouped(found).items():
        st.subheader(kind.value, anchor=False)
        st.caption(f"{plain(glossary.ABOUT[kind])} {count(len(entries), 'entry', 'entries')}.")
        with st.container(gap="xsmall"):
            for entry in entries:
                _row(entry)


def _row(entry: Entry) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall"):
        title = f"**{plain(entry.title)}**"
        st.button(title, key=f"reference_{entry.name}", type="tertiary", on_click=_open, args=(entry.name,))
        st.caption(plain(entry.tells), width="content")


def _open(name: str) -> None:
    """Have the address ask for an entry, or for the list where the name is empty."""
    st.query_params.from_dict({ENTRY: name} if name else {})


NOTATION = {
    Kind.METRIC: r"$X$ is the $n \times d$ matrix of the measured tokens at one layer, $x_i$ its rows, $\bar{x}$ their "
    r"mean, $\sigma_i$ its singular values in descending order.",
    Kind.FIDELITY: "$X$ holds the variant's tokens in rows, $X_0$ the baseline's; $R$ takes the mean token away.",
    Kind.EXPLANATION: r"$X$ holds tokens in rows, $x_i$, of a text $a$ or at a point $l$; $A$ is a head's attention "
    r"matrix, whose rows sum to 1; $R$ takes the mean token away.",
}
"""What the signs of a formula stand for, by kind; of a mitigation, those that its formula has."""
METHOD_NOTATION = {
    "X": r"$X$ is the $n \times d$ matrix of all tokens, $x_i$ its rows, $\bar{x}$ their mean",
    r"\hat{A}": r"$A$ is a head's attention matrix, $\hat{A}$ what takes its place, $U$ the uniform attention over the "
    "tokens that a query may see",
    "A_{": "$A$ is a head's attention matrix",
    "A^{": r"$A^\ell$ is a head's attention matrix in block $\ell$",
    "V^{": r"$V^\ell$ holds a head's values in block $\ell$",
    "W_V": "$W_V$ and $W_O$ are the weights before and after attention",
    "S_{i": "$S$ is a head's attention before the softmax",
}


def _entry(entry: Entry) -> None:
    """Draw all that is said of an entry, and its example."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(plain(entry.title), anchor=False, width="content")
        copy_button()
    st.markdown(_facts(entry))
    st.latex(entry.formula)
    own = "; ".join(meaning for sign, meaning in METHOD_NOTATION.items() if sign in entry.formula)
    if signs := NOTATION.get(entry.kind) or (own and f"{own}."):
        st.caption(signs)
    st.markdown(f"**{'Does' if entry.method else 'Tells'}:** {plain(entry.tells)}")
    st.markdown(f"**But:** {plain(entry.caveat)}")
    if entry.method is not None:
        _method(entry.method)
        _effect(entry.method)
    else:
        draw_example(entry)


def _facts(entry: Entry) -> str:
    """Kind, name, range and paper, in a line."""
    facts = [f":gray-badge[{entry.kind.value}]", f"`{entry.name}`"]
    if entry.method is not None:
        said = entry.method.declaration
        facts[0] = MEANT[said.meant][0]
        facts.append("causal-safe" if said.causal_safe else LEAKS)
    else:
        facts.append(f"in {plain(entry.range_text)}")
    facts.append(cited(entry.paper) if entry.paper else "from no paper")
    return " · ".join(facts)


def _method(method: type[Mitigation]) -> None:
    said = method.declaration
    sentences = [f"**Acts on:** {plain(said.position)}."]
    if said.paper:
        sentences.append(f"**In its paper:** {plain(said.paper_position)}.")
    if meant := MEANT[said.meant][1]:
        sentences.append(plain(meant))
    if not said.causal_safe:
        sentences.append(LEAKING)
    if said.excludes:
        sentences.append(f"Not together with {plain(', '.join(said.excludes))} in the same layers.")
    st.markdown(" ".join(sentences))
    rows = [_about(each) for each in method.parameters().values()]
    st.table(pd.DataFrame(rows), hide_index=True, border="horizontal")


def _about(parameter: Parameter) -> dict[str, str]:
    paper = "" if parameter.paper is None else parameter.write(parameter.paper)
    return {
        "parameter": f"`{parameter.name}`",
        "in": plain(parameter.range_text()),
        "default": plain(parameter.write(parameter.default)),
        "paper": plain(paper) or "–",
        "meaning": plain(parameter.meaning),
    }


TEXT = "The old lighthouse keeper climbed the stairs each evening and lit the lamp before the ships came home."
DRAWN = "token_cosine"
FIDELITY = ("pooled_cosine_to_baseline", "cka_to_baseline")


def _effect(method: type[Mitigation]) -> None:
    """Draw the parameters as controls, and the mean cosine over depth with the method beside that without it."""
    name = method.declaration.name
    # With its parameters as they were set last in this session.
    kept: dict[str, Variant] = st.session_state.setdefault("reference methods", {})
    variant = kept.setdefault(name, Variant(0, {name: defaults(name)}, place=1))
    baseline = _baseline()
    st.subheader("On a short text", anchor=False)
    st.caption(f"{plain(baseline.model)} reads “{plain(TEXT)}”")
    parameter_controls(variant, name)
    asked, refused = compared(baseline, {variant.label: variant})
    comparison = await_comparison(asked, refused, {variant.label: variant.place})
    if comparison is not None and comparison.variants:
        _draw(comparison)
    if not refused:
        # In a tab of its own, since this session's controls are not to be lost.
        query = urlencode(to_query(asked, View(), usual("compare")).query, doseq=True)
        st.link_button("Open in Compare", f"compare?{query}", icon=":material/open_in_new:")


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
