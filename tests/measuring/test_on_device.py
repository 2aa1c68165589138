"""States that stay on the device of the network, and a device that runs out of memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from tiny import WORDS, tiny

from oversmooth import compare, measure
from oversmooth.core.errors import ModelError
from oversmooth.measuring import measuring
from oversmooth.measuring.preparing import MEMORY, encoded, prepare
from oversmooth.results.measurement import Measurement
from oversmooth.results.settings import Settings

TEXTS = [" ".join(WORDS[start : start + length]) for start, length in ((0, 5), (3, 9), (1, 12), (7, 5))]
SETTINGS = Settings.of(texts=TEXTS, centred_spectra=True)
FITTED = "all_but_the_top"
"""A method that runs the texts through the model before."""


def assert_same(one: Measurement, other: Measurement, rtol: float, atol: float) -> None:
    assert one.notes == other.notes
    for found, expected in ((one.curves, other.curves), (one.spectra, other.spectra)):
        for name in expected.data_vars:
            np.testing.assert_allclose(found[name], expected[name], rtol=rtol, atol=atol, err_msg=str(name))
    assert one.similarity is not None
    assert other.similarity is not None
    np.testing.assert_allclose(one.similarity, other.similarity, atol=1e-6)


@pytest.mark.parametrize("family", ["bert", "llama"])
def test_metrics_of_tensors_are_those_of_arrays(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    variants = ["contranorm", "no_skip", FITTED]
    expected = compare(SETTINGS, variants, model=tiny(family))
    monkeypatch.setattr("oversmooth.measuring.forward_passes._where_analysed", lambda states: states)
    found = compare(SETTINGS, variants, model=tiny(family))
    assert not found.failures
    for label, measurement in expected.measurements.items():
        assert_same(found.measurements[label], measurement, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("failing", [1, 2])
@pytest.mark.parametrize("method", ["", FITTED])
def test_a_run_that_needs_too_much_memory_is_begun_again_with_less(
    failing: int, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = SETTINGS.model_copy(update={"mitigations": (method,) if method else ()})
    expected = measure(settings, model=tiny("bert"))
    runs: list[Any] = []
    original = measuring._analyse

    def fails(run: Any, *others: Any) -> Any:
        runs.append(run)
        analysis = original(run, *others)
        if len(runs) <= failing:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return analysis

    monkeypatch.setattr(measuring, "_analyse", fails)
    model = tiny("bert")
    found = measure(settings, model=model)
    assert [run.on_host for run in runs] == [False, False, True][: failing + 1]
    assert_same(found, expected, rtol=1e-4, atol=1e-6)
    assert MEMORY[failing].told in found.record.warnings
    assert not set(each.told for each in MEMORY) & set(expected.record.warnings)
    assert not model.mitigated_by


def test_batches_are_smaller_the_second_time() -> None:
    long = Settings.of(texts=[" ".join(WORDS * 8)] * 20, max_tokens=64)
    runs = []
    for memory in MEMORY:
        model = tiny("bert")
        texts = encoded(long.texts, model, max_tokens=64, special_tokens=False)
        runs.append(prepare(long, model, texts, memory).batches.numbers)
    assert len(runs[0]) < len(runs[1])
    assert runs[1] == runs[2]


def test_a_device_that_is_too_small_for_all_that_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(measuring, "_analyse", fails)
    with pytest.raises(ModelError, match=r"The GPU has too little memory .* or run on device cpu\.$") as error:
        measure(SETTINGS, model=tiny("bert"))
    assert "CUDA" not in str(error.value)
