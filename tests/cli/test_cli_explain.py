"""``oversmooth explain``: what it prints, what it writes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny import minilm

from oversmooth import Settings, measure
from oversmooth.cli.main import run
from oversmooth.core.errors import InputError
from oversmooth.core.progress import Report
from oversmooth.core.texts import bundled
from oversmooth.measuring import measuring
from oversmooth.report.findings.explanations import in_words
from oversmooth.results.measurement import Measurement

TEXTS = ("The cat sat on the mat.", "A court may refuse to hear the appeal.")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """What it would measure; nothing is measured."""
    found: list[Settings] = []

    def refuse(settings: Settings, *, report: Report) -> Measurement:
        found.append(settings)
        raise InputError("That is enough.")

    monkeypatch.setattr(measuring, "measure", refuse)
    return found


def test_prints_the_findings_and_writes_what_repeats_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "out"
    texts = [word for text in TEXTS for word in ("--text", text)]
    assert run(["explain", *texts, "--device", "cpu", "--out", str(folder)]) == 0
    settings = Settings.of(texts=TEXTS, explanation=True, similarity=False, device="cpu")
    printed = capsys.readouterr().out
    assert in_words(measure(settings, model=minilm())) in printed
    assert Settings.from_file(folder / "settings.json") == settings
    assert str(folder) in printed


def test_without_a_text_it_reads_the_sentences_that_come_along(asked: list[Settings]) -> None:
    assert run(["explain", "--max-tokens", "20", "--precision", "float64"]) == 2
    (settings,) = asked
    assert settings.texts == tuple(sentence.text for sentence in bundled())
    assert (settings.explanation, settings.points, settings.max_tokens) == (True, "branches", 20)
    assert settings.precision == "float64"


def test_explains_what_an_earlier_run_measured(asked: list[Settings], tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text(Settings.of(texts=TEXTS, points="all", special_tokens=True).to_json())
    assert run(["explain", "--settings", str(file)]) == 2
    (settings,) = asked
    assert settings.texts == TEXTS
    assert settings.special_tokens
    assert settings.explanation


def test_reads_a_column_of_a_file(asked: list[Settings], tmp_path: Path) -> None:
    file = tmp_path / "texts.jsonl"
    file.write_text("\n".join(json.dumps({"text": text, "title": "none"}) for text in TEXTS))
    assert run(["explain", "--texts", str(file), "--column", "text"]) == 2
    assert asked[0].texts == TEXTS


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--texts", "missing.csv"], "missing.csv"),
        (["--text", "a", "--column", "b"], "--column is about the file of --texts"),
        (["--text", "a", "--figures", "pdf"], "add --out FOLDER"),
        (["--metric", "rankme"], "No such option"),
    ],
)
def test_refuses_in_one_sentence(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", *arguments]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
