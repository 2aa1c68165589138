"""Widgets that become settings."""

from __future__ import annotations

import streamlit as st

from oversmooth import metrics
from oversmooth.dashboard.controls import language_model as head_switch
from oversmooth.dashboard.controls import limits
from oversmooth.dashboard.controls.explain_view import SOURCE
from oversmooth.dashboard.controls.models import model_choice
from oversmooth.dashboard.controls.state import bound, enter, kept, remembered, remembered_choice
from oversmooth.dashboard.controls.texts import shown_text, text_input
from oversmooth.dashboard.controls.variant_editor import variants
from oversmooth.metrics import fidelity, identity
from oversmooth.models.given import Precision
from oversmooth.results.settings import Settings

DEVICES: dict[str, str] = {
    "auto": "Automatic (GPU when there is one)",
    "cpu": "CPU",
    "cuda": "NVIDIA or AMD GPU (CUDA)",
    "mps": "Apple GPU (MPS)",
}
PRECISIONS: dict[Precision, str] = {"float32": "float32", "float64": "float64, twice the memory"}
MAIN_METRICS = ("token_cosine", "effective_rank", "high_frequency_share", "explained_variance_1")
"""What is drawn before the user chooses: one cosine, one rank, one share without scale, one of the spectrum."""
MAIN_COMPARED = (
    "token_cosine",
    "effective_rank",
    "high_frequency_share",
    "cka_to_baseline",
    "pooled_cosine_to_baseline",
)
"""The same in a comparison: never without what is left of the baseline."""

USUAL_CURVES = {"measure": MAIN_METRICS, "compare": MAIN_COMPARED}
"""By the name of the page."""
CURVES = {
    "measure": metrics.names(),
    "compare": (*metrics.names(), identity.IDENTITY_RETRIEVAL, *fidelity.BESIDE_BASELINE),
}
"""What can be drawn, by the name of the page."""


def sidebar(*, comparison: bool = False) -> tuple[Settings, tuple[str, ...]]:
    """Draw the controls; give the settings, and the metrics whose curves are drawn (all usual ones are measured).

    Args:
        comparison: whether the settings are those of a baseline; the model, the texts and how they are run are shared
            with the page that measures one.
    """
    enter("compare" if comparison else "measure")
    with st.sidebar:
        model = model_choice()
        texts = text_input()
        shown = shown_text(texts)
        special_tokens = _special_tokens()
        chosen = _compared_metrics() if comparison else _metrics()
        language_model = comparison and head_switch.language_model([model, *_other_models()])
        device, precision, max_tokens = _run()
    settings = Settings.of(
        model=model,
        texts=texts,
        shown=shown,
        special_tokens=special_tokens,
        metrics=_measured(chosen),
        centred_spectra=True,
        fidelity=comparison,
        language_model=language_model,
        device=device,
        precision=precision,
        max_tokens=max_tokens,
    )
    return settings, chosen


def explain_sidebar() -> Settings:
    """Draw the controls of the page that explains; give its settings."""
    enter("explain")
    with st.sidebar:
        model = model_choice()
        texts = text_input(SOURCE, "64 sentences")
        shown = shown_text(texts)
        special_tokens = _special_tokens()
        device, precision, max_tokens = _run()
    return Settings.of(
        model=model,
        texts=texts,
        shown=shown,
        special_tokens=special_tokens,
        similarity=False,
        explanation=True,
        device=device,
        precision=precision,
        max_tokens=max_tokens,
    )


def _other_models() -> list[str]:
    return [variant.model for variant in variants() if variant.model]


def _special_tokens() -> bool:
    return st.toggle(
        "Count special tokens",
        **remembered("special_tokens", False),
        help="[CLS], [SEP], BOS and their like. Left out by default: they are no words, and in causal models the "
        "first token often carries massive activations. Padding never counts.",
    )


def _run() -> tuple[str, Precision, int]:
    """Where the model runs, in which numbers, and the longest text in tokens."""
    with st.expander("Run"):
        device = "auto" if limits.hosted() else _device()
        precision = _precision()
        most = limits.most_tokens()
        max_tokens = st.number_input(
            "Longest text, in tokens" if most == limits.MOST_TOKENS else f"Longest text, in tokens, up to {most:,}",
            min_value=1,
            max_value=most,
            **bound("max_tokens", min(kept("max_tokens", limits.usual_tokens()), most)),
            help="A longer text is cut here, or where the model's positions end, and the page says so.",
        )
    return device, precision, int(max_tokens)


def _device() -> str:
    # One of several GPUs comes from a settings file: only the worker knows how many there are.
    names = DEVICES | {each: f"GPU ({each})" for each in (kept("device", "auto"),) if each not in DEVICES}
    device: str = st.selectbox("Device", **remembered_choice("device", "auto", names))
    return device


def _precision() -> Precision:
    precision: Precision = st.selectbox(
        "Precision",
        **remembered_choice("precision", "float32", PRECISIONS),
        help="The numbers in which the model runs; metrics are float64 in any case. After a collapse the tokens differ "
        "by less than float32 resolves: the page marks such values, and float64 gives them.",
    )
    return precision


def _metrics() -> tuple[str, ...]:
    return _curves("measure", "metrics", "All metrics are measured in one pass")


def _compared_metrics() -> tuple[str, ...]:
    return _curves("compare", "compared_metrics", "All are measured in one pass a side")


def _measured(chosen: tuple[str, ...]) -> tuple[str, ...]:
    """The usual metrics, and of the others those that are drawn."""
    usual = metrics.usual_names()
    return tuple(name for name in metrics.names() if name in usual or name in chosen)


def _curves(page: str, key: str, measured: str) -> tuple[str, ...]:
    chosen = st.multiselect(
        "Curves",
        CURVES[page],
        format_func=lambda name: metrics.get(name).title,
        **remembered(key, list(USUAL_CURVES[page])),
        help=f"{measured}; this chooses what is drawn.",
    )
    return tuple(name for name in CURVES[page] if name in chosen)
