"""The choice of a model, any that can be had or on a shared server one of its list, and what hangs on its head."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import streamlit as st

from oversmooth.core.wording import enumerated
from oversmooth.dashboard.controls import limits
from oversmooth.dashboard.controls.declared import LANGUAGE_MODEL, MODEL
from oversmooth.dashboard.controls.state import bound, hold
from oversmooth.dashboard.markdown import plain
from oversmooth.metrics.outputs import ENCODER_ALONE, NO_HEAD
from oversmooth.models.allowlist import AllowList
from oversmooth.models.catalog import CATALOG, find
from oversmooth.models.given import DEFAULT_MODEL
from oversmooth.results.comparison import Comparison
from oversmooth.results.measurement import Measurement

_ALONE = "This server measures these models alone, each at one commit."
_HEADLESS = "models without a head"


def model_choice() -> str:
    """Draw the control and what is known of the model; give its name."""
    listed = limits.models()
    return _any() if listed is None else _listed(listed)


def offered(own: str) -> dict[str, Any]:
    """What a control of another model offers besides its empty choice; ``own`` is what it holds."""
    listed = limits.models()
    if listed is not None:
        return {"options": listed.names, "help": _ALONE}
    names = [entry.name for entry in CATALOG] + [own] * bool(own)
    return {"options": list(dict.fromkeys(names)), "accept_new_options": True}


def _any() -> str:
    help = "Pick one, or type any Hugging Face id (owner/name) or a local folder."
    typed = st.selectbox("Model", **offered(""), **MODEL.remembered(), help=help)
    model = (typed or DEFAULT_MODEL).strip() or DEFAULT_MODEL
    if entry := find(model):
        size = f"{entry.layers} layers × {entry.hidden_size} dimensions · {entry.megabytes:,.0f} MB"
        st.caption(" · ".join(filter(None, (size, entry.licence, entry.note))))
    return model


def _listed(models: AllowList) -> str:
    chosen = MODEL.last if MODEL.last in models.names else MODEL.usual
    name: str = st.selectbox("Model", **offered(""), **bound(MODEL.key, chosen))
    if model := models.find(name):
        entry = find(name)
        parameters = f"{model.parameters / 1e6:,.0f} M parameters"
        size = f"{model.layers} layers × {model.hidden_size} dimensions · {parameters}"
        st.caption(f"{size} · {entry.licence}" if entry else size)
    return name


def language_model_switch(models: Iterable[str]) -> bool:
    """Draw the switch of the loss for the models of all sides; whether it is measured.

    It is not to be turned on where no side has a head.
    """
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
