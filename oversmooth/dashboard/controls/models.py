"""The choice of a model: any that can be had, or on a shared server one of its list."""

from __future__ import annotations

from typing import Any

import streamlit as st

from oversmooth.dashboard.controls import limits
from oversmooth.dashboard.controls.declared import MODEL
from oversmooth.dashboard.controls.state import bound, kept
from oversmooth.models.allowlist import AllowList
from oversmooth.models.catalog import CATALOG, find
from oversmooth.models.given import DEFAULT_MODEL


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


_ALONE = "This server measures these models alone, each at one commit."


def _any() -> str:
    typed = st.selectbox(
        "Model",
        [entry.name for entry in CATALOG],
        accept_new_options=True,
        **MODEL.remembered(),
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


def _listed(models: AllowList) -> str:
    chosen = kept(MODEL.key, MODEL.usual)
    name: str = st.selectbox(
        "Model", models.names, **bound(MODEL.key, chosen if chosen in models.names else MODEL.usual), help=_ALONE
    )
    model, entry = models.find(name), find(name)
    if model is not None:
        st.caption(
            f"{model.layers} layers × {model.hidden_size} dimensions · {model.parameters / 1e6:,.0f} M parameters"
            + (f" · {entry.licence}" if entry is not None else "")
        )
    return name
