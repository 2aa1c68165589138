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
FILE: Final = "file of texts"
"""Key of the session that holds it."""
_NONE: Final = ""
"""Stands for no choice among the options of a control."""
_HEADINGS: Final[dict[str, bool | None]] = {"Found out": None, "Names of columns": True, "Texts": False}


@dataclass(frozen=True)
class _TextsFile:
    """A file of texts, and what was read of it."""

    name: str
    content: bytes = b""
    columns: tuple[str, ...] = ()
    column: str | None = None
    second: str | None = None
    """The column of the second texts of pairs."""
    separator: str | None = None
    """A word for it; None to find it out, like ``header``."""
    header: bool | None = None
    texts: TextList | None = None
    problem: str = ""
    """Why there is no text in it, in a sentence."""

    @property
    def separated(self) -> bool:
        """Whether it is a table that does not say how it is written."""
        return PurePath(self.name).suffix.lower() in (".csv", ".tsv") and bool(self.content)

    def read(self, **changed: Any) -> _TextsFile:  # noqa: ANN401  of its fields
        """The same, read anew with what has changed of how it is to be read."""
        asked = replace(self, **changed)
        written: dict[str, Any] = {"separator": asked.separator, "header": asked.header}
        columns: tuple[str, ...] = ()
        wanted = asked.column if asked.column is None or asked.second is None else (asked.column, asked.second)
        try:
            columns = columns_of(asked.content, asked.name, **written)
            texts = read_texts(asked.content, asked.name, wanted, **written)
        except InputError as error:
            return replace(asked, columns=columns, texts=None, problem=str(error))
        column = texts.column if texts.column is None or isinstance(texts.column, str) else texts.column[0]
        return replace(asked, columns=columns, column=column, texts=texts, problem="")


def one_text_uploader() -> None:
    """Draw the place for a file that becomes the one text."""
    limits.upload("Upload a .txt file", LARGEST_TEXT, "txt", "upload", _take_text)
    if problem := st.session_state.pop("upload_problem", None):
        st.error(plain(problem), icon=":material/error:")


def file_input() -> TextList | None:
    """Draw the place for a file of texts and, of a table, the choice of its column; None before a file is given.

    Raises:
        InputError: where the file holds no text that can be read.
    """
    suffixes = [suffix for suffix in SUFFIXES if suffix != UNTRUSTED or not limits.hosted()]
    help = f".txt: one text a line. Of a table ({', '.join(suffixes[1:])}), the column of your choice." + (
        "" if UNTRUSTED in suffixes else f" {WHY_UNTRUSTED}"
    )
    types = [suffix.removeprefix(".") for suffix in suffixes]
    uploaded = limits.upload("A file of texts", LARGEST, types, "texts_file", _take_file, help)
    texts_note(several=True)
    file: _TextsFile | None = st.session_state.get(FILE)
    if file is None:
        return None
    if uploaded is None:
        st.caption(plain(shortened(file.name)))
    if file.columns:
        _columns_input(file)
    if file.separated:
        _separation_input(file)
    if file.texts is None:
        raise InputError(file.problem)
    return file.texts


def keep_texts(texts: Sequence[Input]) -> None:
    """Keep texts as if they had been uploaded."""
    st.session_state[FILE] = _TextsFile("Texts of the link or the settings", texts=TextList(tuple(texts)))


def _columns_input(file: _TextsFile) -> None:
    """The choice of the column, and of one more for pairs."""
    labels = {column: visible(column) for column in file.columns}
    st.selectbox(
        "Column",
        index=None,
        placeholder="Choose the column",
        **choice("texts_column", file.column, labels, lambda column: _reread(file, column=column)),
    )
    if len(file.columns) > 1 and file.column is not None:
        seconds = {_NONE: "None", **labels}
        st.selectbox(
            "Column of second texts",
            **choice("texts_second", file.second or _NONE, seconds, lambda name: _reread(file, second=name or None)),
            help="Makes pairs: the model reads the two texts of a row together, in its tokenizer's form for pairs.",
        )


def _separation_input(file: _TextsFile) -> None:
    """The choice of what separates values, and of what the first line is."""
    separators = {_NONE: "Found out", **{word: word.capitalize() for word in SEPARATORS}}
    headings = {word: word for word in _HEADINGS}
    heading = next(word for word, header in _HEADINGS.items() if header is file.header)

    def take(**written: Any) -> None:  # noqa: ANN401
        # Its columns are others now.
        _reread(file, column=None, second=None, **written)

    left, right = st.columns(2)
    with left:
        chosen = file.separator or _NONE
        st.selectbox(
            "Separator", **choice("texts_separator", chosen, separators, lambda word: take(separator=word or None))
        )
    with right:
        st.selectbox(
            "First line", **choice("texts_header", heading, headings, lambda word: take(header=_HEADINGS[word]))
        )


def _reread(file: _TextsFile, **changed: Any) -> None:  # noqa: ANN401
    st.session_state[FILE] = file.read(**changed)


def _take_text() -> None:
    try:
        if upload := limits.uploaded("upload", LARGEST_TEXT):
            keep("text", upload.getvalue().decode("utf-8-sig"))
    except InputError as error:
        st.session_state.upload_problem = str(error)
    except UnicodeDecodeError:
        st.session_state.upload_problem = "This file is not UTF-8 text. Save it as UTF-8 and upload it again."


def _take_file() -> None:
    try:
        upload = limits.uploaded("texts_file", LARGEST)
    except InputError as error:
        st.session_state[FILE] = _TextsFile("", problem=str(error))
        return
    st.session_state[FILE] = upload and _TextsFile(upload.name, upload.getvalue()).read()
