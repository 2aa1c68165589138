"""What this server grants a page: the bounds of its controls, and the words that name them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from oversmooth.core.errors import InputError, LimitError
from oversmooth.core.pairs import Input
from oversmooth.core.wording import bytes_in_words, count, enumerated
from oversmooth.dashboard.markdown import plain
from oversmooth.models.allowlist import AllowList
from oversmooth.results.comparison import MOST_VARIANTS
from oversmooth.results.settings import DEFAULT_MAX_TOKENS, Settings
from oversmooth.service.hosting import Configuration, allowed, current, plugins
from oversmooth.service.hosting.limits import require
from oversmooth.service.hosting.profiles import Bounds

MOST_TOKENS: Final = 8192
"""That settings take at all."""
MEBIBYTE: Final = 2**20
"""What Streamlit calls a megabyte."""
THE_MACHINES: Final = frozenset({"workers", "threads", "model_bytes", "worker_bytes"})
"""How the server shares itself out, which grants or refuses nothing by itself."""
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


@lru_cache(maxsize=1)
def _models(configuration: Configuration) -> AllowList | None:
    return allowed(configuration)


def most_tokens() -> int:
    """Longest text in tokens."""
    return _least(current().limits.tokens, MOST_TOKENS)


def usual_tokens() -> int:
    """Longest text in tokens before anything is changed."""
    return min(DEFAULT_MAX_TOKENS, most_tokens())


def most_variants() -> int:
    """Variants of a comparison."""
    return _least(current().limits.variants, MOST_VARIANTS)


def variants_refusal(variants: int) -> str:
    """Why this server takes no further variant, in a sentence; empty where it is not the server that refuses."""
    most = most_variants()
    if variants < most or most == MOST_VARIANTS:
        return ""
    return f"This server compares at most {count(most, 'variant')} (its limit “variants”): remove one to add another."


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


def upload_megabytes(most: int) -> int:
    """What the browser is told of a file of at most so many bytes: it counts in whole megabytes."""
    return -(-min(most, current().limits.upload_bytes) // MEBIBYTE)


def upload_label(label: str, most: int) -> str:
    """A label that says how large a file may be, where this server takes less than the page."""
    limit = current().limits.upload_bytes
    return f"{label}, up to {bytes_in_words(limit)}" if limit < most else label


def uploaded(key: str) -> UploadedFile | None:
    """The file that a control holds; None where it holds none.

    Args:
        key: of the control.

    Raises:
        InputError: where the server has let go of it.
    """
    file = st.session_state[key]
    if file is None or isinstance(file, UploadedFile):
        return file
    raise InputError("The server holds this file no more: it keeps the latest of each page alone. Give it once more.")


def require_upload(name: str, size: int, most: int) -> None:
    """Refuse a file that is too large, whatever the browser let through.

    Args:
        name: of the file.
        size: in bytes.
        most: that the page takes here, in bytes.

    Raises:
        InputError: with a sentence that names the limit.
    """
    limit = current().limits.upload_bytes
    if size <= min(limit, most):
        return
    bound = f"this server takes at most {limit:,} (its limit “upload_bytes”)" if limit < most else f"{most:,} fit here"
    raise InputError(f"{name} has {count(size, 'byte')}, and {bound}. Give a part of it.")


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


def _least(limit: int | None, most: int) -> int:
    return most if limit is None else min(limit, most)
