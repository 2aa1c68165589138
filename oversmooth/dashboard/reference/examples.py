"""Worked examples of the numbers: small matrices that the reader edits, and every metric of them at once."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from oversmooth.core.errors import InputError
from oversmooth.dashboard.controls.state import remembered
from oversmooth.dashboard.markdown import plain
from oversmooth.dashboard.reference import matrices as matrices
from oversmooth.dashboard.reference.matrices import ALIKE, PRESETS, SPREAD, Example, Value, example_of
from oversmooth.metrics import TokenStates
from oversmooth.metrics.numerics import Float64
from oversmooth.metrics.requirements import CONVERGENCE
from oversmooth.report.glossary import Entry, Kind

EDITED_WIDTH = 320
"""Pixels of a matrix to edit."""


def draw_example(entry: Entry) -> None:
    """Draw the example of a number, or say where it is to be seen."""
    st.subheader("A small example", anchor=False)
    example = example_of(entry.name)
    try:
        if entry.kind is Kind.METRIC:
            _tokens(entry)
        elif example is not None:
            _two(entry, example)
        elif entry.kind is Kind.FIDELITY:
            st.markdown(
                "It takes a model with its own head: switch on “Language-model loss” on the page Compare to see it "
                "for your text."
            )
        else:
            st.markdown("It takes a model: the page Explain shows it for your text.")
    except InputError as error:
        st.error(plain(str(error)), icon=":material/error:")


def _tokens(entry: Entry) -> None:
    words, numbers = st.columns([2, 3], gap="large")
    with words:
        states = matrices.states_of(_matrix("Tokens", "tokens", SPREAD))
        st.caption("Change any number, or add tokens below. The first token stands for [CLS].")
    with numbers:
        _numbers(entry, matrices.values(states))
    _parts(states)


def _two(entry: Entry, example: Example) -> None:
    """Two matrices to edit, and all the numbers of both together."""
    left, right, numbers = st.columns([1, 1, 2], gap="large")
    with left:
        one = _matrix(example.first, "first", SPREAD)
    with right:
        other = _matrix(example.second, "second", ALIKE)
    with numbers:
        _numbers(entry, example.compute(one, other))
    if example.note:
        st.caption(example.note)


def _matrix(label: str, key: str, preset: str) -> Float64:
    """Draw a matrix to edit under its presets; numbers that cannot be taken are refused."""
    chosen = st.selectbox(label, list(PRESETS), **remembered(f"reference_{key}", preset))
    table = matrices.table(chosen)
    edited = st.data_editor(
        table,
        # An editor each: its changes are kept as differences from the table that it was given.
        key=f"reference_{key}_{chosen}",
        num_rows="dynamic",
        hide_index=True,
        width=EDITED_WIDTH,
        column_config={str(name): st.column_config.NumberColumn(format="%.6g") for name in table},
        alt=f"{label}: tokens in rows, dimensions in columns",
    )
    return matrices.checked(edited)


def _numbers(entry: Entry, values: Sequence[Value]) -> None:
    """The entry's own number large, and all the others beside it."""
    own = next(each for each in values if each.name == entry.name)
    st.metric(own.title, str(own), border=True)
    if own.note:
        st.caption(plain(f"{own.note[0].upper()}{own.note[1:]}."))
    rows = [{"number": plain(each.title), "value": str(each), "note": plain(each.note)} for each in values]
    st.table(pd.DataFrame(rows), hide_index=True, border="horizontal")


def _parts(states: TokenStates) -> None:
    """What the metrics are made of."""
    st.markdown("**What they are made of**")
    shown = {
        r"\bar{x}": states.means[0],
        r"X X^\top": states.grams[0],
        r"R X (R X)^\top": states.centred_grams[0],
    }
    if CONVERGENCE.met(states)[0]:
        shown[r"\sigma(X)"] = states.singular_values[0]
        shown[r"\sigma(RX)"] = states.centred_singular_values[0]
    else:
        st.caption(plain(f"There are no singular values: {CONVERGENCE.reason(states, 0)}."))
    with st.container(horizontal=True, vertical_alignment="center", gap="large"):
        for sign, part in shown.items():
            if part.size:
                st.latex(f"{sign} = {matrices.latex(matrices.cleaned(part))}", width="content")
