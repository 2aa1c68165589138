"""What a page says where Oversmooth itself went wrong, and the way on: everything afresh but the texts."""

from __future__ import annotations

from itertools import count
from typing import Final

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from oversmooth.dashboard.controls import address, texts, variant_editor
from oversmooth.dashboard.markdown import plain

TOLD: Final = (
    "Something went wrong here, by a fault of Oversmooth and not of yours; it has been logged. Start afresh: "
    "every control goes back to what it was at first, and your texts stay."
)
_numbers: Final = count()


def watch() -> None:
    """Have :func:`tell` speak of what goes wrong in this run of a page and in the parts that redraw by themselves."""
    if (context := get_script_run_ctx()) is not None:
        context.on_script_error = tell


def tell(error: Exception) -> bool:
    """Draw :data:`TOLD` and the button in the place of what could not be drawn; Streamlit has logged the error.

    Returns:
        That nothing more is to be shown of it.
    """
    del error  # its words may be another library's, and name what is nobody's business
    st.error(plain(TOLD), icon=":material/error:")
    # One number each: two parts of a page may go wrong.
    st.button("Start afresh", key=f"afresh {next(_numbers)}", icon=":material/restart_alt:", on_click=_afresh)
    return True


def _afresh() -> None:
    typed = {**texts.typed(), **variant_editor.typed()}
    for key in list(st.session_state):
        del st.session_state[key]
    st.session_state.update(typed)
    address.forget_link()
    # The whole page, also where the button stands in a part of it.
    st.rerun()
