"""Controls whose value the page sets too, and that keep it while they are not drawn."""

from __future__ import annotations

from typing import Any

import streamlit as st

_UNSET = object()


def enter(page: str) -> None:
    """Note which page is about to be drawn: a control of the same key on another page is to Streamlit a new one."""
    if st.session_state.get("page") != page:
        st.session_state.page = page
        for key in st.session_state.pop("held", ()):
            st.session_state.pop(key, None)


def hold(key: str, value: Any) -> None:  # noqa: ANN401  of any control
    """Have the control with that key, which is about to be drawn, show a value.

    Only where it differs: a value sent again would jump under the hand that is moving the slider on.
    """
    st.session_state.setdefault("held", set()).add(key)
    if st.session_state.get(key, _UNSET) != value:
        st.session_state[key] = value


def kept(key: str, default: Any) -> Any:  # noqa: ANN401  of any control
    """The value that the control with that key has had last in this session, on whatever page."""
    return st.session_state.setdefault(_store(key), st.session_state.get(key, default))


def remembered(key: str, default: Any) -> dict[str, Any]:  # noqa: ANN401  of any control
    """Arguments that tie a control to the value that it has had last in this session, on whatever page."""
    return bound(key, kept(key, default))


def last(key: str, default: Any) -> Any:  # noqa: ANN401  of any control
    """What :func:`kept` gives, of a control that may not have been drawn yet."""
    return st.session_state.get(_store(key), st.session_state.get(key, default))


def keep(key: str, value: Any) -> None:  # noqa: ANN401  of any control
    """Set what :func:`kept` gives: the control shows it from the next run on."""
    st.session_state[_store(key)] = value


def bound(key: str, value: Any) -> dict[str, Any]:  # noqa: ANN401  of any control
    """Arguments that tie a control to its kept value, which it shows as ``value``.

    Streamlit's own ``persist_state`` loses what a page, and not the user, has put into a control.
    """
    keep(key, value)
    hold(key, value)
    return {"key": key, "on_change": lambda: keep(key, st.session_state[key])}


def _store(key: str) -> str:
    return f"kept {key}"
