"""The choice of what is read, as a user meets it in a sidebar: nothing is measured here."""

from __future__ import annotations

import json
from typing import Any

import pytest
from remembering import remembering
from streamlit.testing.v1 import AppTest

from oversmooth.core.pairs import Input
from oversmooth.core.texts import bundled
from oversmooth.dashboard.controls.texts import examples

ONE = "The cat sat on the mat."
SENTENCES = tuple(sentence.text for sentence in bundled())
TABLE = b"number,text,note\n1,A bird sang.,It was heard.\n2,The rain fell.,It was wet.\n"


def _page() -> None:
    import streamlit as st

    from oversmooth.dashboard.controls.state import enter
    from oversmooth.dashboard.controls.texts import show_texts, shown_text, text_input

    enter(st.session_state.get("opened", "measure"))
    if given := st.session_state.pop("given", None):
        show_texts(given)
    explains = st.session_state.get("opened") == "explain"
    texts = text_input("explain source", "64 sentences") if explains else text_input()
    st.session_state.found = texts, shown_text(texts)


def drawn(source: str | None = None, **state: Any) -> AppTest:
    page = AppTest.from_function(_page, default_timeout=30)
    page.session_state["text"] = ONE
    for name, value in state.items():
        page.session_state[name] = value
    page.run()
    return page if source is None else choose(page, source)


def choose(page: AppTest, source: str) -> AppTest:
    page.selectbox(key="source").set_value(source).run()
    assert not page.exception
    return page


def upload(page: AppTest, name: str, content: bytes) -> AppTest:
    page.file_uploader(key="texts_file").set_value((name, content, "application/octet-stream")).run()
    assert not page.exception
    return page


def texts(page: AppTest) -> tuple[Input, ...]:
    found: tuple[Input, ...] = page.session_state["found"][0]
    return found


def said(page: AppTest) -> str:
    found = "\n".join(str(each.value) for group in (page.error, page.info, page.caption) for each in group)
    return found.replace("\\", "").replace("\u2060", "")


def test_a_second_text_makes_a_pair_and_an_example_ends_it() -> None:
    page = drawn()
    page.text_area(key="second text").set_value("It rained.").run()
    assert texts(page) == ((ONE, "It rained."),)
    page.text_area(key="second text").set_value("  ").run()
    assert texts(page) == (ONE,)
    page.text_area(key="second text").set_value("It rained.").run()
    example = page.selectbox(key="example").options[0]
    page.selectbox(key="example").set_value(example).run()
    assert texts(page) == (examples()[0].text,)


@pytest.mark.parametrize("given", [[("A man sat.", "He rested.")], [("A man sat.", "He rested."), "A bird."]])
def test_given_pairs_are_read_as_such(given: list[Any]) -> None:
    assert texts(drawn(given=given)) == tuple(given)


def test_one_text_is_the_usual_source() -> None:
    page = drawn()
    assert page.selectbox(key="source").value == "One text"
    assert texts(page) == (ONE,)
    assert page.session_state["found"][1] == 0


def test_pasted_lines_are_a_text_each_and_empty_ones_are_told() -> None:
    page = drawn("Several texts")
    assert set(texts(page)) < set(SENTENCES)
    page.text_area(key="several texts").set_value("A bird sang.\n\n  \nThe rain fell.").run()
    assert texts(page) == ("A bird sang.", "The rain fell.")
    assert "2 texts, about 6 words" in said(page)
    assert "2 empty lines of the list were left out." in said(page)


def test_the_sentences_come_with_their_domains_and_authors() -> None:
    page = drawn("64 sentences")
    assert texts(page) == SENTENCES
    assert f"64 texts, about {sum(len(text.split()) for text in SENTENCES):,} words" in said(page)
    listed = "\n".join(each.value for each in page.markdown).replace("\\", "").replace("\u2060", "")
    assert all(each.domain in listed and each.source in listed and each.text in listed for each in bundled())


def test_signs_count_as_words_where_no_spaces_are_written() -> None:
    page = drawn("Several texts")
    page.text_area(key="several texts").set_value("清晨的市场很热闹\nIl pleut").run()
    assert "2 texts, about 10 words" in said(page)


def test_what_was_given_in_one_source_is_there_when_the_reader_comes_back() -> None:
    page = drawn("Several texts")
    page.text_area(key="several texts").set_value("A bird sang.\nThe rain fell.").run()
    upload(choose(page, "File"), "two.txt", b"One line here.\nAnother line.")
    choose(page, "One text")
    page.text_area(key="text").set_value("Quite another text.").run()
    assert texts(choose(page, "Several texts")) == ("A bird sang.", "The rain fell.")
    assert texts(choose(page, "File")) == ("One line here.", "Another line.")
    assert "two.txt" in said(page)
    assert texts(choose(page, "One text")) == ("Quite another text.",)


def test_the_column_of_a_table_is_chosen() -> None:
    page = upload(drawn("File"), "table.csv", TABLE)
    assert texts(page) == ("A bird sang.", "The rain fell.")
    assert page.selectbox(key="texts_column").value == "text"
    page.selectbox(key="texts_column").set_value("note").run()
    assert texts(page) == ("It was heard.", "It was wet.")
    assert texts(choose(choose(page, "One text"), "File")) == ("It was heard.", "It was wet.")
    assert page.selectbox(key="texts_column").value == "note"


def test_a_table_that_leaves_its_column_open_is_asked_about() -> None:
    page = upload(drawn("File"), "table.tsv", b"left\tright\nA bird sang.\tThe rain fell.\n")
    assert "Several columns of table.tsv hold texts" in said(page)
    assert texts(page) == (ONE,)
    page.selectbox(key="texts_column").set_value("right").run()
    assert texts(page) == ("The rain fell.",)
    assert not page.error


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("table.csv", b"a,b\n1,2\n3,4\n", "No column of table.csv holds texts"),
        ("mixed.txt", "caf\u00e9\n".encode() + "caf\u00e9\n".encode("latin-1"), "Line 2 of mixed.txt is not UTF-8"),
        ("empty.txt", b"\n \n\t\n", "There is no text in empty.txt. 3 empty lines of empty.txt were left out."),
        ("none.txt", b"", "There is no text in none.txt"),
        ("![x](http://a.org).jsonl", b'{"text": ', "![x](http://a.org).jsonl"),
        ("table.parquet", b"PAR1 and no more", "table.parquet"),
    ],
)
def test_a_file_without_texts_is_one_sentence_and_the_texts_before_stay(name: str, content: bytes, why: str) -> None:
    page = upload(choose(drawn("64 sentences"), "File"), name, content)
    (error,) = page.error
    assert why in said(page)
    assert "The 64 texts read before stay." in said(page)
    assert "[" not in error.value.replace("\\[", "")
    assert texts(page) == SENTENCES
    upload(page, "good.txt", b"A bird sang.")
    assert texts(page) == ("A bird sang.",)
    assert not page.error


def test_a_hundred_thousand_lines_are_capped_and_told() -> None:
    content = "\n".join(f"line number {number}" for number in range(100_000)).encode()
    page = upload(drawn("File"), "long.txt", content)
    assert texts(page) == tuple(f"line number {number}" for number in range(1000))
    assert "Only the first 1,000 texts of long.txt are taken" in said(page)


def test_before_a_file_and_after_its_removal_the_text_stays() -> None:
    page = drawn("File")
    assert "No file was given yet. The text read before stays: “The cat sat on the mat.”" in said(page)
    assert not page.error
    upload(page, "two.txt", b"One line here.\nAnother line.")
    page.file_uploader(key="texts_file").set_value([]).run()
    assert "No file was given yet. The 2 texts read before stay." in said(page)
    assert texts(page) == ("One line here.", "Another line.")
    assert texts(choose(choose(page, "One text"), "File")) == (ONE,)


def test_nothing_pasted_keeps_the_texts_before() -> None:
    page = drawn("Several texts")
    before = texts(page)
    page.text_area(key="several texts").set_value(" \n").run()
    assert "There is no text in the list." in said(page)
    assert texts(page) == before


def test_the_text_shown_is_chosen_and_keeps_its_number() -> None:
    page = drawn("64 sentences")
    page.selectbox(key="shown").set_value(40).run()
    assert page.session_state["found"] == (SENTENCES, 40)
    choose(page, "Several texts")
    assert page.session_state["found"][1] == 0
    page.selectbox(key="shown").set_value(2).run()
    page.text_area(key="several texts").set_value("A bird sang.\nThe rain fell.\nAnd then the sun came.").run()
    assert page.session_state["found"][1] == 2


def test_texts_can_be_edited_again_and_again_and_the_choice_names_them_as_they_are() -> None:
    page = remembering(drawn("Several texts"))
    page.text_area(key="several texts").set_value("A bird sang.\nThe rain fell.").run()
    page.selectbox(key="shown").set_value(1).run()
    for last in ("Snow fell.", "Hail fell.", "The sun came.\nAnd went."):
        page.text_area(key="several texts").set_value(f"A bird sang.\n{last}").run()
        assert not page.exception
        control = page.selectbox(key="shown")
        assert control.value == page.session_state["found"][1] == 1
        assert control.options[:2] == ["1: A bird sang.", f"2: {last.splitlines()[0]}"]
        assert page.memory[control.id].string_value == control.options[1]


def test_another_table_has_columns_of_its_own() -> None:
    page = remembering(upload(drawn("File"), "table.csv", TABLE))
    page.selectbox(key="texts_column").set_value("note").run()
    upload(page, "other.csv", b"left,right\nA bird sang.,It was heard.\nA cow came.,It was seen.\n")
    assert page.selectbox(key="texts_column").options == ["left", "right"]
    assert page.selectbox(key="texts_column").value is None
    page.selectbox(key="texts_column").set_value("right").run()
    upload(page, "table.csv", TABLE)
    page.selectbox(key="texts_column").set_value("note").run()
    assert texts(page) == ("It was heard.", "It was wet.")
    assert not page.error


@pytest.mark.parametrize(
    ("given", "source"),
    [
        (("Only this.",), "One text"),
        (("Two\nlines in one.",), "One text"),
        (("A bird sang.", " The rain fell. ", "A bird sang."), "Several texts"),
        (SENTENCES, "64 sentences"),
        (SENTENCES[::-1], "Several texts"),
        (("Two\nlines in one.", "And one."), "File"),
        (("Not empty.", ""), "File"),
    ],
)
def test_texts_of_a_link_or_a_file_find_their_source(given: tuple[str, ...], source: str) -> None:
    page = drawn(given=given)
    assert page.selectbox(key="source").value == source
    assert texts(page) == given


def test_a_page_may_have_a_source_of_its_own() -> None:
    page = drawn(opened="explain")
    assert texts(page) == SENTENCES
    page.selectbox(key="explain source").set_value("One text").run()
    page.text_area(key="text").set_value("Typed on one page.").run()
    page.session_state["opened"] = "measure"
    page.run()
    assert texts(page) == ("Typed on one page.",)
    choose(page, "Several texts")
    page.session_state["opened"] = "explain"
    page.run()
    assert page.selectbox(key="explain source").value == "One text"
    assert texts(page) == ("Typed on one page.",)


def test_a_column_of_json_lines_is_read() -> None:
    values = ("A bird sang.", None, "It rained.")
    rows = [{"id": str(number), "sentence": value} for number, value in enumerate(values)]
    page = upload(drawn("File"), "rows.jsonl", "\n".join(map(json.dumps, rows)).encode())
    page.selectbox(key="texts_column").set_value("sentence").run()
    assert texts(page) == ("A bird sang.", "It rained.")
    assert "1 empty value of rows.jsonl was left out." in said(page)


def test_two_columns_make_pairs_and_one_again_makes_texts() -> None:
    page = upload(drawn("File"), "table.csv", TABLE)
    page.selectbox(key="texts_second").set_value("note").run()
    assert texts(page) == (("A bird sang.", "It was heard."), ("The rain fell.", "It was wet."))
    page.selectbox(key="texts_column").set_value("note").run()
    page.selectbox(key="texts_second").set_value("text").run()
    assert texts(page) == (("It was heard.", "A bird sang."), ("It was wet.", "The rain fell."))
    page.selectbox(key="texts_second").set_value("").run()
    assert texts(page) == ("It was heard.", "It was wet.")


def test_what_was_assumed_of_a_table_is_said_and_can_be_changed() -> None:
    page = upload(drawn("File"), "table.csv", b"Review text;stars\nA bird, it sang;5\nThe rain fell;1\n")
    assert texts(page) == ("A bird, it sang", "The rain fell")
    assert "table.csv was read as separated by semicolon." in said(page)
    page.selectbox(key="texts_header").set_value("Texts").run()
    page.selectbox(key="texts_column").set_value("column 1").run()
    assert texts(page) == ("Review text", "A bird, it sang", "The rain fell")
    page.selectbox(key="texts_separator").set_value("pipe").run()
    assert "No pipe divides the first line of table.csv; a semicolon would" in said(page)
    page.selectbox(key="texts_separator").set_value("").run()
    page.selectbox(key="texts_header").set_value("Found out").run()
    assert texts(page) == ("A bird, it sang", "The rain fell")
