"""Every control of a page in its address, and a pasted address as the state of the controls."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from oversmooth import metrics
from oversmooth.core.errors import OversmoothError
from oversmooth.core.wording import enumerated
from oversmooth.dashboard.charts.chart import USUAL_LAYER
from oversmooth.dashboard.controls import explain_view
from oversmooth.dashboard.controls.copying import copy_button
from oversmooth.dashboard.controls.restoring import CURVES_KEY, PageName, opening, page_of, restore, tell, told, usual
from oversmooth.dashboard.controls.sidebar import USUAL_CURVES
from oversmooth.dashboard.controls.state import last
from oversmooth.dashboard.controls.variants import Variant, labels
from oversmooth.dashboard.markdown import plain
from oversmooth.results.comparison_settings import ComparisonSettings
from oversmooth.results.permalink import AnySettings, from_query, named, to_query
from oversmooth.results.settings import Settings
from oversmooth.results.view import LEFT, View

_SETTINGS, _UNFIT = "linked settings", "unfit variants"


def open_link(page: PageName) -> None:
    """Set the controls as the address says, once in a session, before any of them is drawn; then draw what it told."""
    if "link opened" not in st.session_state:
        st.session_state["link opened"] = True
        query = {name: st.query_params.get_all(name) for name in st.query_params}
        if query:
            link = from_query(query, opening(page))
            tell([*link.notices, *restore(link.settings, link.view)])
    told()


def forget_link() -> None:
    """Leave the address unread from now on; the page that is drawn next writes its own."""
    st.session_state["link opened"] = True
    st.query_params.clear()


def write(settings: Settings, variants: Mapping[str, Variant] | None = None) -> None:
    """Put what the controls ask for into the address; of a comparison with its variants by label."""
    unfit: list[str] = []
    st.session_state[_SETTINGS] = settings if variants is None else _compared(settings, variants, unfit)
    st.session_state[_UNFIT] = unfit
    update()


def update() -> None:
    """The same where only what is drawn has changed."""
    settings: AnySettings = st.session_state[_SETTINGS]
    address = to_query(settings, _view(settings), usual(page_of(settings)))
    if {name: st.query_params.get_all(name) for name in st.query_params} != address.query:
        st.query_params.from_dict(address.query)


def copy_link() -> None:
    """Draw the button that copies the address, and what the address does not hold."""
    settings: AnySettings = st.session_state[_SETTINGS]
    address = to_query(settings, _view(settings), usual(page_of(settings)))
    copy_button()
    if address.left_out:
        missing = enumerated([named(name) for name in address.left_out])
        st.caption(plain(f"The link leaves out {missing}, too long for an address. The settings file holds all."))
    if unfit := st.session_state[_UNFIT]:
        st.caption(
            plain(f"The link leaves out {enumerated([named(label) for label in unfit])}, which cannot be measured.")
        )


def _compared(baseline: Settings, variants: Mapping[str, Variant], unfit: list[str]) -> ComparisonSettings:
    sides = []
    for label, variant in variants.items():
        try:
            sides.append((label, variant.settings(baseline)))
        except OversmoothError:
            unfit.append(label)
    return ComparisonSettings(baseline=baseline, variants=tuple(sides))


def _view(settings: AnySettings) -> View:
    page = page_of(settings)
    if page == "explain":
        return explain_view.view()
    view = View(
        curves=_curves(page),
        layer=_own("layer", st.session_state.get(USUAL_LAYER)),
        scale=last("scale", "Log"),
        form=last("form", "Raw"),
    )
    if not isinstance(settings, ComparisonSettings):
        several = len(settings.texts) > 1
        return view.model_copy(update={"lines": several and last("lines", False)})
    return view.model_copy(
        update={
            "mapped": _mapped(settings),
            "places": _places(settings),
            "across": _own("fidelity", LEFT[0]),
            "upwards": _own("diversity", metrics.usual_names()[0]),
            "controls": last("with_controls", False),
            "edited": _edited(),
        }
    )


def _curves(page: PageName) -> tuple[str, ...] | None:
    chosen = last(CURVES_KEY[page], USUAL_CURVES[page])
    known = (*metrics.names(), *LEFT)
    return None if set(chosen) == set(USUAL_CURVES[page]) else tuple(name for name in known if name in chosen)


def _own(key: str, usual_value: str | None) -> str:
    """A control's value; empty where it is the usual one, or was never drawn."""
    value: str | None = last(key, None)
    return "" if value is None or value == usual_value else value


def _mapped(settings: ComparisonSettings) -> str:
    """The label of the variant whose map is drawn; empty where it is the first, as it is at first."""
    sides: list[Variant] = st.session_state.variants
    place = last("mapped", None)
    label = next((label for label, side in zip(labels(sides), sides, strict=True) if side.place == place), "")
    return label if label in [each for each, _ in settings.variants[1:]] else ""


def _places(settings: ComparisonSettings) -> tuple[int, ...] | None:
    """Of the variants in the link, by which they keep their looks; None where they are those of their order."""
    sides: list[Variant] = st.session_state.variants
    places = {label: side.place for label, side in zip(labels(sides), sides, strict=True)}
    found = tuple(places[label] for label, _ in settings.variants)
    return None if found == tuple(range(1, len(found) + 1)) else found


def _edited() -> int:
    """The place of the variant whose controls are shown, among those that the link holds."""
    numbers = [0, *(variant.number for variant in st.session_state.variants)]
    chosen = last("chosen_variant", None)
    known = len(numbers) > 1 and chosen in numbers and not st.session_state[_UNFIT]
    return numbers.index(chosen) if known else 1
