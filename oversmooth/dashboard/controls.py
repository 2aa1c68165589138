"""Widgets that become settings."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from oversmooth import metrics
from oversmooth.dashboard.examples import examples
from oversmooth.models.catalog import CATALOG, find
from oversmooth.settings import DEFAULT_MAX_TOKENS, DEFAULT_MODEL, Device, Settings

DEVICES: dict[Device, str] = {
    "auto": "Automatic (GPU when there is one)",
    "cpu": "CPU",
    "cuda": "NVIDIA or AMD GPU (CUDA)",
    "mps": "Apple GPU (MPS)",
}
MAIN_METRICS = ("token_cosine", "effective_rank", "high_frequency_share", "explained_variance_1")
"""What is drawn before the user chooses: one cosine, one rank, one share without scale, one of the spectrum."""


def sidebar() -> tuple[Settings, tuple[str, ...]]:
    """Draw the controls; give the settings, and the metrics whose curves are drawn (all are measured)."""
    with st.sidebar:
        model = _model()
        text = _text()
        special_tokens = st.toggle(
            "Count special tokens",
            key="special_tokens",
            help="[CLS], [SEP], BOS and their like. Left out by default: they are no words, and in causal models the "
            "first token often carries massive activations. Padding never counts.",
        )
        chosen = _metrics()
        with st.expander("Run"):
            device: Device = st.selectbox("Device", list(DEVICES), format_func=DEVICES.__getitem__, key="device")
            max_tokens = st.number_input(
                "Longest text, in tokens",
                min_value=2,
                max_value=8192,
                value=DEFAULT_MAX_TOKENS,
                key="max_tokens",
                help="A longer text is cut here, or where the model's positions end, and the page says so.",
            )
    settings = Settings.of(
        model=model,
        texts=text,
        special_tokens=special_tokens,
        centred_spectra=True,
        device=device,
        max_tokens=int(max_tokens),
    )
    return settings, chosen


def _model() -> str:
    typed = st.selectbox(
        "Model",
        [entry.name for entry in CATALOG],
        index=[entry.name for entry in CATALOG].index(DEFAULT_MODEL),
        accept_new_options=True,
        key="model",
        help="Pick one, or type any Hugging Face id (owner/name) or a local folder.",
    )
    model = (typed or DEFAULT_MODEL).strip() or DEFAULT_MODEL
    entry = find(model)
    if entry is not None:
        st.caption(
            f"{entry.layers} layers × {entry.hidden_size} dimensions · {entry.megabytes:,.0f} MB · {entry.licence}"
            + (f" · {entry.note}" if entry.note else "")
        )
    return model


def _text() -> str:
    st.session_state.setdefault("text", examples()[0].text)
    texts = {example.title: example.text for example in examples()}

    def take_example() -> None:
        if st.session_state.example is not None:
            st.session_state.text = texts[st.session_state.example]

    text = st.text_area("Text", key="text", height=190, help="Ctrl + Enter applies.")
    st.selectbox(
        "Example",
        list(texts),
        index=None,
        placeholder="Take an example text",
        key="example",
        on_change=take_example,
        label_visibility="collapsed",
    )
    st.file_uploader("Upload a .txt file", type="txt", key="upload", on_change=_take_upload)
    if problem := st.session_state.pop("upload_problem", None):
        st.error(problem, icon=":material/error:")
    return text or ""


def _take_upload() -> None:
    upload: UploadedFile | None = st.session_state.upload
    if upload is None:
        return
    try:
        st.session_state.text = upload.getvalue().decode("utf-8-sig")
    except UnicodeDecodeError:
        st.session_state.upload_problem = "This file is not UTF-8 text. Save it as UTF-8 and upload it again."


def _metrics() -> tuple[str, ...]:
    chosen = st.multiselect(
        "Curves",
        metrics.names(),
        default=MAIN_METRICS,
        format_func=lambda name: metrics.get(name).title,
        key="metrics",
        help="All metrics are measured in one pass; this chooses what is drawn.",
    )
    return tuple(name for name in metrics.names() if name in chosen)
