"""Where the user says what is compared: the variants as a row of labels, and the controls of the one chosen."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import streamlit as st

from oversmooth import mitigations
from oversmooth.core.errors import InputError
from oversmooth.core.texts import from_lines
from oversmooth.core.wording import count
from oversmooth.dashboard.controls import limits
from oversmooth.dashboard.controls.limits import texts_note
from oversmooth.dashboard.controls.methods import method_controls
from oversmooth.dashboard.controls.models import offered
from oversmooth.dashboard.controls.state import bound, hold, keep, last
from oversmooth.dashboard.controls.variants import LABEL_CHARACTERS, Variant, defaults, free_place, labelled, newcomers
from oversmooth.dashboard.markdown import plain
from oversmooth.dashboard.theme import swatch
from oversmooth.results.comparison import BASELINE, MOST_VARIANTS

OTHER_MODEL, OTHER_TEXT = "Another model", "Another text"


def variants() -> list[Variant]:
    """The variants of this session, in order."""
    found: list[Variant] = st.session_state.setdefault("variants", newcomers()[: limits.most_variants()])
    return found


def typed() -> dict[str, Any]:
    """Of the session the variants that have a text of their own, with nothing but that."""
    sides: list[Variant] = st.session_state.get("variants", [])
    texts = [
        Variant(each.number, text=each.text, each_line=each.each_line, place=each.place)
        for each in sides
        if each.text.strip()
    ]
    return {"variants": texts, "variant_number": max(each.number for each in texts)} if texts else {}


def editor() -> dict[str, Variant]:
    """Draw the variants and the controls of the chosen one; give all by label, in order."""
    sides = variants()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = _choose(sides)
        _add(sides)
    most = limits.most_variants()
    if len(sides) >= most and most != MOST_VARIANTS:
        granted = f"This server compares at most {count(most, 'variant')} (its limit “variants”)"
        st.caption(f"{granted}: remove one to add another.")
    if chosen is None:
        st.caption("The baseline is the model and the text of the sidebar, unchanged: what the others are set against.")
    else:
        with st.container(border=True, key="variant"):
            _edit(sides, chosen)
    return labelled(sides)


def _choose(sides: list[Variant]) -> Variant | None:
    """The variant whose controls are drawn; None for the baseline."""
    numbers = [0, *(variant.number for variant in sides)]
    names = dict(zip(numbers, (BASELINE, *labelled(sides)), strict=True))
    places = {0: 0} | {variant.number: variant.place for variant in sides}
    first = numbers[:2][-1]
    number = last("chosen_variant", first)
    number = number if number in names else first
    st.pills(
        "Variants",
        numbers,
        format_func=lambda each: f"{swatch(places[each])} {plain(names[each])}",
        required=True,
        wrap=True,
        help="Click one to change it. Lines, markers and colours are those of the charts.",
        **bound("chosen_variant", number),
    )
    return next((variant for variant in sides if variant.number == number), None)


def _add(sides: list[Variant]) -> None:
    most = limits.most_variants()
    full = len(sides) >= most
    titles = {method.declaration.name: method.declaration.title for method in mitigations.all_mitigations()}

    def add() -> None:
        kind = st.session_state.add_variant
        st.session_state.add_variant = None
        if kind is not None and len(sides) < most:
            number = st.session_state.variant_number = st.session_state.get("variant_number", len(newcomers())) + 1
            methods = {kind: defaults(kind)} if kind in titles else {}
            sides.append(Variant(number, methods, place=free_place(sides)))
            keep("chosen_variant", number)

    st.selectbox(
        "Add a variant",
        [OTHER_MODEL, OTHER_TEXT, *titles],
        index=None,
        placeholder=f"Remove one first: {most} is the most" if full else "Add a variant",
        format_func=lambda kind: titles.get(kind, kind),
        key="add_variant",
        on_change=add,
        disabled=full,
        label_visibility="collapsed",
        width=260,
    )


def _edit(sides: list[Variant], variant: Variant) -> None:
    def remove() -> None:
        with suppress(ValueError):  # pressed again before the page was drawn anew
            sides.remove(variant)

    with st.container(horizontal=True, vertical_alignment="bottom"):
        _methods(variant)
        st.button("Remove", icon=":material/delete:", key="remove_variant", on_click=remove)
    for name in list(variant.methods):
        method_controls(variant, name)
    with st.expander("Another model or text, label", expanded=not variant.methods):
        _sources(variant)


def _methods(variant: Variant) -> None:
    key = f"{variant.number}.methods"

    def take() -> None:
        # What a page sends may be no option.
        chosen = [name for name in st.session_state[key] if name in mitigations.names()]
        variant.methods = {name: variant.methods.get(name) or defaults(name) for name in chosen}

    hold(key, list(variant.methods))
    st.multiselect(
        "Mitigations, in their order",
        mitigations.names(),
        format_func=lambda name: mitigations.get(name).declaration.title,
        key=key,
        on_change=take,
        placeholder="None",
        help="Several act together, in the order in which they were chosen.",
    )


def _sources(variant: Variant) -> None:
    model, label = st.columns(2)
    with model:
        st.selectbox(
            "Model",
            index=None,
            placeholder="The baseline's",
            **offered(variant.model),
            **_bound(variant, "model", None),
        )
    with label:
        st.text_input("Label", placeholder=variant.label, max_chars=LABEL_CHARACTERS, **_bound(variant, "name", ""))
    st.text_area("Text", placeholder="The baseline's", help="Ctrl + Enter applies.", **_bound(variant, "text", ""))
    st.text_area(
        "Second text of a pair",
        placeholder="None",
        height=68,
        disabled=variant.each_line or not variant.text.strip(),
        help="The model reads both together, in its tokenizer's form for pairs.",
        **_bound(variant, "pair", ""),
    )
    texts_note(several=variant.each_line)
    st.toggle("Each line is a text of its own", **_bound(variant, "each_line", False))
    if variant.each_line and variant.text.strip():
        # A text that is refused is told with the other problems, below the controls.
        with suppress(InputError):
            for notice in from_lines(variant.text).notices:
                st.info(plain(notice), icon=":material/info:")


def _bound(variant: Variant, attribute: str, empty: str | bool | None) -> dict[str, Any]:
    """What ties a control to an attribute of the variant: its key, and what to do when it changes."""
    key = f"{variant.number}.{attribute}"
    hold(key, getattr(variant, attribute) or empty)
    return {
        "key": key,
        "on_change": lambda: setattr(variant, attribute, st.session_state[key] or getattr(Variant, attribute)),
    }
