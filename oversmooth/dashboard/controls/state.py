"""Controls whose value the page sets too, and that keep it while they are not drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

import streamlit as st

Option = TypeVar("Option")

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


def last(key: str, default: Any) -> Any:  # noqa: ANN401  of any control
    """The value that the control with that key has had last in this session, on whatever page."""
    return st.session_state.get(store(key), st.session_state.get(key, default))


def remembered(key: str, default: Any) -> dict[str, Any]:  # noqa: ANN401  of any control
    """Arguments that tie a control to what :func:`last` gives."""
    return bound(key, last(key, default))


def keep(key: str, value: Any) -> None:  # noqa: ANN401  of any control
    """Set what :func:`last` gives: the control shows it from the next run on."""
    st.session_state[store(key)] = value


def bound(key: str, value: Any) -> dict[str, Any]:  # noqa: ANN401  of any control
    """Arguments that tie a control to its kept value, which it shows as ``value``.

    Streamlit's own ``persist_state`` loses what a page, and not the user, has put into a control.
    """
    keep(key, value)
    hold(key, value)
    return {"key": key, "on_change": lambda: keep(key, st.session_state[key])}


def choice(
    key: str, value: Option | None, labels: Mapping[Option, str], take: Callable[[Option], None] | None = None
) -> dict[str, Any]:
    """Arguments of a choice whose options may be others, or be labelled anew, from run to run: what is chosen stays.

    To Streamlit an option is its label. One that the browser still holds from before the change would come back as it
    is, in place of an option.

    Args:
        key: of the control.
        value: what it shows.
        labels: by option, in order.
        take: called with an option when it is chosen; what is chosen is kept as by :func:`keep` without it.
    """
    if take is None:
        keep(key, value)
        take = partial(keep, key)
    drawn, now = f"labels of {key}", hash(tuple(labels.values()))
    if st.session_state.get(drawn) != now:
        # Sent even where it is the same option: by its new label.
        st.session_state[drawn] = now
        st.session_state.pop(key, None)
    hold(key, value)

    def changed() -> None:
        if (option := st.session_state[key]) in labels:
            take(option)

    return {"key": key, "options": list(labels), "format_func": labels.__getitem__, "on_change": changed}


def store(key: str) -> str:
    """Key of the session that holds what :func:`keep` sets."""
    return f"kept {key}"
