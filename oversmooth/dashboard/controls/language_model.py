"""The switch of the language-model loss: not to be turned on where no side has a head, with the reason."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from oversmooth.core.wording import enumerated
from oversmooth.dashboard.controls.declared import LANGUAGE_MODEL
from oversmooth.dashboard.controls.state import hold
from oversmooth.dashboard.markdown import plain
from oversmooth.metrics.outputs import ENCODER_ALONE, NO_HEAD
from oversmooth.models.catalog import find
from oversmooth.results.comparison import Comparison
from oversmooth.results.measurement import Measurement

_HEADLESS = "models without a head"


def language_model_switch(models: Iterable[str]) -> bool:
    """Draw the switch for the models of all sides; whether the loss is measured."""
    named = list(dict.fromkeys(models))
    headless = [model for model in named if _is_headless(model)]
    label = "Language-model loss"
    if len(headless) == len(named):
        # What was chosen is kept for a model that has one.
        hold(LANGUAGE_MODEL.key, False)
        st.toggle(label, key=LANGUAGE_MODEL.key, disabled=True)
        who = enumerated(headless)
        st.caption(plain(f"{who} {'comes' if len(headless) == 1 else 'come'} without a language-model head."))
        return False
    return st.toggle(
        label,
        **LANGUAGE_MODEL.remembered(),
        help="The loss of the checkpoint's own head, where it has one, and how far its predictions move. A causal "
        "model needs no further pass; a masked one needs one for every token of every side, which takes long.",
    )


def note_headless(comparison: Comparison) -> None:
    """Note for this session which models have turned out to have no head, where that was measured."""
    found: set[str] = st.session_state.setdefault(_HEADLESS, set())
    for measurement in comparison.measurements.values():
        if output_reason(measurement, "language_model_loss") in (ENCODER_ALONE, NO_HEAD):
            found.add(measurement.settings.model)


def output_reason(measurement: Measurement, name: str) -> str:
    """Why a number of the model's head is missing, in a clause; empty where it is not."""
    return next((note.reason for note in measurement.notes if (note.kind, note.metric) == ("missing", name)), "")


def _is_headless(model: str) -> bool:
    entry = find(model)
    return not entry.head if entry is not None else model in st.session_state.get(_HEADLESS, ())
