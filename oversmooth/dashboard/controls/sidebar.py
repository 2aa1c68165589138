"""Widgets that become settings."""

from __future__ import annotations

from typing import Any

import streamlit as st

from oversmooth import metrics
from oversmooth.dashboard.controls import declared, limits
from oversmooth.dashboard.controls.declared import ALWAYS, CURVES, SOURCE_KEYS, Curves, PageName
from oversmooth.dashboard.controls.models import language_model_switch, model_choice
from oversmooth.dashboard.controls.state import bound, enter
from oversmooth.dashboard.controls.texts import shown_text, text_input
from oversmooth.dashboard.controls.variant_editor import variants
from oversmooth.models.given import Precision
from oversmooth.results.settings import Settings

DEVICES: dict[str, str] = {
    "auto": "Automatic (GPU when there is one)",
    "cpu": "CPU",
    "cuda": "NVIDIA or AMD GPU (CUDA)",
    "mps": "Apple GPU (MPS)",
}
PRECISIONS: dict[Precision, str] = {"float32": "float32", "float64": "float64, twice the memory"}


def sidebar(page: PageName) -> tuple[Settings, tuple[str, ...]]:
    """Draw the controls of a page; give its settings and the metrics whose curves are drawn.

    All usual metrics are measured, drawn or not. The model, the texts and how they are run are shared by all pages.
    """
    enter(page)
    drawn: tuple[str, ...] = ()
    fields: dict[str, Any] = dict(ALWAYS[page])
    with st.sidebar:
        fields["model"] = model_choice()
        fields["texts"] = text_input(SOURCE_KEYS[page], "64 sentences" if page == "explain" else "One text")
        fields["shown"] = shown_text(fields["texts"])
        fields["special_tokens"] = st.toggle(
            "Count special tokens",
            **declared.SPECIAL_TOKENS.remembered(),
            help="[CLS], [SEP], BOS and their like. Left out by default: they are no words, and in causal models the "
            "first token often carries massive activations. Padding never counts.",
        )
        if page in CURVES:
            drawn = _curves(
                CURVES[page],
                "All metrics are measured in one pass" if page == "measure" else "All are measured in one pass a side",
            )
            usual = metrics.usual_names()
            fields["metrics"] = tuple(name for name in metrics.names() if name in usual or name in drawn)
        if page == "compare":
            others = [variant.model for variant in variants() if variant.model]
            fields["language_model"] = language_model_switch([fields["model"], *others])
        fields |= _run()
    return Settings.of(**fields), drawn


def _run() -> dict[str, object]:
    """Where the model runs, in which numbers, and the longest text in tokens."""
    with st.expander("Run"):
        device = "auto" if limits.hosted() else _device()
        precision = st.selectbox(
            "Precision",
            **declared.PRECISION.choice(PRECISIONS),
            help="The numbers in which the model runs; metrics are float64 in any case. After a collapse the tokens "
            "differ by less than float32 resolves: the page marks such values, and float64 gives them.",
        )
        most = limits.most_tokens()
        max_tokens = st.number_input(
            "Longest text, in tokens" if most == limits.MOST_TOKENS else f"Longest text, in tokens, up to {most:,}",
            min_value=1,
            max_value=most,
            **bound(declared.MAX_TOKENS.key, min(declared.MAX_TOKENS.last, most)),
            help="A longer text is cut here, or where the model's positions end, and the page says so.",
        )
    return {"device": device, "precision": precision, "max_tokens": int(max_tokens)}


def _device() -> str:
    # One of several GPUs comes from a settings file: only the worker knows how many there are.
    names = DEVICES | {each: f"GPU ({each})" for each in (declared.DEVICE.last,) if each not in DEVICES}
    device: str = st.selectbox("Device", **declared.DEVICE.choice(names))
    return device


def _curves(curves: Curves, measured: str) -> tuple[str, ...]:
    chosen = st.multiselect(
        "Curves",
        curves.known(),
        format_func=lambda name: metrics.get(name).title,
        **curves.remembered(),
        help=f"{measured}; this chooses what is drawn.",
    )
    return tuple(name for name in curves.known() if name in chosen)
