from __future__ import annotations

import html
import unicodedata

import pytest
from awkward import SEEN
from hypothesis import given
from hypothesis import strategies as st
from synthetic import tokens_of

from oversmooth.core.tokens import Token, Tokens, axis, escape, label, visible


@pytest.mark.parametrize(("token", "seen"), SEEN.items(), ids=map(ascii, SEEN))
def test_every_awkward_token_is_seen_as_itself(token: str, seen: str) -> None:
    assert visible(token) == seen


@pytest.mark.parametrize("token", SEEN, ids=map(ascii, SEEN))
def test_a_label_holds_no_markup_and_reads_back(token: str) -> None:
    drawn = label(token)
    assert not set("<>$\n") & set(drawn)
    assert html.unescape(drawn) == SEEN[token]


@given(st.text())
def test_nothing_invisible_is_left(text: str) -> None:
    shown = visible(text)
    assert shown
    assert not shown.startswith(" ")
    assert not shown.endswith(" ")
    left = {char for char in shown if unicodedata.category(char) in ("Cc", "Cn", "Co", "Cs", "Zl", "Zp")}
    assert not left
    joiners = {char for char in shown if unicodedata.category(char) == "Cf"}
    assert all(char in "\u200c\u200d" or unicodedata.bidirectional(char) == "AN" for char in joiners)


@given(st.text(alphabet=st.characters(exclude_characters="␣↵⇥∅◌⟨⟩"), max_size=8))
def test_different_texts_are_shown_differently(text: str) -> None:
    back = {"␣": " ", "↵": "\n", "⇥": "\t", "◌": ""}
    shown = visible(text)
    for part in {part.split("⟩")[0] for part in shown.split("⟨U+")[1:]}:
        back[f"⟨U+{part}⟩"] = chr(int(part, 16))
    for sign, character in back.items():
        shown = shown.replace(sign, character)
    assert shown == text or (shown, text) == ("∅", "")


def test_escape_keeps_a_sentence() -> None:
    assert html.unescape(escape("3 < 4 & $5\nper “token”")) == "3 < 4 & $5 per “token”"


def test_repeated_tokens_are_kept_apart_with_their_position() -> None:
    words = ["the", "cat", "the", "the", " the"]
    rows = axis(tokens_of(words))
    assert len(set(rows.categories)) == 5
    assert [_plain(category) for category in rows.categories] == [
        "“the” (1)",
        "“cat” (2)",
        "“the” (3)",
        "“the” (4)",
        "“␣the” (5)",
    ]
    assert rows.tick_values == rows.categories
    assert rows.tick_labels == ("the", "cat", "the", "the", "␣the")


def test_ticks_are_thinned_and_then_numbered() -> None:
    rows = axis(tokens_of([f"w{n}" for n in range(512)]))
    assert len(rows.categories) == 512
    assert len(rows.tick_labels) == len(rows.tick_values) == 64
    assert set(rows.tick_values) <= set(rows.categories)
    assert [_plain(text) for text in rows.tick_labels[:3]] == ["1·w0", "9·w8", "17·w16"]
    assert rows.tick_values[1] == rows.categories[8]


def test_rows_of_several_tokens_name_the_first_and_the_last() -> None:
    rows = axis(tokens_of(["a", "b", "c", "d", "e"]), factor=2)
    assert [_plain(category) for category in rows.categories] == ["“a” … “b” (1–2)", "“c” … “d” (3–4)", "“e” (5)"]
    assert [_plain(text) for text in rows.tick_labels] == ["1·a", "3·c", "5·e"]


def test_a_long_token_is_short_on_the_axis_and_whole_on_hover() -> None:
    rows = axis(tokens_of(["internationalisation<b>"]))
    assert rows.tick_labels == ("international…",)
    assert html.unescape(_plain(rows.categories[0])) == "“internationalisation<b>” (1)"


def test_shortening_does_not_tear_a_mark_from_its_letter() -> None:
    word = "a" * 12 + "e\u0301" + "bcd"
    assert axis(tokens_of([word])).tick_labels == ("a" * 12 + "…",)


def test_right_to_left_tokens_leave_their_position_in_place() -> None:
    category = axis(tokens_of(["القط"])).categories[0]
    assert category == "“\u2068القط\u2069” (1)"


def test_tokens_that_do_not_count_have_positions_too() -> None:
    # As XLNet writes a pair: its separators and its classification token stand behind.
    counts = {"a": True, "b": True, "<sep>": False, "c": True, "<cls>": False}
    tokens = Tokens(tuple(Token(0, text, "content", 0, 0, measured=on) for text, on in counts.items()))
    assert tokens.positions == (0, 1, 3)
    assert [_plain(category) for category in axis(tokens).categories] == ["“a” (0)", "“b” (1)", "“c” (3)"]
    assert _plain(axis(tokens, factor=2).categories[1]) == "“c” (3)"
    assert [_plain(text) for text in axis(tokens, factor=2).tick_labels] == ["0·a", "3·c"]


def test_no_tokens_no_rows() -> None:
    assert axis(Tokens(())).categories == ()


def _plain(text: str) -> str:
    return text.replace("\u2068", "").replace("\u2069", "")


@pytest.mark.parametrize(("count", "shown"), [(63, 63), (64, 64), (65, 33), (128, 64), (129, 43)])
def test_an_axis_has_no_more_ticks_than_a_browser_draws_quickly(count: int, shown: int) -> None:
    assert len(axis(tokens_of([f"w{n}" for n in range(count)])).tick_values) == shown
