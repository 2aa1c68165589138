"""Leaves aside what is sent as the value of a control and cannot be one."""

from __future__ import annotations

import logging
from typing import Any, Final

from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.runtime.state.session_state import Serialized, WStates

_NUMBERS: Final = ({"int_value", "double_value"}, {"int_array_value", "double_array_value"})
"""Kinds of which a page sends the one that its number has, and Streamlit names the other."""
_LOG: Final = logging.getLogger(__name__)
_read: Final = WStates.__getitem__


def require_kinds() -> None:
    """Have a control keep its value where what a page sends for it is of another kind, which no page of ours does.

    Streamlit takes it as it is: a list would be the text of a box, and the script would fail on it.
    """
    WStates.__getitem__ = _value  # type: ignore[method-assign]


def _value(states: WStates, key: str) -> Any:  # noqa: ANN401  as Streamlit's own
    sent, control = states.states.get(key), states.widget_metadata.get(key)
    if not isinstance(sent, Serialized) or control is None:
        return _read(states, key)
    if not _is_of_kind(sent.value, control.value_type):
        _LOG.info("value of a control refused")
        raise KeyError(key)  # as if nothing had been sent
    try:
        return _read(states, key)
    except Exception as error:
        _LOG.info("value of a control refused", extra={"reason": type(error).__name__})
        raise KeyError(key) from error


def _is_of_kind(sent: WidgetState, kind: str) -> bool:
    given = sent.WhichOneof("value")
    return given in (None, kind) or any({given, kind} <= alike for alike in _NUMBERS)
