"""``oversmooth run`` as a person meets it: what it repeats, what it says of differences, and its exit code."""

from __future__ import annotations

import csv
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from disk import full_disk

from oversmooth.cli.main import run
from oversmooth.results.settings import Settings

TEXTS = ["The cat sat on the mat and looked at the rain.", "A dog ran."]
FIGURES = ("mean_norm", "similarity_5")
"""Of a norm alone, which is not made of singular values."""
TABLES = ("curves.csv", "spectra.csv")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run over two texts with all metrics."""
    path = tmp_path_factory.mktemp("measured") / "result"
    assert run(["measure", "--text", TEXTS[0], "--text", TEXTS[1], "--out", str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a comparison."""
    path = tmp_path_factory.mktemp("compared") / "result"
    variants = ["--mitigation", "softdecay:alpha=-0.6", "--mitigation", "noise:seed=3"]
    assert run(["compare", "--text", TEXTS[0], "--metric", "token_cosine", *variants, "--out", str(path)]) == 0
    return path


@pytest.fixture
def copied(measured: Path, tmp_path: Path) -> Path:
    """The measured folder, to be changed."""
    return shutil.copytree(measured, tmp_path / "copied")


def change(path: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    """Change a JSON file."""
    content = json.loads(path.read_text(encoding="utf-8"))
    edit(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def scale(path: Path, factor: float) -> None:
    """Change one cosine of a table."""
    with path.open(newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    row = next(row for row in rows if row[3] == "token_cosine" and row[2] == "5")
    row[4] = repr(float(row[4]) * factor)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows])


class TestSameMachine:
    @pytest.mark.parametrize("source", ["", "settings.json"])
    def test_a_measurement_repeats_byte_for_byte(
        self, measured: Path, tmp_path: Path, source: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(["run", str(measured / source), "--out", str(tmp_path)]) == 0
        for name in (*TABLES, "means.csv", "settings.json"):
            assert (tmp_path / name).read_bytes() == (measured / name).read_bytes()
        shown = capsys.readouterr()
        assert "The same bytes as before: curves.csv, means.csv, spectra.csv." in shown.out
        assert "Tokens grow alike" in shown.out
        assert "record" not in shown.err

    def test_a_comparison_repeats_byte_for_byte(
        self, compared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(["run", str(compared / "settings.json"), "--out", str(tmp_path)]) == 0
        for name in (*TABLES, "deltas.csv", "settings.json"):
            assert (tmp_path / name).read_bytes() == (compared / name).read_bytes()
        assert "The same bytes as before: curves.csv, spectra.csv, deltas.csv." in capsys.readouterr().out

    def test_a_bundle_repeats(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        bundled = str(tmp_path / "run.zip")
        options = ["--metric", "token_cosine", "--dpi", "60", "--bundle", bundled]
        assert run(["measure", "--text", TEXTS[0], *options]) == 0
        capsys.readouterr()
        assert run(["run", bundled, "--out", str(tmp_path / "out"), "--format", "csv,json"]) == 0
        assert "The same bytes as before: curves.csv, spectra.csv." in capsys.readouterr().out
        with zipfile.ZipFile(bundled) as archive:
            for name in TABLES:
                assert (tmp_path / "out" / name).read_bytes() == archive.read(name)
        assert (tmp_path / "out" / "data.json").exists()

    def test_without_a_target_it_prints(self, compared: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["run", str(compared)]) == 0
        assert "FIRST → LAST" in capsys.readouterr().out

    def test_into_the_same_folder(self, copied: Path) -> None:
        before = {name: (copied / name).read_bytes() for name in TABLES}
        assert run(["run", str(copied), "--out", str(copied)]) == 2
        assert run(["run", str(copied), "--out", str(copied), "--force"]) == 0
        assert {name: (copied / name).read_bytes() for name in TABLES} == before


class TestDifferences:
    def test_other_versions_and_machines_are_told_a_line_each(
        self, copied: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def edit(record: dict[str, Any]) -> None:
            record["environment"]["libraries"]["torch"] = "1.0"
            record["environment"] |= {"threads": 99, "device": "cuda:0", "device_name": "a card"}

        change(copied / "record.json", edit)
        assert run(["run", str(copied)]) == 0
        told = [line for line in capsys.readouterr().err.splitlines() if "record" in line]
        assert len(told) == 3
        assert all(line.startswith("Note: Not as in the record: ") for line in told)
        assert "torch was 1.0, now " in told[0]
        assert "the device was cuda:0 (a card), now cpu" in told[1]
        assert "the number of threads was 99, now " in told[2]

    @pytest.mark.parametrize(("factor", "code"), [(1 + 1e-6, 0), (1.01, 1)])
    def test_other_numbers_are_told_with_the_largest_difference(
        self, copied: Path, factor: float, code: int, capsys: pytest.CaptureFixture[str]
    ) -> None:
        scale(copied / "curves.csv", factor)
        assert run(["run", str(copied), "--out", str(copied.parent / "out")]) == code
        shown = capsys.readouterr()
        assert "The same bytes as before: means.csv, spectra.csv." in shown.out
        (line,) = [line for line in (shown.out + shown.err).splitlines() if "repeated" in line]
        assert "token_cosine at block 5 of text 1" in line
        assert ("1.0e-06" if code == 0 else "9.9e-03") in line
        assert "0.0001" in line
        assert line.startswith("Error: curves.csv is not repeated: ") == bool(code)
        assert ("although nothing differs from the record" in line) == (not code)
        # What was measured is written all the same.
        assert (copied.parent / "out" / "curves.csv").exists()

    def test_other_weights_are_another_model(self, copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
        def edit(record: dict[str, Any]) -> None:
            record["model"]["weights_sha256"] = dict.fromkeys(record["model"]["weights_sha256"], "f00d" * 16)

        change(copied / "record.json", edit)
        assert run(["run", str(copied)]) == 1
        last = capsys.readouterr().err.splitlines()[-1]
        assert last.startswith("Error: The weights of “all-MiniLM-L6-v2” are not those of the record")
        assert "f00df00df00d" in last
        assert "another model" in last

    def test_changed_settings_are_not_compared(self, copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
        change(copied / "settings.json", lambda settings: settings.update(texts=["A bird sang."]))
        assert run(["run", str(copied)]) == 0
        shown = capsys.readouterr()
        assert f"Note: {copied / 'record.json'} is of another run: nothing is compared with it." in shown.err
        assert "before" not in shown.out

    def test_another_device_can_be_asked_for(self, compared: Path, tmp_path: Path) -> None:
        assert run(["run", str(compared), "--device", "cpu", "--out", str(tmp_path)]) == 0
        settings = json.loads((tmp_path / "settings.json").read_text(encoding="utf-8"))
        assert {settings["baseline"]["device"], *(side["device"] for _, side in settings["variants"])} == {"cpu"}

    def test_a_variant_that_is_refused_now_is_told(
        self, compared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def edit(settings: dict[str, Any]) -> None:
            settings["variants"].append(["more", settings["baseline"] | {"mitigations": ["attnscale:layers=9"]}])

        shutil.copy(compared / "settings.json", tmp_path)
        change(tmp_path / "settings.json", edit)
        assert run(["run", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
        assert "Error: The variant “more” was left out." in capsys.readouterr().err
        assert (tmp_path / "out" / "curves.csv").exists()


def refusal(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one sentence with which the command refuses."""
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("Error: ")
    assert shown.err.count("\n") == 1
    assert shown.err.rstrip().endswith((".", "?"))
    return shown.err


class TestBadInput:
    @pytest.mark.parametrize(
        ("content", "told"),
        [
            (None, "No such file"),
            (b"{", "not JSON"),
            (b"[]", "JSON object"),
            (b'{"texts": ["a b"], "schema_version": 99}', "newer"),
            (b'{"texts": ["a b"], "metrik": []}', "“metrik”"),
            (b'{"texts": ["a b"], "model": "./missing"}', "./missing"),
            (b'{"baseline": {"texts": ["a b"], "model": "./missing"}, "variants": []}', "./missing"),
            (b'{"texts": ["a b"], "device": "tpu"}', "device"),
        ],
    )
    def test_of_settings(
        self, content: bytes | None, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "settings.json"
        if content is not None:
            path.write_bytes(content)
        assert told in refusal(["run", str(path), "--out", str(tmp_path / "out")], capsys)
        assert not (tmp_path / "out").exists()

    def test_of_targets_is_told_before_the_model_runs(
        self, measured: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.delattr("oversmooth.measuring.measuring.measure")
        (tmp_path / "file").write_text("mine")
        (tmp_path / "taken").mkdir()
        (tmp_path / "taken" / "curves.csv").write_text("mine")
        source = str(measured)
        for options, told in (
            (["--out", str(tmp_path / "file")], "is a file"),
            (["--out", str(tmp_path / "taken")], "--force"),
            (["--bundle", str(tmp_path / "file")], "--force"),
            (["--bundle", str(tmp_path)], "is a folder"),
            (["--bundle", str(tmp_path / "missing" / "run.zip")], "no folder"),
            (["--format", "csv"], "--out"),
            (["--figures", "pdf", "--bundle", str(tmp_path / "x.zip")], "--out"),
            (["--out", str(tmp_path / "out"), "--format", "cvs"], "did you mean “csv”"),
            (["--out", str(tmp_path / "out"), "--format", ","], "csv, parquet, npz and json"),
            (["--out", str(tmp_path / "out"), "--figures", "eps"], "pdf, svg, png, html, latex and pgfplots"),
            (["--out", str(tmp_path / "out"), "--width", "4"], "--figures"),
            (["--out", str(tmp_path / "out"), "--figures", "pdf", "--preset", "singel"], "did you mean “single”"),
            (["--out", str(tmp_path / "out"), "--figures", "pdf", "--width", "1"], "1 in"),
            (["--out", str(tmp_path / "out"), "--figures", "pdf", "--font-size", "2"], "2 points"),
            (["--out", str(tmp_path / "out"), "--figures", "png", "--dpi", "3"], "dots per inch"),
            (["--out", str(tmp_path / "out"), "--figures", "png", "--width", "40", "--dpi", "2400"], "dots per inch"),
        ):
            assert told in refusal(["run", source, *options], capsys), options
        assert not (tmp_path / "out").exists()
        assert (tmp_path / "taken" / "curves.csv").read_text() == "mine"

    def test_of_a_full_disk(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "settings.json").write_text(Settings.of(texts="A cat sat.", metrics="mean_norm").to_json())
        arguments = ["run", str(tmp_path / "settings.json"), "--out", str(tmp_path / "out")]
        with full_disk(1500):
            assert run(arguments) == 2
        shown = capsys.readouterr().err
        assert shown.splitlines()[-1].startswith(f"Error: Cannot write into {tmp_path / 'out'}: ")
        assert "Traceback" not in shown
        assert [path.name for path in tmp_path.iterdir()] == ["settings.json"]


class TestFigures:
    def test_are_written_as_asked_for(self, tmp_path: Path) -> None:
        (tmp_path / "settings.json").write_text(Settings.of(texts="A cat sat.", metrics="mean_norm").to_json())
        looks = ["--preset", "double", "--width", "5", "--font-size", "10", "--serif", "--titles", "--dpi", "50"]
        options = ["--format", "npz", "--figures", "svg,png,latex,pgfplots,html", *looks]
        assert run(["run", str(tmp_path / "settings.json"), "--out", str(tmp_path / "out"), *options]) == 0
        names = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")}
        assert names == {
            "arrays.npz",
            "settings.json",
            "record.json",
            *(f"figures/{name}.{form}" for name in FIGURES for form in ("svg", "png", "html")),
            "pgfplots/mean_norm.tex",
            "pgfplots/mean_norm.csv",
            "latex/figures.tex",
        }
        svg = (tmp_path / "out" / "figures" / "mean_norm.svg").read_text(encoding="utf-8")
        assert 'width="360pt"' in svg
        assert "Mean token norm over depth" in svg
        assert r"width=\textwidth" in (tmp_path / "out" / "latex" / "figures.tex").read_text(encoding="utf-8")
        assert "width=5in" in (tmp_path / "out" / "pgfplots" / "mean_norm.tex").read_text(encoding="utf-8")
