"""Writing a result: all of it or nothing."""

from __future__ import annotations

import dataclasses
import itertools
import json
from pathlib import Path

import pandas as pd
import pytest
import xarray as xr
from disk import full_disk
from synthetic import comparison_of
from synthetic import measurement as synthetic_measurement
from synthetic_explanation import explained
from tiny import tiny

from oversmooth.core.errors import OutputError
from oversmooth.measuring.measuring import measure
from oversmooth.report.export import folder
from oversmooth.report.export.contents import Parts, belongs
from oversmooth.report.export.formats import figure_formats
from oversmooth.report.figures.gallery import figures_of
from oversmooth.report.figures.spectrum import spectrum_in_words
from oversmooth.results.comparison import Comparison
from oversmooth.results.comparison_settings import ComparisonSettings, from_file
from oversmooth.results.files.formats import number_formats
from oversmooth.results.files.tables import tables_of
from oversmooth.results.measurement import Measurement
from oversmooth.results.record import ComparisonRecord
from oversmooth.results.settings import Settings


@pytest.fixture(scope="module")
def measurement() -> Measurement:
    return measure(Settings.of(texts="The cat sat on the mat."))


def refusal(measurement: Measurement, out: Path) -> str:
    with pytest.raises(OutputError) as caught:
        folder.write(measurement, out, force=True)
    return str(caught.value)


def test_returns_the_paths_of_what_it_wrote(measurement: Measurement, tmp_path: Path) -> None:
    paths = folder.write(measurement, tmp_path / "a" / "b")
    assert [path.name for path in paths] == ["curves.csv", "spectra.csv", "settings.json", "record.json"]
    assert all(path.parent == tmp_path / "a" / "b" and path.stat().st_size > 100 for path in paths)


def test_a_full_disk_leaves_no_folder_behind(measurement: Measurement, tmp_path: Path) -> None:
    with full_disk(2000):
        message = refusal(measurement, tmp_path / "a" / "b")
    assert str(tmp_path / "a" / "b") in message
    assert "Traceback" not in message
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_earlier_result_as_it_was(measurement: Measurement, tmp_path: Path) -> None:
    folder.write(measurement, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with full_disk(2000):
        refusal(measurement, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_folder_in_the_place_of_a_file_is_refused(measurement: Measurement, tmp_path: Path) -> None:
    (tmp_path / "record.json").mkdir()
    assert str(tmp_path / "record.json") in refusal(measurement, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]


def test_a_folder_that_cannot_be_made_is_refused(measurement: Measurement) -> None:
    # The kernel's own file system takes no folders, not even from root.
    assert "/proc/oversmooth" in refusal(measurement, Path("/proc/oversmooth"))


def test_an_earlier_result_is_kept_unless_forced(measurement: Measurement, tmp_path: Path) -> None:
    folder.write(measurement, tmp_path)
    with pytest.raises(OutputError, match=r"already holds curves\.csv"):
        folder.write(measurement, tmp_path)
    assert folder.write(measurement, tmp_path, force=True)


class TestComparison:
    @pytest.fixture
    def comparison(self) -> Comparison:
        return comparison_of(2, failures={"broken": "It is broken."})

    def test_holds_all_sides_in_order(self, comparison: Comparison, tmp_path: Path) -> None:
        paths = folder.write(comparison, tmp_path / "out")
        assert [path.name for path in paths] == [
            "curves.csv",
            "spectra.csv",
            "deltas.csv",
            "settings.json",
            "record.json",
        ]
        curves = pd.read_csv(tmp_path / "out" / "curves.csv")
        assert list(dict.fromkeys(curves["label"])) == list(comparison.measurements)
        for label, each in comparison.measurements.items():
            mine = curves[(curves["label"] == label) & (curves["metric"] == "token_cosine")]
            assert dict(zip(mine["point"], mine["value"], strict=True)) == each.curve("token_cosine")
        spectra = pd.read_csv(tmp_path / "out" / "spectra.csv")
        assert set(spectra["label"]) == set(comparison.measurements)
        deltas = pd.read_csv(tmp_path / "out" / "deltas.csv")
        assert list(dict.fromkeys(deltas["label"])) == list(comparison.variants)

    def test_record_and_settings_name_every_side(self, comparison: Comparison, tmp_path: Path) -> None:
        folder.write(comparison, tmp_path)
        record = json.loads((tmp_path / "record.json").read_text(encoding="utf-8"))
        assert list(record["measurements"]) == list(comparison.measurements)
        assert record["failures"] == {"broken": "It is broken."}
        assert ComparisonRecord.model_validate(record).measurements["baseline"] == comparison.baseline.record
        settings = from_file(tmp_path / "settings.json")
        assert isinstance(settings, ComparisonSettings)
        assert dict(settings.variants) == {label: each.settings for label, each in comparison.variants.items()}

    def test_what_a_head_said_has_a_file_of_its_own(self, comparison: Comparison, tmp_path: Path) -> None:
        outputs = xr.Dataset({"output_kl": ("input", [0.5])}, {"input": [0]})
        last = list(comparison.measurements)[-1]
        heard = dataclasses.replace(comparison.measurements[last], outputs=outputs)
        folder.write(Comparison({**comparison.measurements, last: heard}, {}), tmp_path)
        assert (tmp_path / "outputs.csv").read_text() == f"label,input,metric,value\n{last},0,output_kl,0.5\n"

    def test_a_baseline_alone_has_deltas_without_rows(self, comparison: Comparison, tmp_path: Path) -> None:
        folder.write(Comparison({"baseline": comparison.baseline}, {}), tmp_path)
        assert (tmp_path / "deltas.csv").read_text() == "label,input,point,metric,delta\n"

    def test_tables_of_the_result_before_do_not_stay(
        self, comparison: Comparison, measurement: Measurement, tmp_path: Path
    ) -> None:
        folder.write(comparison, tmp_path)
        (tmp_path / "notes.txt").write_text("mine")
        with pytest.raises(OutputError, match=r"deltas\.csv"):
            folder.write(measurement, tmp_path)
        folder.write(measurement, tmp_path, force=True)
        assert {path.name for path in tmp_path.iterdir()} == {
            "curves.csv",
            "spectra.csv",
            "settings.json",
            "record.json",
            "notes.txt",
        }

    def test_a_full_disk_leaves_the_earlier_result_as_it_was(
        self, comparison: Comparison, measurement: Measurement, tmp_path: Path
    ) -> None:
        folder.write(comparison, tmp_path)
        before = {path: path.read_bytes() for path in tmp_path.iterdir()}
        with full_disk(2000):
            refusal(measurement, tmp_path)
        assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


class TestParts:
    """Other formats, and figures."""

    PARTS = Parts(tuple(number_formats()), ("svg", "latex", "pgfplots"))

    @pytest.fixture
    def small(self) -> Measurement:
        return synthetic_measurement(blocks=2, points=["embedding", "0", "1"])

    def names(self, folder: Path) -> set[str]:
        return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}

    def test_what_was_asked_for_is_written(self, small: Measurement, tmp_path: Path) -> None:
        paths = folder.write(small, tmp_path / "out", self.PARTS)
        assert {path.relative_to(tmp_path / "out").as_posix() for path in paths} == self.names(tmp_path / "out")
        assert self.names(tmp_path / "out") == {
            *(
                f"{name}.{form}"
                for name in tables_of(small)
                for form, each in number_formats().items()
                if not each.file
            ),
            *(each.file for each in number_formats().values() if each.file),
            "settings.json",
            "record.json",
            "latex/figures.tex",
            "pgfplots/token_cosine.tex",
            "pgfplots/token_cosine.csv",
            *(f"figures/{name}.svg" for name in figures_of(small)),
        }

    def test_all_names_are_known_as_a_results_own(self, small: Measurement, tmp_path: Path) -> None:
        # Else the next result would lie among the files of this one.
        results: tuple[Measurement | Comparison, ...] = (small, comparison_of(1))
        for number, result in enumerate(results):
            folder.write(result, tmp_path / str(number), self.PARTS)
            assert all(map(belongs, self.names(tmp_path / str(number))))
        assert not any(map(belongs, ["notes.txt", "figures/mine.pdf", "figures/token_cosine.txt", "latex/paper.tex"]))

    def test_what_the_result_before_had_does_not_stay(self, small: Measurement, tmp_path: Path) -> None:
        folder.write(small, tmp_path, self.PARTS)
        (tmp_path / "figures" / "mine.pdf").write_text("mine")
        with pytest.raises(OutputError, match=r"already holds curves\.csv.* and \d+ more"):
            folder.write(small, tmp_path, self.PARTS)
        folder.write(small, tmp_path, force=True)
        assert self.names(tmp_path) == {
            "curves.csv",
            "spectra.csv",
            "settings.json",
            "record.json",
            "figures/mine.pdf",
        }
        assert not (tmp_path / "latex").exists()

    @pytest.mark.parametrize("bigger", [explained(blocks=3, heads=2), comparison_of(2)], ids=["explained", "compared"])
    def test_nothing_of_a_bigger_result_stays(
        self, bigger: Measurement | Comparison, small: Measurement, tmp_path: Path
    ) -> None:
        folder.write(bigger, tmp_path, Parts(tuple(number_formats())))
        every = [(each.folder, ending) for each in figure_formats().values() for ending in each.endings]
        for name, (place, ending) in itertools.product(figures_of(bigger), every):
            (tmp_path / place).mkdir(exist_ok=True)
            (tmp_path / place / f"{name}.{ending}").write_text("of the bigger result")
        mine = {"notes.txt", "figures/mine.pdf", "figures/token_cosine_2.pdf", "pgfplots/similarity.csv"}
        for name in mine:
            (tmp_path / name).write_text("mine")
        folder.write(small, tmp_path, Parts(figures=("svg",)), force=True)
        left = self.names(tmp_path)
        folder.write(small, tmp_path / "fresh", Parts(figures=("svg",)))
        assert left == self.names(tmp_path / "fresh") | mine

    def test_figures_alone_are_a_result_too(self, small: Measurement, tmp_path: Path) -> None:
        (tmp_path / "figures").mkdir()
        (tmp_path / "figures" / "token_cosine.pdf").write_text("mine")
        with pytest.raises(OutputError, match=r"figures/token_cosine\.pdf"):
            folder.write(small, tmp_path)
        assert (tmp_path / "figures" / "token_cosine.pdf").read_text() == "mine"

    def test_a_file_in_the_place_of_a_folder_is_refused(self, small: Measurement, tmp_path: Path) -> None:
        (tmp_path / "figures").write_text("mine")
        with pytest.raises(OutputError, match=r"figures: there is a file of that name"):
            folder.write(small, tmp_path, self.PARTS, force=True)
        assert self.names(tmp_path) == {"figures"}

    def test_a_full_disk_leaves_neither_files_nor_folders(self, small: Measurement, tmp_path: Path) -> None:
        with full_disk(5000), pytest.raises(OutputError):
            folder.write(small, tmp_path / "out", self.PARTS)
        assert list(tmp_path.iterdir()) == []
        (tmp_path / "notes.txt").write_text("mine")
        with full_disk(5000), pytest.raises(OutputError):
            folder.write(small, tmp_path, self.PARTS)
        assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_result_whose_metrics_need_no_singular_values_is_written_without_them(tmp_path: Path) -> None:
    settings = Settings.of(texts=("the cat sat on the mat", "rain"), metrics=("token_cosine",), similarity=False)
    result = measure(settings, model=tiny("bert"))
    written = folder.write(result, tmp_path, Parts(tuple(number_formats()), figures=("svg",)))
    assert (tmp_path / "spectra.csv").read_text() == "label,input,point,component,value\n"
    assert not [path.name for path in written if path.name.startswith("spectrum")]
    why = "No spectrum of the tokens at block 0: no metric that is made of singular values was asked for."
    assert spectrum_in_words(result, "0", centred=False) == why
