"""Files with many texts on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from oversmooth.cli.main import run
from oversmooth.core.pairs import Input
from oversmooth.results.settings import Settings

MEASURE = ["measure", "--metric", "stable_rank"]
TABLE = "id,review,title\n1,a cat sat,A cat\n2,,No words\n3,the dog ran,A dog\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "reviews.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def measured(folder: Path) -> tuple[Input, ...]:
    return Settings.from_file(folder / "settings.json").texts


def test_each_line_of_a_file_is_a_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("a cat sat\n\nthe dog ran\n", encoding="utf-8")
    assert run([*MEASURE, "--texts", str(path), "--out", str(tmp_path / "out")]) == 0
    assert measured(tmp_path / "out") == ("a cat sat", "the dog ran")
    assert f"Note: 1 empty line of {path} was left out.\n" in capsys.readouterr().err


def test_a_column_of_a_table(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*MEASURE, "--texts", str(table), "--column", "review", "--out", str(tmp_path / "out")]) == 0
    assert measured(tmp_path / "out") == ("a cat sat", "the dog ran")
    assert "1 empty value" in capsys.readouterr().err


def test_a_comparison_reads_them_too(table: Path, tmp_path: Path) -> None:
    arguments = ["--texts", str(table), "--column", "review", "--metric", "stable_rank", "--mitigation", "no_mlp"]
    assert run(["compare", *arguments, "--out", str(tmp_path / "out")]) == 0
    curves = (tmp_path / "out" / "curves.csv").read_text(encoding="utf-8")
    assert {line.split(",")[1] for line in curves.splitlines()[1:]} == {"0", "1"}


def test_they_replace_those_of_a_settings_file(table: Path, tmp_path: Path) -> None:
    settings = tmp_path / "settings.json"
    settings.write_text(Settings.of(texts="other words", metrics="stable_rank").to_json(), encoding="utf-8")
    arguments = ["--settings", str(settings), "--texts", str(table), "--column", "title"]
    assert run(["measure", *arguments, "--out", str(tmp_path / "out")]) == 0
    assert measured(tmp_path / "out") == ("A cat", "No words", "A dog")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--texts", "{table}"], "“review” and “title”"),
        (["--texts", "{table}", "--column", "revue"], "did you mean “review”"),
        (["--texts", "{table}", "--column", "review", "--text", "a b"], "not with both"),
        (["--texts", "{table}", "--column", "review", "--text-file", "{table}"], "not with both"),
        (["--text", "a b", "--column", "review"], "--texts"),
        (["--texts", "{table}.missing"], "No such file"),
        (["--texts", "{folder}"], "directory"),
    ],
)
@pytest.mark.parametrize("command", ["measure", "compare"])
def test_bad_ones_are_told_in_a_sentence(
    command: str, arguments: list[str], told: str, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled = [argument.format(table=table, folder=table.parent) for argument in arguments]
    assert run([command, *filled]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("Error: ")
    assert printed.err.count("\n") == 1
    assert told in printed.err


def test_more_bytes_than_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "large.txt"
    with path.open("wb") as file:
        file.truncate(50_000_001)
    assert run([*MEASURE, "--texts", str(path)]) == 2
    assert "50.0 MB" in capsys.readouterr().err


def test_a_pair_is_one_input(tmp_path: Path) -> None:
    out = tmp_path / "out"
    pairs = ["--text", "a cat sat", "--pair", "it rested", "--text", "a dog", "--pair", "it ran"]
    assert run([*MEASURE[:1], *pairs, *MEASURE[1:], "--out", str(out)]) == 0
    assert measured(out) == (("a cat sat", "it rested"), ("a dog", "it ran"))


@pytest.mark.parametrize(("texts", "told"), [(["--text", "a"], "--text 1 time"), ([], "--text not at all")])
def test_pairs_without_their_texts_are_refused(texts: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*MEASURE[:1], *texts, "--pair", "b", "--pair", "c", *MEASURE[1:]]) == 2
    assert f"--pair was given 2 times and {told}. Give one --pair for each --text." in capsys.readouterr().err


def test_what_was_assumed_is_told_and_options_say_otherwise(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "reviews.csv", tmp_path / "out"
    path.write_text("a good film; a cat;1\na bad film; a dog;2\n", encoding="utf-8")
    given = ["--texts", str(path), "--separator", ";", "--no-header", "--column", "column 1", "--column", "column 2"]
    assert run([*MEASURE, *given, "--out", str(out)]) == 0
    assert measured(out) == (("a good film", " a cat"), ("a bad film", " a dog"))
    assert "was read as" not in capsys.readouterr().err
    assert run([*MEASURE, "--texts", str(path), "--column", "column 1", "--out", str(tmp_path / "again")]) == 0
    assert "was read as separated by semicolon" in capsys.readouterr().err
    assert run([*MEASURE, "--texts", str(path), "--separator", "comma"]) == 2
    assert "No comma divides the first line" in capsys.readouterr().err


@pytest.mark.parametrize("option", [["--separator", ";"], ["--no-header"], ["--column", "a"]])
def test_options_of_a_file_need_it(option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*MEASURE, "--text", "a cat", *option]) == 2
    assert "is about the file of --texts, which was not given" in capsys.readouterr().err
