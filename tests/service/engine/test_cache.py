from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import xarray as xr
from tiny import tiny

from oversmooth import Measurement, measure
from oversmooth.results.settings import Settings
from oversmooth.service.engine.cache import folder_fingerprint, freeze, measurement_bytes, request_key


def test_a_model_folder_that_is_saved_over_is_another_request(tmp_path: Path) -> None:
    settings = Settings.of(texts="one text", model=str(tmp_path))
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"first")
    before = request_key(settings)
    assert request_key(settings) == before
    weights.write_bytes(b"second weights")
    after = request_key(settings)
    assert after != before
    weights.unlink()
    assert request_key(settings) != after


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_folder_saved_over_at_equal_size_is_another_request(tmp_path: Path, file: str) -> None:
    settings = Settings.of(texts="one text", model=str(tmp_path))
    (tmp_path / file).write_bytes(b"first")
    before, known = request_key(settings), (tmp_path / file).stat()
    written_anew(tmp_path / file, b"other", known)
    assert (tmp_path / file).stat().st_size == known.st_size
    assert request_key(settings) != before


def test_a_folder_whose_time_of_change_was_set_back_is_another_request(tmp_path: Path) -> None:
    settings = Settings.of(texts="one text", model=str(tmp_path))
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"first")
    before, known = request_key(settings), weights.stat()
    written_anew(weights, b"other", known)
    os.utime(weights, ns=(known.st_atime_ns, known.st_mtime_ns))
    assert weights.stat().st_mtime_ns == known.st_mtime_ns
    assert request_key(settings) != before


def test_a_folder_of_which_the_time_alone_has_changed_is_another_request(tmp_path: Path) -> None:
    settings = Settings.of(texts="one text", model=str(tmp_path))
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"first")
    before = request_key(settings)
    os.utime(weights, ns=(1, 1))
    assert request_key(settings) != before


def written_anew(path: Path, content: bytes, known: os.stat_result) -> None:
    """Write until the clock of the file system has moved on."""
    until = time.monotonic() + 10
    while path.stat().st_ctime_ns == known.st_ctime_ns:
        assert time.monotonic() < until, "the clock of the file system stands still"
        path.write_bytes(content)


@pytest.mark.parametrize("other", [{"revision": "b"}, {"device": "cuda:1"}, {"precision": "float64"}])
def test_another_revision_device_or_precision_is_another_request(other: dict[str, str]) -> None:
    settings = {"texts": "one text", "model": "lab/tiny", "revision": "a", "device": "cuda:0"}
    assert request_key(Settings.of(**settings)) == request_key(Settings.of(**settings))
    assert request_key(Settings.of(**settings | other)) != request_key(Settings.of(**settings))


def test_other_settings_are_another_request() -> None:
    settings = Settings.of(texts="one text")
    assert request_key(settings) == request_key(Settings.of(texts=["one text"]))
    assert request_key(settings) != request_key(Settings.of(texts="one text", special_tokens=True))


def labelled(found: object) -> Iterator[xr.Dataset | xr.DataArray]:
    """Whatever arrays a result holds, however deep."""
    if isinstance(found, xr.Dataset | xr.DataArray):
        yield found
    elif dataclasses.is_dataclass(found):
        for field in dataclasses.fields(found):
            yield from labelled(getattr(found, field.name))
    elif isinstance(found, Mapping):
        for each in found.values():
            yield from labelled(each)
    elif isinstance(found, tuple | list):
        for each in found:
            yield from labelled(each)


@pytest.fixture(scope="module")
def whole() -> Measurement:
    """A result with all that there can be in one, of two texts."""
    texts = ("The cat sat on the mat.", "It looked at the rain while clouds went over old roofs.")
    settings = Settings.of(texts=texts, shown=1, explanation=True, language_model=True, fidelity=True, device="cpu")
    return measure(settings, model=tiny("bert"))


def test_nobody_changes_an_array_of_a_result_that_others_see_too(whole: Measurement) -> None:
    freeze(whole)
    arrays = list(labelled(whole))
    assert len(arrays) > 8
    for each in arrays:
        variables = each.variables if isinstance(each, xr.Dataset) else {"": each.variable, **each.coords}
        writable = [name for name, one in variables.items() if one.values.flags.writeable]
        # An index is copied when it is looked at.
        assert set(writable) <= set(each.indexes), each


def test_a_result_takes_what_its_arrays_take(whole: Measurement) -> None:
    arrays = sum(each.nbytes for each in labelled(whole))
    assert arrays < measurement_bytes(whole) < 1.5 * arrays + 1e5


def test_names_that_are_no_folder_have_no_fingerprint() -> None:
    for name in ("all-MiniLM-L6-v2", "owner/name", "nul\0in it", "~nobody-of-this-name/model", "x" * 5000):
        assert folder_fingerprint(name) == ()
