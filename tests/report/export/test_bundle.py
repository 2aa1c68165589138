"""The zip with everything: complete, explained, the same bytes each time, all of it or nothing."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from disk import full_disk
from synthetic import comparison_of, measurement

from oversmooth.core.errors import OutputError
from oversmooth.report.export import bundle
from oversmooth.report.export.contents import Parts
from oversmooth.report.export.folder import write
from oversmooth.report.export.formats import figure_formats
from oversmooth.report.figures.gallery import figures_of
from oversmooth.report.paper.presets import PRESETS
from oversmooth.results.comparison import Comparison
from oversmooth.results.files import data

DATA = {
    *(f"{name}.{form}" for name in ("curves", "spectra", "deltas") for form in ("csv", "parquet")),
    "arrays.npz",
    "data.json",
}


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return comparison_of(1)


@pytest.fixture(scope="module")
def content(comparison: Comparison) -> bytes:
    return bundle.bundle(comparison, PRESETS["single"], dpi=60)


def files(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_holds_everything(comparison: Comparison, content: bytes) -> None:
    figures = figures_of(comparison)
    curves = {name: figure for name, figure in figures.items() if figure.declared.pgfplots}
    assert len(curves) == 3
    formats = [each for name, each in figure_formats().items() if name != "html"]
    assert set(files(content)) == {
        *DATA,
        *(
            f"{each.folder}/{name}.{ending}"
            for each in formats
            for name in (curves if each.name == "pgfplots" else figures)
            for ending in each.endings
        ),
        *(each.file for each in formats if each.gather),
        "settings.json",
        "record.json",
        "README.txt",
    }


def test_its_files_are_those_of_the_result(comparison: Comparison, content: bytes) -> None:
    found = files(content)
    expected = data.data(comparison)
    assert {name: found[name] for name in expected} == expected
    assert list(json.loads(found["record.json"])["measurements"]) == list(comparison.measurements)
    for name, each in found.items():
        if name.endswith(".pdf"):
            assert each.startswith(b"%PDF")
        if name.endswith(".png"):
            # With the record inside.
            assert each.startswith(b"\x89PNG")
            assert b"oversmooth-record" in each


def test_the_readme_names_every_file_and_how_to_repeat(content: bytes) -> None:
    found = files(content)
    readme = found["README.txt"].decode()
    named = [line.split()[0] for line in readme.splitlines() if "  " in line.strip()]
    for name in set(found) - {"README.txt"}:
        assert name in named or f"{name.partition('/')[0]}/" in named, name
    assert "oversmooth run settings.json --out" in readme
    assert max(map(len, readme.splitlines())) <= 120
    assert "gfsa:weight=-0.1" in readme


def test_equal_results_give_equal_bytes(comparison: Comparison, content: bytes) -> None:
    assert bundle.bundle(comparison, PRESETS["single"], dpi=60) == content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_unpacked_it_is_the_folder_that_would_be_written(
    comparison: Comparison, content: bytes, tmp_path: Path
) -> None:
    parts = Parts(("csv",), ("svg", "pgfplots"), PRESETS["single"])
    for path in write(comparison, tmp_path, parts):
        assert files(content)[path.relative_to(tmp_path).as_posix()] == path.read_bytes()


def test_preset_and_point_are_those_asked_for() -> None:
    slide = replace(PRESETS["double"], width=5.0)
    found = files(bundle.bundle(measurement(blocks=2, points=["embedding", "0", "1"]), slide, dpi=60, point="0"))
    assert {"figures/similarity_0.svg", "figures/spectrum_0.svg"} < set(found)
    assert b'width="360pt"' in found["figures/token_cosine.svg"]
    assert rb"width=\textwidth" in found["latex/figures.tex"]
    assert b"width=5in" in found["pgfplots/token_cosine.tex"]


def test_a_full_disk_leaves_the_earlier_bundle(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "run.zip"
    path.write_bytes(b"earlier")
    with full_disk(2000), pytest.raises(OutputError, match=r"run\.zip"):
        bundle.place(content, path, force=True)
    assert path.read_bytes() == b"earlier"
    assert list(tmp_path.iterdir()) == [path]
    bundle.place(content, path, force=True)
    assert path.read_bytes() == content


def test_targets_that_cannot_take_it_are_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "there.zip").write_bytes(b"mine")
    for path, told in (
        (tmp_path, "is a folder"),
        (tmp_path / "missing" / "run.zip", "no folder"),
        (tmp_path / "there.zip", "--force"),
        (tmp_path / "there.zip" / "run.zip", "no folder"),
        (Path("/proc/run.zip"), "/proc"),
    ):
        with pytest.raises(OutputError, match=told):
            bundle.place(content, path)
    assert (tmp_path / "there.zip").read_bytes() == b"mine"


def test_several_texts_have_their_means_and_the_single_lines_that_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "figures_in_it", lambda: ("latex",))
    result = measurement({"token_cosine": [[0.1] * 8, [0.2] * 8]}, similarity=False)
    plain, lined = (files(bundle.bundle(result, PRESETS["single"], dpi=50, lines=lines)) for lines in (False, True))
    means = list(csv.DictReader(io.StringIO(plain["means.csv"].decode())))
    assert {(row["n"], row["low"], row["high"]) for row in means} == {("2", "0.1", "0.2")}
    assert "means.parquet" in plain
    readme = plain["README.txt"].decode()
    assert "95 % bootstrap bands" in next(line for line in readme.splitlines() if line.startswith("means.csv"))
    assert max(map(len, readme.splitlines())) <= 120
    assert b"Thin lines are single texts" in lined["latex/figures.tex"].replace(b"\n    ", b" ")
    assert b"Thin lines" not in plain["latex/figures.tex"].replace(b"\n    ", b" ")
