"""``oversmooth compare`` and ``oversmooth mitigations`` as a person meets them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from oversmooth.cli.main import run
from oversmooth.measuring.comparing import compare
from oversmooth.mitigations import all_mitigations
from oversmooth.results.comparison_settings import ComparisonSettings, from_file
from oversmooth.results.settings import Settings

TEXTS = ["The cat sat on the mat and looked at the rain.", "A dog sat on the hill and saw the rain."]
SOFT = "softdecay:alpha=-0.6"
TWO = "neutreno:strength=0.4+attnscale:omega=0.5"
METRICS = ("token_cosine", "effective_rank")
ARGUMENTS = [
    "compare",
    *(part for text in TEXTS for part in ("--text", text)),
    *(part for name in METRICS for part in ("--metric", name)),
]
FILES = {"curves.csv", "means.csv", "spectra.csv", "deltas.csv", "settings.json", "record.json"}


def with_mitigations(*specifications: str) -> list[str]:
    return [*ARGUMENTS, *(part for text in specifications for part in ("--mitigation", text))]


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a comparison of two variants over two texts."""
    folder = tmp_path_factory.mktemp("compared") / "new"
    assert run([*with_mitigations(SOFT, TWO), "--out", str(folder)]) == 0
    return folder


class TestIntoFolder:
    def test_writes_its_files_and_nothing_else(self, written: Path) -> None:
        assert {path.name for path in written.iterdir()} == FILES

    def test_rows_are_labelled_with_what_was_typed(self, written: Path) -> None:
        curves = read(written / "curves.csv")
        assert list(dict.fromkeys(row["label"] for row in curves)) == ["baseline", SOFT, TWO]
        assert list(dict.fromkeys(row["label"] for row in read(written / "spectra.csv"))) == ["baseline", SOFT, TWO]
        assert set(METRICS) < {row["metric"] for row in curves}
        assert {"cka_to_baseline"} <= {row["metric"] for row in curves if row["label"] == SOFT}

    def test_deltas_are_the_differences_of_the_curves(self, written: Path) -> None:
        curves = {
            (row["label"], row["input"], row["point"], row["metric"]): row["value"]
            for row in read(written / "curves.csv")
        }
        rows = read(written / "deltas.csv")
        asked = [row for row in rows if row["metric"] in METRICS]
        assert len(asked) == 2 * len(TEXTS) * 7 * len(METRICS)
        for row in asked:
            ours = float(curves[row["label"], row["input"], row["point"], row["metric"]])
            theirs = float(curves["baseline", row["input"], row["point"], row["metric"]])
            assert float(row["delta"]) == ours - theirs
        # SoftDecay acts on the output of the last block alone.
        changed = {row["point"] for row in asked if row["label"] == SOFT and float(row["delta"]) != 0.0}
        assert changed == {"5"}

    def test_numbers_are_those_of_python(self, written: Path) -> None:
        found = compare(Settings.of(texts=TEXTS, metrics=METRICS), [TWO])
        expected = found.variants[TWO].curves["token_cosine"].values.ravel()
        rows = [row for row in read(written / "curves.csv") if (row["label"], row["metric"]) == (TWO, "token_cosine")]
        assert [float(row["value"]) for row in rows] == expected.tolist()

    def test_record_names_what_acted_on_each(self, written: Path) -> None:
        record = json.loads((written / "record.json").read_text(encoding="utf-8"))
        acted = {label: side["mitigations"] for label, side in record["measurements"].items()}
        assert acted["baseline"] == []
        assert [name.partition(":")[0] for name in acted[TWO]] == ["neutreno", "attnscale"]
        assert "sdpa" not in {side["environment"]["attention"] for side in record["measurements"].values()}
        assert record["failures"] == {}

    def test_its_settings_repeat_it_byte_for_byte(self, written: Path, tmp_path: Path) -> None:
        assert run(["compare", "--settings", str(written / "settings.json"), "--out", str(tmp_path)]) == 0
        for name in FILES - {"record.json"}:
            assert (tmp_path / name).read_bytes() == (written / name).read_bytes()

    def test_options_change_the_settings_of_a_file(self, written: Path, tmp_path: Path) -> None:
        base = ["compare", "--settings", str(written / "settings.json")]
        more = ["--text", "A cat sat.", "--metric", "mean_norm", "--mitigation", "pairnorm"]
        assert run([*base, *more, "--out", str(tmp_path)]) == 0
        settings = from_file(tmp_path / "settings.json")
        assert isinstance(settings, ComparisonSettings)
        assert [label for label, _ in settings.variants] == [SOFT, TWO, "pairnorm"]
        for each in (settings.baseline, *(side for _, side in settings.variants)):
            assert (each.texts, each.metrics) == (("A cat sat.",), ("mean_norm",))

    def test_settings_of_one_measurement_make_the_baseline(self, tmp_path: Path) -> None:
        (tmp_path / "one.json").write_text(Settings.of(texts="A cat sat.", metrics="mean_norm").to_json())
        arguments = ["compare", "--settings", str(tmp_path / "one.json"), "--mitigation", "pairnorm"]
        assert run([*arguments, "--out", str(tmp_path / "out")]) == 0
        settings = from_file(tmp_path / "out" / "settings.json")
        assert isinstance(settings, ComparisonSettings)
        assert settings.baseline.texts == ("A cat sat.",)

    def test_a_result_is_kept_unless_forced(self, written: Path, capsys: pytest.CaptureFixture[str]) -> None:
        before = {path: path.read_bytes() for path in written.iterdir()}
        assert run([*with_mitigations("pairnorm"), "--out", str(written)]) == 2
        assert "--force" in capsys.readouterr().err
        assert {path: path.read_bytes() for path in written.iterdir()} == before


class TestOnScreen:
    def test_prints_every_side_what_is_left_of_it_and_the_finding(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(with_mitigations(SOFT, "no_norm")) == 0
        shown = capsys.readouterr()
        changes, kept, mean, finding = shown.out.strip().split("\n\n")
        rows = [line.split() for line in changes.splitlines()[1:]]
        assert [row[:2] for row in rows] == [
            [name, label] for name in METRICS for label in ("baseline", SOFT, "no_norm")
        ]
        assert rows[0][-3:] == ["–", "–", "–"]
        found = compare(Settings.of(texts=TEXTS, metrics=METRICS), ["no_norm"])
        first, last = (found.variants["no_norm"].curve("token_cosine")[point] for point in ("embedding", "5"))
        assert rows[2][2:5] == [f"{first:.2f}", "→", f"{last:.2f}"]
        assert rows[2][-2:] == ["block", "0"]
        assert [line.split()[0] for line in kept.splitlines()] == ["VARIANT", "baseline", SOFT, "no_norm"]
        cka = found.variants["no_norm"].curve("cka_to_baseline")["5"]
        assert kept.splitlines()[0].split()[1] == "cka_to_baseline"
        assert float(kept.splitlines()[3].split()[1]) == pytest.approx(cka, abs=5e-4)
        assert mean == "Mean of 2 texts."
        assert finding.startswith("Mean cosine (mean of 2 texts) at block 5: no_norm raises it from ")
        assert shown.err == ""

    def test_a_note_of_all_sides_is_told_once(self, capsys: pytest.CaptureFixture[str]) -> None:
        arguments = ["compare", "--text", "rain " * 30, "--max-tokens", "12", "--metric", "mean_norm"]
        assert run([*arguments, "--mitigation", "pairnorm", "--mitigation", "attnscale"]) == 0
        told = [line for line in capsys.readouterr().err.splitlines() if "left out" in line]
        assert len(told) == 1
        assert "baseline" not in told[0]


class TestBadInput:
    def test_each_mistake_is_one_sentence_before_anything_is_measured(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        wrong = {
            "softdeca": "softdecay",
            "softdecay:alpha=-1": "alpha",
            "softdecay:alfa=-0.5": "alpha",
            "attnscale+attnscale": "given twice",
        }
        assert run([*with_mitigations(*wrong, "pairnorm"), "--out", str(tmp_path / "out")]) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        for line, (specification, told) in zip(shown.err.splitlines(), wrong.items(), strict=True):
            assert line.startswith(f"Error: The variant “{specification}” is refused.")
            assert told in line.partition("is refused.")[2]
            assert line.endswith(".")
        assert not (tmp_path / "out").exists()

    def test_each_variant_that_the_model_cannot_carry_is_one_sentence_and_the_others_are_written(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        wrong = {"attnscale:layers=9": "9", "pairnorm:layers=7": "7"}
        assert run([*with_mitigations(*wrong, "pairnorm"), "--out", str(tmp_path / "out")]) == 2
        shown = capsys.readouterr()
        errors = [line for line in shown.err.splitlines() if line.startswith("Error: ")]
        for line, (specification, told) in zip(errors, wrong.items(), strict=True):
            assert f"“{specification}”" in line
            assert told in line.partition("left out.")[2]
            assert line.endswith(".")
        assert "Traceback" not in shown.err
        assert "deltas.csv" in shown.out
        labels = {row["label"] for row in read(tmp_path / "out" / "curves.csv")}
        assert labels == {"baseline", "pairnorm"}
        record = json.loads((tmp_path / "out" / "record.json").read_text(encoding="utf-8"))
        assert list(record["failures"]) == list(wrong)

    def test_where_no_variant_is_left_nothing_is_written(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run([*with_mitigations("attnscale:layers=9"), "--out", str(tmp_path / "out")]) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.count("\n") == 1
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (ARGUMENTS, "--mitigation"),
            (["compare", "--mitigation", "pairnorm"], "--text"),
            ([*ARGUMENTS, "--mitigation"], "--mitigation"),
            ([*ARGUMENTS, "--mitigation", ""], "empty"),
            ([*ARGUMENTS, "--mitigation", "pairnorm", "--mitigation", "pairnorm"], "2 times"),
            ([*ARGUMENTS, "--mitigation", "baseline"], "baseline"),
            ([*ARGUMENTS, "--mitigation", "\udcff"], "cannot be shown"),
            ([*ARGUMENTS, "--mitigatoin", "pairnorm"], "--mitigation"),
            ([*ARGUMENTS, "--metric", "cka_to_baseline", "--mitigation", "pairnorm"], "by itself"),
            (["compare", "--text", "", "--mitigation", "pairnorm"], "empty"),
            (["measure", "--text", "a b", "--mitigation", "pairnorm"], "--mitigation"),
        ],
    )
    def test_is_told_in_one_sentence(self, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(arguments) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.startswith("Error: ")
        assert shown.err.count("\n") == 1
        assert told in shown.err

    def test_a_comparison_is_not_one_measurement(self, written: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["measure", "--settings", str(written / "settings.json")]) == 2
        assert "oversmooth compare" in capsys.readouterr().err

    def test_of_targets_is_told_before_the_model_runs(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.delattr("oversmooth.measuring.measuring.measure")
        (tmp_path / "file").write_text("mine")
        assert run([*with_mitigations("pairnorm"), "--out", str(tmp_path / "file")]) == 2
        assert "is a file" in capsys.readouterr().err


class TestMitigations:
    def test_a_line_for_each_with_its_parameters(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["mitigations"]) == 0
        lines = capsys.readouterr().out.splitlines()[1:]
        assert [line.split()[0] for line in lines] == [method.declaration.name for method in all_mitigations()]
        for line, method in zip(lines, all_mitigations(), strict=True):
            said = method.declaration
            assert (said.paper.cite() if said.paper else "none") in line
            for name, parameter in method.parameters().items():
                assert name in line
                if parameter.kind in ("number", "integer"):
                    assert f"{name}={parameter.write(parameter.default)} in {parameter.range_text()}" in line

    def test_at_length(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["mitigations", "--long"]) == 0
        printed = capsys.readouterr().out
        for method in all_mitigations():
            said = method.declaration
            told = [said.title, said.formula, said.position, said.paper_position, said.does, said.caveat]
            told += [parameter.meaning for parameter in method.parameters().values()]
            for each in told:
                assert each in printed
            for name, parameter in method.parameters().items():
                if parameter.paper is not None and parameter.kind != "choice":
                    assert f"{parameter.meaning} Its paper: {parameter.write(parameter.paper)}." in printed, name
