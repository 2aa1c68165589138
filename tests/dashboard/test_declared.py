"""The declarations of the controls: together they set all that a page measures or draws, each page every field once."""

from __future__ import annotations

from collections import Counter
from typing import get_args

import pytest
from streamlit.testing.v1 import AppTest

from oversmooth.dashboard.controls.declared import PageName
from oversmooth.results.view import View

BY_VARIANTS = {"mapped", "places", "edited"}
"""Fields of the view that go by the variants of a comparison, which are no control."""


def declarations() -> None:
    import streamlit as st

    from oversmooth.dashboard.controls.declared import declared
    from oversmooth.results.settings import Settings
    from oversmooth.results.view import View

    page = st.session_state["asked"]
    found = {kind: declared(kind, page) for kind in (Settings, View)}
    st.session_state["drawn"] = [name for each in found[View] for name in each.fields()]
    st.session_state["keys"] = [each.key for controls in found.values() for each in controls]


def of_page(page: PageName) -> tuple[Counter[str], Counter[str]]:
    """The fields of the view that its controls set, and their keys, with how often."""
    app = AppTest.from_function(declarations, default_timeout=30)
    app.session_state["asked"] = page
    app.run()
    assert not app.exception
    return Counter(app.session_state["drawn"]), Counter(app.session_state["keys"])


@pytest.mark.parametrize("page", get_args(PageName))
def test_no_two_controls_of_a_page_set_the_same_field_or_have_the_same_key(page: PageName) -> None:
    for counted in of_page(page):
        assert set(counted.values()) == {1}, counted


def test_every_field_of_a_view_is_set_by_the_control_of_some_page() -> None:
    drawn = set().union(*(of_page(page)[0] for page in get_args(PageName)))
    assert drawn | BY_VARIANTS == set(View.model_fields)
    assert not drawn & BY_VARIANTS
