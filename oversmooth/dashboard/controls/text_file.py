"""A file with a text, or with many: uploaded once, and kept while its control is not drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any, Final

import streamlit as st

from oversmooth.core.errors import InputError
from oversmooth.core.pairs import Input
from oversmooth.core.reading.separators import SEPARATORS
from oversmooth.core.texts import SUFFIXES, TextList, columns_of, read_texts
from oversmooth.core.tokens import visible
from oversmooth.core.wording import shortened
from oversmooth.dashboard.controls import limits
from oversmooth.dashboard.controls.limits import texts_note
from oversmooth.dashboard.controls.state import choice, keep
from oversmooth.dashboard.markdown import plain

LARGEST: Final = 20 * limits.MEBIBYTE
"""Bytes of a file of texts: 100,000 lines of 200 characters."""
LARGEST_TEXT: Final = limits.MEBIBYTE
"""Bytes of a file that is one text."""
# Readers of Parquet take a file's word for much (CVE-2023-47248): no file of a stranger gets there. Streamlit itself
# refuses a file whose type its control does not name, whatever the browser does.
UNTRUSTED: Final = ".parquet"
WHY_UNTRUSTED: Final = (
    "A shared server reads no Parquet files, which can be made to harm their reader: save the table as .csv or .jsonl."
)
_HELD: Final = "file of texts"
_NONE: Final = ""
"""Stands for no choice among the options of a control."""
_HEADINGS: Final[dict[str, bool | None]] = {"Found out": None, "Names of columns": True, "Texts": False}


@dataclass(frozen=True)
class _Held:
    """A file, and what was read of it."""

    name: str
    content: bytes
    columns: tuple[str, ...]
    column: str | None
    second: str | None
    """The column of the second texts of pairs."""
    separator: str | None
    """A word for it; None to find it out, like ``header``."""
    header: bool | None
    read: TextList | None
    problem: str = ""
    """Why there is no text in it, in a sentence."""

    @property
    def separated(self) -> bool:
        """Whether it is a table that does not say how it is written."""
        return PurePath(self.name).suffix.lower() in (".csv", ".tsv") and bool(self.content)


def one_text_uploader() -> None:
    """Draw the place for a file that becomes the one text."""
    st.file_uploader(
        limits.upload_label("Upload a .txt file", LARGEST_TEXT),
        type="txt",
        key="upload",
        max_upload_size=limits.upload_megabytes(LARGEST_TEXT),
        on_change=_take_text,
    )
    if problem := st.session_state.pop("upload_problem", None):
        st.error(plain(problem), icon=":material/error:")


def file_input() -> TextList | None:
    """Draw the place for a file of texts and, of a table, the choice of its column; None before a file is given.

    Raises:
        InputError: where the file holds no text that can be read.
    """
    suffixes = [suffix for suffix in SUFFIXES if suffix != UNTRUSTED or not limits.hosted()]
    uploaded = st.file_uploader(
        limits.upload_label("A file of texts", LARGEST),
        type=[suffix.removeprefix(".") for suffix in suffixes],
        key="texts_file",
        max_upload_size=limits.upload_megabytes(LARGEST),
        on_change=_take_file,
        help=f".txt: one text a line. Of a table ({', '.join(suffixes[1:])}), the column of your choice."
        + ("" if UNTRUSTED in suffixes else f" {WHY_UNTRUSTED}"),
    )
    texts_note(several=True)
    held: _Held | None = st.session_state.get(_HELD)
    if held is None:
        return None
    if uploaded is None:
        st.caption(plain(shortened(held.name)))
    if held.columns:
        _columns(held)
    if held.separated:
        _written(held)
    if held.read is None:
        raise InputError(held.problem)
    return held.read


def hold_texts(texts: Sequence[Input]) -> None:
    """Keep texts as if they had been uploaded."""
    st.session_state[_HELD] = _Held(
        "Texts of the link or the settings", b"", (), None, None, None, None, TextList(tuple(texts))
    )


def stored_file() -> dict[str, Any]:
    """Of the session what holds the file."""
    return {_HELD: st.session_state[_HELD]} if _HELD in st.session_state else {}


def _columns(held: _Held) -> None:
    """The choice of the column, and of one more for pairs."""
    labels = {column: visible(column) for column in held.columns}
    st.selectbox(
        "Column",
        index=None,
        placeholder="Choose the column",
        **choice("texts_column", held.column, labels, lambda column: _again(held, column=column)),
    )
    if len(held.columns) > 1 and held.column is not None:
        seconds = {_NONE: "None", **labels}
        st.selectbox(
            "Column of second texts",
            **choice("texts_second", held.second or _NONE, seconds, lambda column: _again(held, second=column or None)),
            help="Makes pairs: the model reads the two texts of a row together, in its tokenizer's form for pairs.",
        )


def _written(held: _Held) -> None:
    """The choice of what separates values, and of what the first line is."""
    separators = {_NONE: "Found out", **{word: word.capitalize() for word in SEPARATORS}}
    headings = {word: word for word in _HEADINGS}
    heading = next(word for word, header in _HEADINGS.items() if header is held.header)
    left, right = st.columns(2)
    with left:
        st.selectbox(
            "Separator",
            **choice(
                "texts_separator", held.separator or _NONE, separators, lambda word: _anew(held, separator=word or None)
            ),
        )
    with right:
        st.selectbox(
            "First line",
            **choice("texts_header", heading, headings, lambda word: _anew(held, header=_HEADINGS[word])),
        )


def _anew(held: _Held, **changed: Any) -> None:  # noqa: ANN401  how it is written
    # Its columns are others now.
    _again(held, column=None, second=None, **changed)


def _again(held: _Held, **changed: Any) -> None:  # noqa: ANN401  fields of what is held
    st.session_state[_HELD] = _opened(replace(held, **changed))


def _take_text() -> None:
    try:
        upload = limits.uploaded("upload")
        if upload is None:
            return
        limits.require_upload(shortened(upload.name), upload.size, LARGEST_TEXT)
        keep("text", upload.getvalue().decode("utf-8-sig"))
    except InputError as error:
        st.session_state.upload_problem = str(error)
    except UnicodeDecodeError:
        st.session_state.upload_problem = "This file is not UTF-8 text. Save it as UTF-8 and upload it again."


def _take_file() -> None:
    try:
        upload = limits.uploaded("texts_file")
    except InputError as error:
        st.session_state[_HELD] = _Held("", b"", (), None, None, None, None, None, str(error))
        return
    if upload is None:
        st.session_state.pop(_HELD, None)
    else:
        st.session_state[_HELD] = _opened(_Held(upload.name, upload.getvalue(), (), None, None, None, None, None))


def _opened(held: _Held) -> _Held:
    """What is held, read anew."""
    written: dict[str, Any] = {"separator": held.separator, "header": held.header}
    columns: tuple[str, ...] = ()
    asked = held.column if held.column is None or held.second is None else (held.column, held.second)
    try:
        limits.require_upload(shortened(held.name), len(held.content), LARGEST)
        columns = columns_of(held.content, held.name, **written)
        read = read_texts(held.content, held.name, asked, **written)
    except InputError as error:
        return replace(held, columns=columns, read=None, problem=str(error))
    column = read.column if read.column is None or isinstance(read.column, str) else read.column[0]
    return replace(held, columns=columns, column=column, read=read, problem="")
