"""Writing a result: all of it or nothing."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from oversmooth.errors import OutputError
from oversmooth.export import folder
from oversmooth.measurement import Measurement
from oversmooth.measuring import measure
from oversmooth.settings import Settings


@pytest.fixture(scope="module")
def measurement() -> Measurement:
    return measure(Settings.of(texts="The cat sat on the mat."))


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file of this process can grow beyond so many bytes, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


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
