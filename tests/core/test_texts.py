"""Many texts from files and pasted lines: nothing is lost without a word, and bad files are told in a sentence."""

from __future__ import annotations

import csv
import gzip
import io
import json
import subprocess
import sys
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet as pq

from oversmooth.core import texts
from oversmooth.core.errors import InputError
from oversmooth.core.reading import separators
from oversmooth.core.texts import MOST_TEXTS, TextList, bundled, columns_of, from_lines, read_texts
from oversmooth.results.settings import Settings

Columns = Mapping[str, Sequence[object]]


def separated(columns: Columns, delimiter: str = ",") -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return file.getvalue().encode()


def json_lines(columns: Columns) -> bytes:
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def parquet(columns: Columns) -> bytes:
    file = io.BytesIO()
    pd.DataFrame(columns).to_parquet(file)
    return file.getvalue()


TABLES: dict[str, Callable[[Columns], bytes]] = {
    ".csv": separated,
    ".tsv": lambda columns: separated(columns, "\t"),
    ".jsonl": json_lines,
    ".parquet": parquet,
}
every_table = pytest.mark.parametrize("suffix", TABLES)


def refusal(content: bytes, name: str, column: str | None = None) -> str:
    with pytest.raises(InputError) as caught:
        read_texts(content, name, column)
    told = str(caught.value)
    assert name in told
    assert told.endswith(".")
    assert "\n" not in told
    return told


one_line = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), min_size=1)


class TestWhatSurvives:
    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(st.lists(one_line.filter(str.strip), min_size=1, max_size=8))
    def test_any_texts_survive_every_format(self, given_texts: list[str]) -> None:
        expected = tuple(given_texts)
        # A byte-order mark at the very start is not part of the text.
        lines = "\ufeff" + "\n".join(given_texts)
        assert read_texts(lines.encode(), "a.txt").texts == expected
        assert from_lines("\n".join(given_texts)).texts == expected
        for suffix, write in TABLES.items():
            found = read_texts(write({"text": given_texts}), f"a{suffix}", "text")
            assert found.texts == expected
            assert found.notices == ()

    @pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
    def test_texts_of_several_lines_with_commas_and_quotes_stay_whole(self, suffix: str) -> None:
        written = ["one,\ntwo\tthree", 'she said "no", twice', "plain words"]
        assert read_texts(TABLES[suffix]({"n": [1, 2, 3], "text": written}), f"a{suffix}").texts == tuple(written)

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    def test_encodings_that_say_what_they_are(self, encoding: str) -> None:
        assert read_texts("Größe zählt\r\n雨が降る".encode(encoding), "a.TXT").texts == ("Größe zählt", "雨が降る")
        assert read_texts('text\n"Größe, ja"\n'.encode(encoding), "a.csv").texts == ("Größe, ja",)

    def test_all_ends_of_lines(self) -> None:
        assert from_lines("a b\nc d\r\ne f\rg\u2028h").texts == ("a b", "c d", "e f", "g\u2028h")


class TestColumns:
    @every_table
    def test_the_only_column_of_texts_is_taken(self, suffix: str) -> None:
        content = TABLES[suffix]({"id": [1, 2], "Review": ["good film", "bad film"], "stars": [4.5, 1.0]})
        found = read_texts(content, f"a{suffix}")
        assert found == TextList(("good film", "bad film"), (), ("Review",), "Review")
        assert columns_of(content, f"a{suffix}") == ("Review",)

    @every_table
    def test_among_several_one_with_a_usual_name_is_taken(self, suffix: str) -> None:
        content = TABLES[suffix]({"title": ["a film"], "Sentence": ["good film"], "content": ["long text"]})
        assert read_texts(content, f"a{suffix}").texts == ("good film",)
        assert read_texts(content, f"a{suffix}", "title").texts == ("a film",)
        assert columns_of(content, f"a{suffix}") == ("title", "Sentence", "content")

    @every_table
    def test_else_the_columns_are_named(self, suffix: str) -> None:
        content = TABLES[suffix]({"id": [1], "title": ["a film"], "review": ["good film"]})
        told = refusal(content, f"a{suffix}")
        assert "“title” and “review”" in told
        assert "“id”" not in told

    @every_table
    def test_a_column_that_is_not_there(self, suffix: str) -> None:
        content = TABLES[suffix]({"id": [1], "review": ["good film"]})
        assert "did you mean “review”" in refusal(content, f"a{suffix}", "reviews")

    @every_table
    def test_no_column_with_texts(self, suffix: str) -> None:
        assert "“id” and “stars”" in refusal(TABLES[suffix]({"id": [1, 2], "stars": [4.5, 1.0]}), f"a{suffix}")

    def test_lines_have_no_columns(self) -> None:
        assert columns_of(b"a b", "a.txt") == ()
        assert "no columns" in refusal(b"a b", "a.txt", "text")

    def test_a_list_of_sentences_under_the_suffix_of_a_table_loses_none_silently(self) -> None:
        (notice,) = read_texts(b"The first sentence.\nThe second one.\n", "a.csv").notices
        assert "“The first sentence.”" in notice


class TestWhatIsLeftOut:
    def test_empty_lines_are_counted(self) -> None:
        assert from_lines("a b\n\n \t\nc d\n") == TextList(
            ("a b", "c d"), ("2 empty lines of the list were left out.",)
        )

    @pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
    def test_values_that_are_missing(self, suffix: str) -> None:
        found = read_texts(TABLES[suffix]({"text": ["a b", None, "c d", " "]}), f"a{suffix}")
        assert found.texts == ("a b", "c d")
        assert found.notices == (f"2 empty values of a{suffix} were left out.",)

    def test_values_that_are_no_text(self) -> None:
        content = (
            b'{"text": "a b"}\n{"text": 3}\n{"text": NaN}\n{"text": ["a"]}\n{"text": "\\ud83d"}\n{"text": "\\u0000"}\n'
        )
        found = read_texts(content, "a.jsonl")
        assert found.texts == ("a b",)
        assert found.notices == ("5 values of a.jsonl were left out, not being text.",)

    def test_a_column_of_numbers(self) -> None:
        told = refusal(parquet({"text": ["a b", "c d"], "n": [1, 2]}), "a.parquet", "n")
        assert "no text" in told
        assert "2 values" in told

    @pytest.mark.parametrize("suffix", [".txt", *TABLES])
    def test_100_000_texts_are_capped(self, suffix: str) -> None:
        many = [f"text {number}" for number in range(100_000)]
        content = "\n".join(many).encode() if suffix == ".txt" else TABLES[suffix]({"text": many})
        found = read_texts(content, f"a{suffix}")
        assert found.texts == tuple(many[:MOST_TEXTS])
        (notice,) = found.notices
        assert "first 1,000 texts" in notice

    def test_as_many_as_may_be_need_no_notice(self) -> None:
        assert from_lines("a b\n" * MOST_TEXTS).notices == ()

    @pytest.mark.parametrize("suffix", [".txt", *TABLES])
    def test_every_list_can_be_measured(self, suffix: str) -> None:
        content = b"a \x07 b\nc" if suffix == ".txt" else TABLES[suffix]({"text": ["a \x07 b", "c"]})
        assert len(Settings.of(texts=read_texts(content, f"a{suffix}").texts).texts) == 2


class TestBadFiles:
    @pytest.mark.parametrize(
        ("content", "name", "told"),
        [
            (b"a b", "a.docx", ".txt, .csv, .tsv, .jsonl and .parquet"),
            (b"a b", "texts", ".txt, .csv, .tsv, .jsonl and .parquet"),
            (b"", "a.txt", "no text"),
            (b"\n \n", "a.txt", "no text"),
            ("a b\nпогода\n".encode("cp1251"), "a.txt", "Line 2"),
            ("a b\n天気\n".encode("shift-jis"), "a.txt", "Line 2"),
            ("naïve\n".encode() + "Größe\n".encode("latin-1"), "a.txt", "Line 2"),
            (BOM_UTF8 + "a b\nGröße\n".encode("latin-1"), "a.csv", "its mark says so"),
            (b"a b\n" + "ü b".encode("utf-16-le"), "a.txt", "Line 2"),
            ("a b\nc d".encode("utf-16-be") + b"\0", "a.txt", "NUL"),
            (b"\xff\xfea", "a.txt", "UTF-16"),
            (b"a b\nc\0d\n", "a.csv", "Line 2"),
            (b"", "a.csv", "empty"),
            (b"text\n", "a.csv", "No column"),
            (b"text\n\n\n", "a.csv", "No column"),
            (b"id,text\n1,a b\n2,c, d\n", "a.csv", "Line 3"),
            (b'id,text\n1,"a, b\n2,c, d', "a.csv", "a quotation mark is not closed"),
            (b'id,text\n1,"a, b" c\n', "a.csv", "separated by comma, behind line 1"),
            (b"text,text\na,b\n", "a.csv", "several columns named “text”"),
            (b'{"text": "a b"}\n{"text": \n', "a.jsonl", "Line 2"),
            (b'{"text": "a b"}\n["a b"]\n', "a.jsonl", "Line 2"),
            (b"[" * 100_000, "a.jsonl", "Line 1"),
            (b"", "a.jsonl", "no JSON object"),
            (b"id,text\n1\n", "a.csv", "Give every line as many values"),
            (b'id,text\n1,"' + b"a b\n" * 300_000 + b'",2\n', "a.csv", "more than 1,000,000 characters"),
            (b'[{"text": "a b"}]', "a.jsonl", "one object a line"),
            (b'[\n{"text": "a b"}\n]', "a.jsonl", "without brackets around all"),
            (b"PK\x03\x04" + bytes(30), "a.csv", "(.xlsx)"),
            (gzip.compress(b"text\na b\n", mtime=0), "a.jsonl", "gzip"),
            (b"%PDF-1.4\n%\xe2\xe3\n", "a.txt", "a PDF"),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "a.csv", "git lfs pull"),
            (parquet({"text": ["a b"]}), "a.csv", "Parquet"),
            (b"", "a.parquet", "damaged"),
            (b"PAR1 this is none PAR1", "a.parquet", "damaged"),
        ],
    )
    def test_are_told_in_a_sentence(self, content: bytes, name: str, told: str) -> None:
        assert told in refusal(content, name)

    def test_two_columns_of_one_name_in_parquet(self) -> None:
        file = io.BytesIO()
        table = pd.DataFrame({"text": ["a b"], "twin": ["c d"]})
        pq.write_table(pa.Table.from_pandas(table).rename_columns(["text", "text"]), file)
        assert "several columns named “text”" in refusal(file.getvalue(), "a.parquet")

    def test_a_parquet_file_that_was_cut_or_overwritten(self) -> None:
        whole = parquet({"text": [f"text {number}" for number in range(5000)]})
        assert "damaged" in refusal(whole[:-100], "a.parquet")
        assert "damaged" in refusal(whole[:1000] + bytes(2000) + whole[3000:], "a.parquet")


class TestHostileFiles:
    def test_of_too_many_bytes(self) -> None:
        assert "50.0 MB" in refusal(bytes(50_000_001), "a.txt")

    def test_of_nothing_but_empty_lines(self) -> None:
        assert "100,000" in refusal(b"\n" * 10_000_000, "a.txt")

    def test_of_too_many_columns(self) -> None:
        assert "20,000 columns" in refusal(",".join(map(str, range(20_000))).encode(), "a.csv")

    @pytest.mark.parametrize("content", [b"," * 2_000_000, b'{"text": [' + b"[]," * 400_000 + b"[]]}"])
    def test_of_a_line_that_would_fill_the_memory(self, content: bytes) -> None:
        name = "a.jsonl" if content.startswith(b"{") else "a.csv"
        assert "1,000,000 characters" in refusal(content, name)

    def test_that_unpacks_to_far_more(self, monkeypatch: pytest.MonkeyPatch) -> None:
        content = parquet({"text": ["a" * 300_000] * 100})
        assert len(content) < 1_000_000
        monkeypatch.setattr(texts, "LARGEST_FILE", 3_000_000)
        assert "3,000,000 characters" in refusal(content, "a.parquet")

    def test_whose_column_unpacks_to_far_more(self, monkeypatch: pytest.MonkeyPatch) -> None:
        content = parquet({"text": [f"{number}" + "a" * 10_000 for number in range(100)]})
        assert len(content) < 500_000
        monkeypatch.setattr("oversmooth.core.reading.text_tables.LARGEST_COLUMN", 500_000)
        assert "500.0 kB" in refusal(content, "a.parquet")


def test_the_bundled_sentences_are_64_of_8_domains() -> None:
    sentences = bundled()
    assert len({sentence.text for sentence in sentences}) == 64
    domains = [sentence.domain for sentence in sentences]
    assert {domain: domains.count(domain) for domain in domains} == dict.fromkeys(domains, 8)
    assert len(set(domains)) == 8
    for sentence in sentences:
        assert 12 <= len(sentence.text.split()) <= 30
        assert sentence.text[0].isupper()
        assert sentence.text.endswith(".")
        # In the public domain everywhere: told with the year in which it was published.
        assert 1700 < int(sentence.source[-5:-1]) < 1929


def test_no_heavy_library_is_loaded_for_lines() -> None:
    code = (
        "import sys; from oversmooth.core import texts; texts.from_lines('a b'); texts.bundled(); "
        "texts.read_texts(b'text\\na b', 'a.csv'); "
        "print({'torch', 'pandas', 'pyarrow', 'streamlit', 'plotly'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


class TestTablesThatDoNotSayHowTheyAreWritten:
    """What is found out is right, and said; nothing is lost without a word."""

    ROWS = (("Der Film, ja, war gut", 1), ("Das Ende; nun ja", 0), ('er sagte "nein" | so', 1))

    def table(self, separator: str, heading: bool = True) -> str:
        file = io.StringIO(newline="")
        writer = csv.writer(file, delimiter=separator)
        writer.writerows([("text", "label"), *self.ROWS] if heading else self.ROWS)
        return file.getvalue()

    @pytest.mark.parametrize("suffix", [".csv", ".tsv"])
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
    @pytest.mark.parametrize(("word", "separator"), separators.SEPARATORS.items())
    def test_every_separator_in_every_encoding(self, word: str, separator: str, encoding: str, suffix: str) -> None:
        found = read_texts(self.table(separator).encode(encoding), f"a{suffix}")
        assert found.texts == tuple(text for text, _ in self.ROWS)
        usual = {".csv": "comma", ".tsv": "tab"}[suffix]
        assert (f"a{suffix} was read as separated by {word}." in found.notices) == (word != usual)
        assert any("read as UTF-16" in notice for notice in found.notices) == (encoding[-3:] in ("-le", "-be"))
        without = read_texts(self.table(separator, heading=False).encode(encoding), f"a{suffix}", "column 1")
        assert without.texts == found.texts
        assert any("“Der Film, ja, war gut” and “1”, was taken for values" in notice for notice in without.notices)

    def test_western_files_of_spreadsheets(self) -> None:
        found = read_texts("text;label\r\nGrößer als früher – ça va, naïf;1\r\n".encode("cp1252"), "a.csv")
        assert found.texts == ("Größer als früher – ça va, naïf",)
        assert "a.csv is not UTF-8 and was read as Windows-1252" in found.notices[0]
        assert read_texts("a b\nnaïve Größe\n".encode("latin-1"), "a.txt").texts == ("a b", "naïve Größe")

    @pytest.mark.parametrize(
        ("content", "texts_of_it", "told"),
        [
            (
                "The cat sat.\nA dog ran, then slept, then ate.\n",
                ("The cat sat.", "A dog ran, then slept, then ate."),
                "a text",
            ),
            (
                "text\nThe cat sat, then\nA dog ran, then slept, then ate.\n",
                ("The cat sat, then", "A dog ran, then slept, then ate."),
                "",
            ),
            ("the cat\nthe dog\nthe bird flew\n", ("the cat", "the dog", "the bird flew"), "a text"),
            ("cat\ndog\nbird\n", ("cat", "dog", "bird"), "a text"),
            ("One text and no end of line", ("One text and no end of line",), "a text"),
            ("text\ncat\ndog\n", ("cat", "dog"), ""),
            ("Review text,stars\nA film,5\nB film,4\n", ("A film", "B film"), ""),
            (
                "the answer\nIt was a very long and dull film indeed\nSo it was for all of us there\n",
                ("It was a very long and dull film indeed", "So it was for all of us there"),
                "the name of its column",
            ),
            ("sep=;\r\ntext;stars\r\na b, c;5\r\n", ("a b, c",), ""),
            ("\n  \ntext,stars\n\na b,5\n   \nc d,4\n", ("a b", "c d"), "left out"),
            (",text,score\n0,Hello you,1.5\n1,Bye now,2\n", ("Hello you", "Bye now"), ""),
            ("text;score\nHello, you;1,5\nBye, now;2,0\n", ("Hello, you", "Bye, now"), "semicolon"),
            (
                "Hello to all of you;1,5\nBye to all of us;2,0\n",
                ("Hello to all of you", "Bye to all of us"),
                "semicolon",
            ),
            (
                "It rained, she said.;4\nIt was, in fact, dry.;2\n",
                ("It rained, she said.", "It was, in fact, dry."),
                "semi",
            ),
            ("It rained, she said.\nIt was dry.\n", ("It rained, she said.", "It was dry."), "followed by a space"),
            ("It rained, she said.\nIt was, dry.\n", ("It rained, she said.", "It was, dry."), "followed by a space"),
            ("It rained, they said.;4\nIt was, dry.;2\n", ("It rained, they said.", "It was, dry."), "semi"),
            ("text,label,,,\na b,1,,,\nc d,0,,,\n", ("a b", "c d"), ""),
            ("text,label\na b,1,\nc d,0,\n", ("a b", "c d"), ""),
            ("text,n,n\na b,1,2\nc d,0,2\n", ("a b", "c d"), ""),
            ('n, text\n1, "a, b"\n2, "c"\n', ("a, b", "c"), ""),
            ('text,n\n"a \\"b\\", C:\\new",1\n"c",2\n', ('a "b", C:\\new', "c"), "backslash"),
            ('"sep=|"\ntext|n\na, b|1\n', ("a, b",), ""),
            (f'text,n\n"{"a long text, " * 20_000}",1\n', ("a long text, " * 20_000,), ""),
        ],
    )
    def test_headings_and_single_columns(self, content: str, texts_of_it: tuple[str, ...], told: str) -> None:
        for ends in ("\n", "\r\n"):
            found = read_texts(content.replace("\r\n", "\n").replace("\n", ends).encode(), "a.csv")
            assert found.texts == texts_of_it
            assert told in " ".join(found.notices)
            assert bool(told) == bool(found.notices)

    @pytest.mark.parametrize(
        ("content", "texts_of_it"),
        [
            ('"Hello" he said and left\t1\nHe is 6\'2" tall\t0\n', ('"Hello" he said and left', "He is 6'2\" tall")),
            ('"A film\t1\nof two" halves\t0\nplain\t1\n', ('"A film', 'of two" halves', "plain")),
            ('"A film\t1\nB"\t0\n', ('"A film', 'B"')),
            ('"A film"\t1\nplain words\t0\n', ('"A film"', "plain words")),
        ],
    )
    def test_quotation_marks_that_are_characters(self, content: str, texts_of_it: tuple[str, ...]) -> None:
        found = read_texts(f"sentence\tlabel\n{content}".encode(), "dev.tsv")
        assert found.texts == texts_of_it
        assert found.notices == ("Quotation marks in dev.tsv were taken for characters of its texts.",)

    @pytest.mark.parametrize("content", ['"a\tb"\t1\n"c ""d"""\t0\n', '"a\nb"\t1\n"c"\t0\n', '"a b"\t1\n"c d"\t0\n'])
    def test_quotation_marks_that_enclose(self, content: str) -> None:
        found = read_texts(f"sentence\tlabel\n{content}".encode(), "dev.tsv")
        rows = list(csv.reader(io.StringIO(content, newline=""), delimiter="\t"))
        assert found.texts == tuple(row[0] for row in rows)
        assert found.notices == ()

    def test_glue_without_a_heading_names_its_columns_by_number(self) -> None:
        content = b"gj04\t1\t\tOur friends won't buy this.\ngj04\t1\t\tOne more generalization.\n"
        told = refusal(content, "train.tsv")
        assert "“column 1” and “column 4”" in told
        assert "The first line of train.tsv" in told
        assert read_texts(content, "train.tsv", "column 4").texts[0] == "Our friends won't buy this."

    def test_what_is_said_comes_first(self) -> None:
        content = b"the cat;x\nthe dog;y\n"
        assert read_texts(content, "a.csv", "the cat", separator="semicolon", header=True).texts == ("the dog",)
        assert read_texts(content, "a.csv", "column 1", separator=";", header=False).texts == ("the cat", "the dog")
        assert columns_of(content, "a.csv", header=False) == ("column 1", "column 2")

    @pytest.mark.parametrize(
        ("separator", "told"),
        [
            ("tab", "No tab divides the first line of a.csv; a comma would."),
            ("ab", "“ab” cannot separate values"),
            ('"', "cannot separate values"),
            ("", "cannot separate values"),
        ],
    )
    def test_a_separator_that_cannot_be_is_refused_by_name(self, separator: str, told: str) -> None:
        with pytest.raises(InputError) as raised:
            read_texts(b"text,label\na b,1\n", "a.csv", separator=separator)
        assert told in str(raised.value)

    @pytest.mark.parametrize(("name", "content"), [("a.jsonl", b'{"a": "b c"}'), ("a.txt", b"a b")])
    def test_other_files_have_none(self, name: str, content: bytes) -> None:
        for said in ({"separator": ";"}, {"header": True}):
            with pytest.raises(InputError, match=r"[Ll]eave"):
                read_texts(content, name, **said)

    @pytest.mark.parametrize(
        ("name", "content", "told"),
        [
            ("a.txt", b"1\ta b\tc d\n0\te f\tg h\n", "a tab divides each into 3 values: name it .tsv"),
            ("a.txt", b"text,label\na b,1\nc d,0\n", "a comma divides each into 2 values: name it .csv"),
            ("a.txt", b"It rained, she said.\nIt was, in fact, dry.\n", ""),
            ("a.txt", b"It rained, she said.\nIt was, dry; so we went.\n", ""),
        ],
    )
    def test_lines_that_look_like_a_table_are_texts_and_said_to_be(self, name: str, content: bytes, told: str) -> None:
        found = read_texts(content, name)
        assert found.texts == tuple(content.decode().splitlines())
        assert bool(found.notices) == bool(told)
        assert told in " ".join(found.notices)

    def test_what_divides_the_first_line_is_to_blame_where_nothing_divides_all(self) -> None:
        told = refusal(b"news\t1\tA plane is here.\nnews\t2\tA man, it seems.\tmore\n", "sts-train.csv")
        assert "Line 2 of sts-train.csv has 4 values where its first line has 3, separated by tab" in told

    def test_of_two_separators_that_of_the_suffix_comes_first(self) -> None:
        content = b"The cat sat on it.,1;2\nThe dog ran.,3;4\n"
        assert "separated by comma, though semicolon would divide it too" in refusal(content, "a.csv")
        assert read_texts(content, "a.csv", "column 1").texts == ("The cat sat on it.", "The dog ran.")

    def test_ragged_rows_name_the_separator(self) -> None:
        told = refusal(b"text,label\na b,1\nc, d,0\n", "a.csv")
        assert "Line 3 of a.csv has 3 values where its first line has 2, separated by comma" in told


class TestPairsOfColumns:
    @every_table
    def test_two_columns_make_pairs_in_their_order(self, suffix: str) -> None:
        content = TABLES[suffix]({"premise": ["a man", "", "x y"], "label": [1, 2, 3], "hypothesis": ["b", "c", "z"]})
        found = read_texts(content, f"a{suffix}", ("hypothesis", "premise"))
        assert found.texts == (("b", "a man"), ("z", "x y"))
        assert found.column == ("hypothesis", "premise")
        assert found.notices == (f"1 empty pair of a{suffix} was left out.",)

    @every_table
    def test_two_columns_of_texts_are_named_and_may_be_given_as_a_pair(self, suffix: str) -> None:
        told = refusal(TABLES[suffix]({"premise": ["a man"], "hypothesis": ["a woman"]}), f"a{suffix}")
        assert "“premise” and “hypothesis”. Name one of them, or both as a pair." in told

    def test_three_are_too_many(self) -> None:
        with pytest.raises(InputError, match=r"Name one column of a\.csv, or two"):
            read_texts(b"a,b,c\nx y,z,w\n", "a.csv", ("a", "b", "c"))
