"""What is read: one text, several, a file of texts, or the sentences that come along. Nothing typed is lost."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final, Literal, NamedTuple, cast, get_args

import streamlit as st

from oversmooth.core.errors import InputError
from oversmooth.core.packaged import packaged
from oversmooth.core.pairs import Input, named, parts
from oversmooth.core.texts import TextList, bundled, from_lines
from oversmooth.core.wording import count, shortened
from oversmooth.dashboard.controls import limits, text_file
from oversmooth.dashboard.controls.declared import SHOWN, SOURCE_KEYS
from oversmooth.dashboard.controls.limits import texts_note
from oversmooth.dashboard.controls.state import bound, keep, last, remembered, store
from oversmooth.dashboard.markdown import plain

Source = Literal["One text", "Several texts", "File", "64 sentences"]
SOURCES = cast("tuple[Source, ...]", get_args(Source))
PAIR: Final = "second text"
"""Key of the second text of a typed pair."""
SHOWN_CHARACTERS: Final = 60
"""Of a text, in a list of texts."""
# Scripts that put no spaces between words: a sign counts as one.
_WORD: Final = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]|[^\s\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]+")


def text_input(key: str = SOURCE_KEYS["measure"], default: Source = "One text") -> tuple[Input, ...]:
    """Draw the choice of a source and its controls; give the texts, at least one.

    Where a source holds none, it says why, and the texts that were read last stay. The choice is kept under ``key``;
    what was typed or uploaded is shared by all pages.
    """
    source: Source = st.selectbox("Source", SOURCES, **remembered(key, default))
    read_last = _read_last(key)
    before: tuple[Input, ...] = st.session_state.get(read_last) or _at_first()
    if source == "One text":
        text = _one(before)
        if limits.texts_refusal((text,)):
            return before
        st.session_state[read_last] = (text,) if all(map(str.strip, parts(text))) else before
        return (text,)
    try:
        found = _LISTS[source]()
        if found is not None and (refusal := limits.texts_refusal(found.texts)):
            raise InputError(refusal)
    except InputError as error:
        st.error(plain(f"{error} {_stays(before)}"), icon=":material/error:")
        return before
    if found is None:
        st.info(plain(f"No file was given yet. {_stays(before)}"), icon=":material/info:")
        return before
    for notice in found.notices:
        st.info(plain(notice), icon=":material/info:")
    words = sum(len(_WORD.findall(part)) for text in found.texts for part in parts(text))
    st.caption(f"{count(len(found.texts), 'text')}, about {count(words, 'word')}")
    st.session_state[read_last] = found.texts
    return found.texts


def shown_text(texts: Sequence[Input]) -> int:
    """Draw the choice of the text whose map and spectra are drawn, where there are several; give its number."""
    if len(texts) == 1:
        return 0
    labels = {each: f"{each + 1}: {shortened(named(text), SHOWN_CHARACTERS)}" for each, text in enumerate(texts)}
    chosen: int = st.selectbox(
        "Text shown in maps and spectra",
        **SHOWN.choice(labels),
        help="A map and a spectrum are of one text. Curves are means over all texts, whichever is shown.",
    )
    return chosen


def typed() -> dict[str, Any]:
    """Of the session what holds texts, and where they come from."""
    keys = ["text", PAIR, "several texts", *SOURCE_KEYS.values()]
    holding = [text_file.FILE, *map(store, keys), *map(_read_last, SOURCE_KEYS.values())]
    return {key: st.session_state[key] for key in holding if key in st.session_state}


def show_texts(texts: Sequence[Input], key: str = SOURCE_KEYS["measure"]) -> None:
    """Have the controls hold these texts when they are drawn next."""
    texts = tuple(texts)
    if len(texts) == 1:
        first, *second = parts(texts[0])
        keep("text", first)
        keep(PAIR, "".join(second))
        keep(key, "One text")
    elif texts == _sentences().texts:
        keep(key, "64 sentences")
    elif are_lines(texts):
        keep("several texts", "\n".join(map(named, texts)))
        keep(key, "Several texts")
    else:
        text_file.keep_texts(texts)
        keep(key, "File")


def _read_last(key: str) -> str:
    return f"texts of {key}"


def _at_first() -> tuple[Input, ...]:
    text = _paired(last("text", examples()[0].text), last(PAIR, ""))
    return (examples()[0].text if limits.texts_refusal((text,)) else text,)


def _paired(text: str, second: str) -> Input:
    return (text, second) if second.strip() else text


def _one(before: Sequence[Input]) -> Input:
    texts = {example.title: example.text for example in examples()}

    def take_example() -> None:
        if st.session_state.example in texts:
            keep("text", texts[st.session_state.example])
            keep(PAIR, "")

    written = last("text", examples()[0].text)
    first = st.text_area("Text", height=190, help="Ctrl + Enter applies.", **bound("text", written)) or ""
    second = last(PAIR, "")
    with st.expander("Second text of a pair", expanded=bool(second.strip())):
        second = st.text_area(
            "Second text",
            height=100,
            help="The model reads both together, in its tokenizer's form for pairs. Leave it empty for one text.",
            **bound(PAIR, second),
        )
    text = _paired(first, second or "")
    texts_note(several=False)
    # A place of its own, so that a refusal does not shift what is drawn below it.
    with st.container():
        if refusal := limits.texts_refusal((text,)):
            st.error(plain(f"{refusal} {_stays(before)}"), icon=":material/error:")
    st.selectbox(
        "Example",
        list(texts),
        index=None,
        placeholder="Take an example text",
        key="example",
        on_change=take_example,
        label_visibility="collapsed",
    )
    text_file.one_text_uploader()
    return text


def _several() -> TextList:
    # At first a sentence of each domain that comes along.
    first = {sentence.domain: sentence.text for sentence in reversed(bundled())}
    written = last("several texts", "\n".join(reversed(first.values())))
    lines = st.text_area(
        "Texts, one a line", height=190, help="Ctrl + Enter applies.", **bound("several texts", written)
    )
    texts_note(several=True)
    return from_lines(lines or "")


def _sentences() -> TextList:
    return TextList(tuple(sentence.text for sentence in bundled()))


def _listed_sentences() -> TextList:
    with st.expander("The sentences, by domain"):
        for domain in dict.fromkeys(sentence.domain for sentence in bundled()):
            lines = (f"- {plain(each.text)} *{plain(each.source)}*" for each in bundled() if each.domain == domain)
            st.markdown("\n".join([f"**{plain(domain)}**", "", *lines]))
    return _sentences()


_LISTS: Final[dict[Source, Callable[[], TextList | None]]] = {
    "Several texts": _several,
    "File": text_file.file_input,
    "64 sentences": _listed_sentences,
}


def are_lines(texts: tuple[Input, ...]) -> bool:
    """Whether pasting them, one a line, gives them back."""
    try:
        return from_lines("\n".join(text for text in texts if isinstance(text, str))).texts == texts
    except InputError:
        return False


def _stays(texts: Sequence[Input]) -> str:
    if len(texts) == 1:
        return f"The text read before stays: “{shortened(named(texts[0]))}”"
    return f"The {len(texts):,} texts read before stay."


class Example(NamedTuple):
    """A text with a name."""

    title: str
    text: str


@cache
def examples() -> tuple[Example, ...]:
    """All example texts, in several scripts; the first is what a newcomer sees."""
    content = packaged("examples.json").read_text(encoding="utf-8")
    return tuple(Example(**entry) for entry in json.loads(content))
