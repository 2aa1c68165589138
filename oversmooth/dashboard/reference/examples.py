"""Worked examples of the numbers: small matrices that the reader edits, and every metric of them at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from oversmooth.core.errors import InputError
from oversmooth.dashboard.controls.state import remembered
from oversmooth.dashboard.markdown import plain
from oversmooth.dashboard.reference import matrices as matrices
from oversmooth.dashboard.reference.matrices import ALIKE, PRESETS, SPREAD, Value, example_of
from oversmooth.metrics import UndefinedError, fidelity, identity
from oversmooth.metrics.numerics import Float64
from oversmooth.report.glossary import Entry, Kind

EDITED_WIDTH = 320
"""Pixels of a matrix to edit."""


def draw_example(entry: Entry) -> None:
    """Draw the example of a number, or say where it is to be seen."""
    st.subheader("A small example", anchor=False)
    try:
        match entry.kind:
            case Kind.METRIC:
                _metrics(entry)
            case Kind.FIDELITY:
                _beside(entry)
            case _:
                _pair(entry)
    except InputError as error:
        st.error(plain(str(error)), icon=":material/error:")


def _metrics(entry: Entry) -> None:
    words, numbers = st.columns([2, 3], gap="large")
    with words:
        matrix = _matrix("Tokens", "tokens", SPREAD)
        st.caption("Change any number, or add tokens below. The first token stands for [CLS].")
    with numbers:
        states = matrices.states_of(matrix)
        _numbers(entry, matrices.values(states))
    _parts(matrix)


def _beside(entry: Entry) -> None:
    if entry.name not in (*fidelity.BESIDE_BASELINE, identity.IDENTITY_RETRIEVAL):
        st.markdown(
            "It takes a model with its own head: switch on “Language-model loss” on the page Compare to see it for "
            "your text."
        )
        return
    _two(entry, "Baseline", "Variant", matrices.values_beside)
    st.caption("For the retrieval, the sides are read as two texts of the same words in the same order.")


def _pair(entry: Entry) -> None:
    example = example_of(entry.name)
    if example is None:
        st.markdown("It takes a model: the page Explain shows it for your text.")
        return
    _two(entry, example.first, example.second, example.compute)


def _two(entry: Entry, first: str, second: str, compute: Callable[[Float64, Float64], list[Value]]) -> None:
    """Two matrices to edit, and all the numbers of both together."""
    left, right, numbers = st.columns([1, 1, 2], gap="large")
    with left:
        one = _matrix(first, "first", SPREAD)
    with right:
        other = _matrix(second, "second", ALIKE)
    with numbers:
        _numbers(entry, compute(one, other))


def _matrix(label: str, key: str, preset: str) -> Float64:
    """Draw a matrix to edit under its presets.

    Raises:
        InputError: where its numbers cannot be taken.
    """
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


def _parts(matrix: Float64) -> None:
    """What the metrics are made of."""
    states = matrices.states_of(matrix)
    st.markdown("**What they are made of**")
    shown = {
        r"\bar{x}": states.mean,
        r"X X^\top": states.gram,
        r"R X (R X)^\top": states.centred_gram,
    }
    try:
        shown[r"\sigma(X)"] = states.singular_values
        shown[r"\sigma(RX)"] = states.centred_singular_values
    except UndefinedError as error:
        st.caption(plain(f"There are no singular values: {error}."))
    with st.container(horizontal=True, vertical_alignment="center", gap="large"):
        for sign, part in shown.items():
            if part.size:
                st.latex(f"{sign} = {matrices.latex(matrices.cleaned(part))}", width="content")
