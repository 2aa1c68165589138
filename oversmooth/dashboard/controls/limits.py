"""What this server grants a page: the bounds of its controls, and the words that name them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from oversmooth.core.errors import InputError, LimitError
from oversmooth.core.pairs import Input
from oversmooth.core.wording import bytes_in_words, count, enumerated, shortened
from oversmooth.dashboard.markdown import plain
from oversmooth.models.allowlist import AllowList
from oversmooth.models.given import DEFAULT_MODEL
from oversmooth.results.comparison import MOST_VARIANTS
from oversmooth.results.settings import DEFAULT_MAX_TOKENS, Settings
from oversmooth.service.hosting import allowed, current, plugins
from oversmooth.service.hosting.limits import require
from oversmooth.service.hosting.profiles import Bounds

MOST_TOKENS: Final = 8192
"""That settings take at all."""
MEBIBYTE: Final = 2**20
"""What Streamlit calls a megabyte."""
THE_MACHINES: Final = frozenset({"workers", "threads", "model_bytes", "worker_bytes"})
"""How the server shares itself out, which grants or refuses nothing by itself."""
Cut = Callable[[Settings], tuple[dict[str, Any], list[str]]]
"""Gives those fields of settings that ask for too much as they are granted, and a sentence for each thing changed."""
PRIVACY: Final = (
    "Texts are held in memory alone: while the page is open, and with their results, which are kept for a while for "
    "whoever asks for the same. They are never written to a log or kept in a file. The address of the page holds short "
    "texts, so that it can be shared."
)


def hosted() -> bool:
    """Whether strangers use this server."""
    return current().hosted


def models() -> AllowList | None:
    """The models that can be asked for; None for any."""
    return _models(current())


_models = lru_cache(maxsize=1)(allowed)


def most_tokens() -> int:
    """Longest text in tokens."""
    return min(current().limits.tokens or MOST_TOKENS, MOST_TOKENS)


def usual_tokens() -> int:
    """Longest text in tokens before anything is changed."""
    return min(DEFAULT_MAX_TOKENS, most_tokens())


def most_variants() -> int:
    """Variants of a comparison."""
    return min(current().limits.variants or MOST_VARIANTS, MOST_VARIANTS)


def listed_model(settings: Settings) -> tuple[dict[str, Any], list[str]]:
    """A model of the list, where the server has one, at its one commit."""
    if (listed := models()) is None:
        return {}, []
    asked, model = shortened(settings.model), listed.find(settings.model)
    if model is None:
        sentence = f"“{asked}” is not on the list of models that this server measures: {DEFAULT_MODEL} takes its place."
        return {"model": DEFAULT_MODEL, "revision": None}, [sentence]
    notices = []
    if settings.revision not in (None, model.commit):
        notices.append(
            f"The revision “{shortened(str(settings.revision))}” is ignored: this server measures {model.name} at the "
            "one commit of its list."
        )
    return {"model": model.name, "revision": None}, notices


def servers_device(settings: Settings) -> tuple[dict[str, Any], list[str]]:
    """The device that the server chooses, where it has a list of models."""
    if models() is None or settings.device == "auto":
        return {}, []
    return {"device": "auto"}, [f"The device “{settings.device}” is ignored: this server chooses it."]


def fewer_tokens(settings: Settings) -> tuple[dict[str, Any], list[str]]:
    """Texts of no more tokens than the limit."""
    if settings.max_tokens <= (most := most_tokens()):
        return {}, []
    sentence = (
        f"Texts are cut at {most:,} tokens here, the limit “tokens” of this server, instead of {settings.max_tokens:,}."
    )
    return {"max_tokens": most}, [sentence]


def texts_refusal(texts: Sequence[Input]) -> str:
    """Why these texts are too many or too long, in a sentence; empty where they are not."""
    # Nothing else is known yet, and the rest is checked with the whole request.
    only_texts = Settings.model_construct(texts=tuple(texts), max_tokens=1)
    try:
        require(only_texts, current().limits, None)
    except LimitError as error:
        return str(error)
    return ""


def texts_note(*, several: bool) -> None:
    """Say how much text can be entered, under the place where it is; nothing where that is without limit."""
    limits = current().limits
    parts = []
    if several and limits.texts is not None:
        parts.append(count(limits.texts, "text"))
    if limits.characters is not None:
        parts.append(count(limits.characters, "character") + (" in all" if several else ""))
    if limits.tokens is not None:
        parts.append(f"{count(limits.tokens, 'token')} a text")
    if parts:
        st.caption(f"Up to {enumerated(parts)} here.")


def upload(
    label: str, most: int, types: str | Sequence[str], key: str, take: Callable[[], None], help: str | None = None
) -> UploadedFile | None:
    """Draw the place for a file of at most so many bytes; its label says where this server takes less than the page."""
    limit = current().limits.upload_bytes
    return st.file_uploader(
        f"{label}, up to {bytes_in_words(limit)}" if limit < most else label,
        type=types,
        key=key,
        # The browser counts in whole megabytes.
        max_upload_size=-(-min(most, limit) // MEBIBYTE),
        on_change=take,
        help=help,
    )


def uploaded(key: str, most: int) -> UploadedFile | None:
    """The file that a control holds; None where it holds none.

    One that the server has let go of is refused, and one of more than ``most`` bytes, whatever the browser let through.
    """
    file = st.session_state[key]
    if file is None:
        return None
    if not isinstance(file, UploadedFile):
        raise InputError(
            "The server holds this file no more: it keeps the latest of each page alone. Give it once more."
        )
    limit = current().limits.upload_bytes
    if file.size > min(limit, most):
        bound = (
            f"this server takes at most {limit:,} (its limit “upload_bytes”)" if limit < most else f"{most:,} fit here"
        )
        raise InputError(f"{shortened(file.name)} has {count(file.size, 'byte')}, and {bound}. Give a part of it.")
    return file


def limits_note() -> None:
    """Draw what a server that strangers use allows, at the foot of the sidebar; on another, what plug-ins lack."""
    if not current().hosted:
        for note in plugins.notes():
            st.sidebar.caption(f":material/extension_off: {plain(note)}")
        return
    with st.sidebar.expander("Limits of this server"):
        # No table: the third column would not fit beside the page.
        st.caption(
            "\n\n".join(
                f"**{plain(name)}: {plain(_amount(name, most))}**  \n{plain(str(about.description))}"
                for name, about in Bounds.model_fields.items()
                if name not in THE_MACHINES and (most := getattr(current().limits, name)) is not None
            )
        )
        st.caption(PRIVACY)


def _amount(name: str, most: float) -> str:
    if name.endswith("_bytes"):
        return bytes_in_words(most)
    return f"{most:,g} s" if name == "deadline" else f"{most:,}"
