"""Every control of a page in its address, and a pasted address as the state of the controls."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import streamlit as st

from oversmooth.core.wording import enumerated
from oversmooth.dashboard.controls.copying import copy_button
from oversmooth.dashboard.controls.declared import PageName, declared
from oversmooth.dashboard.controls.restoring import draw_notices, notify, opening, page_of, restore, usual
from oversmooth.dashboard.controls.state import last
from oversmooth.dashboard.controls.variants import Variant, labelled
from oversmooth.dashboard.markdown import plain
from oversmooth.results.comparison_settings import ComparisonSettings
from oversmooth.results.permalink import Address, AnySettings, from_query, named, to_query
from oversmooth.results.view import View

_SETTINGS, _UNFIT = "linked settings", "unfit variants"


def open_link(page: PageName) -> None:
    """Set the controls as the address says, once in a session, before any is drawn; then draw what there is to say."""
    if "link opened" not in st.session_state:
        st.session_state["link opened"] = True
        if query := _query():
            link = from_query(query, opening(page))
            notify([*link.notices, *restore(link.settings, link.view)])
    draw_notices()


def forget_link() -> None:
    """Leave the address unread from now on; the page that is drawn next writes its own."""
    st.session_state["link opened"] = True
    st.query_params.clear()


def write(settings: AnySettings, unfit: Iterable[str] = ()) -> None:
    """Put what the controls ask for into the address; ``unfit`` are the labels of variants that cannot be measured."""
    st.session_state[_SETTINGS] = settings
    st.session_state[_UNFIT] = list(unfit)
    update()


def update() -> None:
    """The same where only what is drawn has changed."""
    if _query() != (query := _address().query):
        st.query_params.from_dict(query)


def copy_link() -> None:
    """Draw the button that copies the address, and what the address does not hold."""
    address = _address()
    copy_button()
    if address.left_out:
        missing = enumerated([named(name) for name in address.left_out])
        st.caption(plain(f"The link leaves out {missing}, too long for an address. The settings file holds all."))
    if unfit := st.session_state[_UNFIT]:
        st.caption(
            plain(f"The link leaves out {enumerated([named(label) for label in unfit])}, which cannot be measured.")
        )


def _query() -> dict[str, list[str]]:
    return {name: st.query_params.get_all(name) for name in st.query_params}


def _address() -> Address:
    settings: AnySettings = st.session_state[_SETTINGS]
    page = page_of(settings)
    fields = {name: value for each in declared(View, page) for name, value in each.fields().items()}
    if isinstance(settings, ComparisonSettings):
        fields |= _of_sides(settings)
    elif len(settings.texts) == 1:
        fields["lines"] = False
    # As it is: a browser may send what is no option, which is no reason to draw no page.
    return to_query(settings, View.model_construct(**fields), usual(page))


def _of_sides(settings: ComparisonSettings) -> dict[str, Any]:
    """What of the view goes by the variants: whose map is drawn, how each looks, whose controls are shown."""
    sides: list[Variant] = st.session_state.variants
    places = {label: side.place for label, side in labelled(sides).items()}
    shown = tuple(places[label] for label, _ in settings.variants)
    mapped = next((label for label, place in places.items() if place == last("mapped", None)), "")
    numbers = [0, *(variant.number for variant in sides)]
    edited = last("chosen_variant", None)
    known = len(numbers) > 1 and edited in numbers and not st.session_state[_UNFIT]
    return {
        # The first is mapped at first.
        "mapped": mapped if mapped in [label for label, _ in settings.variants[1:]] else "",
        "places": None if shown == tuple(range(1, len(shown) + 1)) else shown,
        "edited": numbers.index(edited) if known else 1,
    }
