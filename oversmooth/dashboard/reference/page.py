"""The reference page: a list to search, and the one entry that the address asks for."""

from __future__ import annotations

import streamlit as st

from oversmooth.core.wording import count, shortened
from oversmooth.dashboard.controls.state import enter, remembered
from oversmooth.dashboard.markdown import plain
from oversmooth.dashboard.reference.entry import draw_entry
from oversmooth.report import glossary
from oversmooth.report.glossary import Entry, Kind

ENTRY = "entry"
"""In the address: the name of the entry that is drawn in full."""


def draw() -> None:
    """Draw the page: the entry of the address in full, or the list."""
    enter("reference")
    asked = st.query_params.get(ENTRY, "")
    entry = glossary.find(asked)
    if entry is not None:
        st.button("All entries", icon=":material/arrow_back:", key="reference_all", on_click=_open, args=("",))
        draw_entry(entry)
        return
    st.header("Every number and method, with its source", anchor=False)
    if asked:
        _unknown(asked)
    _list()


def _unknown(asked: str) -> None:
    near = glossary.nearest(asked)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.warning(plain(f"The reference has no entry “{shortened(asked)}”."), icon=":material/link_off:")
        if near is not None:
            st.button(f"Nearest: {plain(near.title)}", key="reference_nearest", on_click=_open, args=(near.name,))


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
        _nothing(words or "")
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


def _nothing(words: str) -> None:
    near = glossary.nearest(words)
    st.info(plain(f"Nothing of the chosen kinds mentions “{shortened(words)}”."), icon=":material/search_off:")
    if near is not None:
        st.button(f"Nearest: {plain(near.title)}", key="reference_near", on_click=_open, args=(near.name,))


def _open(name: str) -> None:
    """Have the address ask for an entry, or for the list where the name is empty."""
    st.query_params.from_dict({ENTRY: name} if name else {})
