"""An earlier run read back from wherever it lies."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from synthetic import comparison_of

from oversmooth.core.errors import SettingsError
from oversmooth.measuring import repeating
from oversmooth.measuring.measuring import measure
from oversmooth.report.export import folder
from oversmooth.results.comparison_settings import ComparisonSettings
from oversmooth.results.settings import Settings


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run."""
    path = tmp_path_factory.mktemp("run") / "result"
    folder.write(measure(Settings.of(texts="A cat sat.", metrics="mean_norm", device="cpu")), path)
    return path


@pytest.fixture
def archive(written: Path, tmp_path: Path) -> Path:
    """The same as a zip, in a folder of its own, as an archiver would pack it."""
    path = tmp_path / "run.zip"
    with zipfile.ZipFile(path, "w") as file:
        for each in written.iterdir():
            file.write(each, f"result/{each.name}")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        repeating.read(path)
    return str(caught.value)


def test_a_folder_its_settings_and_its_zip_are_the_same_run(written: Path, archive: Path) -> None:
    earlier = repeating.read(written)
    assert earlier.settings == Settings.of(texts="A cat sat.", metrics="mean_norm", device="cpu")
    assert list(earlier.records) == [""]
    assert earlier.tables == {name: (written / name).read_bytes() for name in ("curves.csv", "spectra.csv")}
    assert repeating.read(written / "settings.json") == earlier
    assert repeating.read(archive) == earlier


def test_a_pair_is_the_same_run_and_another_second_text_is_not(tmp_path: Path) -> None:
    pair = Settings.of(texts=[("A cat sat.", "A dog ran.")], metrics="mean_norm", device="cpu")
    folder.write(measure(pair), tmp_path / "pair")
    earlier = repeating.read(tmp_path / "pair")
    assert earlier.settings == pair
    assert earlier.record is not None
    other = Settings.of(texts=[("A cat sat.", "A dog slept.")], metrics="mean_norm", device="cpu")
    (tmp_path / "pair" / "settings.json").write_text(other.to_json(), encoding="utf-8")
    assert repeating.read(tmp_path / "pair").record is None


def test_settings_may_stand_alone(written: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text('{"texts": ["A cat sat."]}')
    earlier = repeating.read(path)
    assert (earlier.settings, earlier.record, earlier.tables) == (Settings.of(texts="A cat sat."), None, {})


@pytest.mark.parametrize(
    "change",
    [{"texts": ["A dog ran."]}, {"model": "other"}, {"special_tokens": True}, {"mitigations": ["pairnorm"]}],
)
def test_a_record_of_another_run_is_not_compared_with(written: Path, tmp_path: Path, change: dict[str, object]) -> None:
    settings = json.loads((written / "settings.json").read_text())
    (tmp_path / "settings.json").write_text(json.dumps(settings | change))
    (tmp_path / "record.json").write_bytes((written / "record.json").read_bytes())
    (tmp_path / "curves.csv").write_bytes((written / "curves.csv").read_bytes())
    earlier = repeating.read(tmp_path)
    assert (earlier.record, earlier.tables) == (None, {})
    assert earlier.strange == str(tmp_path / "record.json")


def test_a_comparison_is_read_with_all_its_sides(tmp_path: Path) -> None:
    folder.write(comparison_of(1), tmp_path)
    earlier = repeating.read(tmp_path)
    assert isinstance(earlier.settings, ComparisonSettings)
    assert [label for label, _ in earlier.settings.variants] == ["gfsa:weight=-0.1"]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("settings.json", b"{", "this is not JSON"),
        ("settings.json", b"\xff\xfe\x00", "this is not JSON"),
        ("settings.json", b"[]", "expected a JSON object"),
        ("settings.json", b'{"texts": ["a"], "schema_version": 99}', "newer Oversmooth"),
        ("settings.json", b'{"texts": ["a"], "metrik": 1}', "“metrik” (did you mean “metrics”?)"),
        ("settings.json", b'{"baseline": {"texts": ["a"], "metrik": 1}, "variants": []}', "the baseline"),
        ("record.json", b"{", "this is not JSON"),
        ("record.json", b'{"schema_version": 99}', "newer Oversmooth"),
        ("record.json", b"{}", "no record of a measurement (see “created”)"),
        ("record.json", b'{"measurements": 3}', "no record of a comparison (see “measurements”)"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(
    written: Path, tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    for file in ("settings.json", "record.json"):
        (tmp_path / file).write_bytes((written / file).read_bytes())
    (tmp_path / name).write_bytes(content)
    message = refusal(tmp_path)
    assert message.startswith(f"{tmp_path / name}: ")
    assert told in message
    path = tmp_path / "run.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for each in ("settings.json", "record.json"):
            packed.write(tmp_path / each, each)
    assert refusal(path).startswith(f"{name} in {path}: ")
    assert told in refusal(path)


def test_paths_without_settings_are_told(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path)
    assert str(tmp_path / "settings.json") in refusal(tmp_path)
    assert "No such file" in refusal(tmp_path / "missing.json")
    (tmp_path / "other.zip").write_bytes(b"")
    assert "not JSON" in refusal(tmp_path / "other.zip")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as file:
        file.writestr("notes.txt", "mine")
    assert "holds no settings.json" in refusal(tmp_path / "other.zip")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "settings.json").mkdir()
    assert "directory" in refusal(tmp_path / "folder")


def test_a_damaged_bundle_is_told(archive: Path) -> None:
    content = archive.read_bytes()
    archive.write_bytes(content.replace(b'"schema_version"', b'"schema_w\x00rsion"', 1))
    assert "damaged" in refusal(archive)


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(repeating, "LARGEST", 100_000)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("settings.json", b" " * 10_000_000)
    assert (tmp_path / "bomb.zip").stat().st_size < 20_000
    assert "more than 100.0 kB" in refusal(tmp_path / "bomb.zip")
    (tmp_path / "settings.json").write_bytes(b" " * 200_000)
    assert "more than 100.0 kB" in refusal(tmp_path / "settings.json")
