"""Whether a run repeats an earlier one: differences of numbers, of circumstances and of weights."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from synthetic import measurement

from oversmooth.core.errors import SettingsError
from oversmooth.results.agreement import SMALL, TOLERANCE, Agreement, agreements, differences, other_weights
from oversmooth.results.comparison import Comparison
from oversmooth.results.files import data
from oversmooth.results.measurement import Measurement
from oversmooth.results.record import Record

VALUES = [0.4, 0.002, -0.1, math.nan, 0.0, 0.3]
POINTS = ["embedding", "0", "1", "2", "3", "final_norm"]


def of(values: list[float]) -> Measurement:
    return measurement({"token_cosine": values, "mean_norm": [5.0] * 6}, points=POINTS)


def curves(values: list[float], before: list[float]) -> Agreement:
    """How the curves of one run compare with those of another."""
    (found,) = agreements(of(values), {"curves.csv": data.data(of(before), ["csv"])["curves.csv"]})
    return found


def changed(place: int, factor: float) -> list[float]:
    return [value * factor if index == place else value for index, value in enumerate(VALUES)]


def test_equal_numbers_are_the_same_bytes() -> None:
    files = data.data(of(VALUES), ["csv"])
    found = agreements(of(VALUES), files)
    assert [each.table for each in found] == list(files)
    assert all(each.same_bytes and each.repeated for each in found)


@pytest.mark.parametrize(
    ("place", "factor", "expected"),
    [
        (0, 1 - 3e-5, 3e-5),
        (2, 1 - 0.5, 0.5),
        # Below a hundredth of the curve's largest value, differences are relative to that hundredth.
        (1, 1 - 1e-3, 0.002e-3 / (SMALL * 0.4)),
    ],
)
def test_the_largest_relative_difference_is_found(place: int, factor: float, expected: float) -> None:
    found = curves(changed(place, factor), VALUES)
    assert not found.same_bytes
    assert found.difference == pytest.approx(expected, rel=1e-6)
    assert found.repeated == (expected <= TOLERANCE)
    assert "token_cosine" in found.where
    assert {0: "the embedding", 1: "block 0", 2: "block 1"}[place] in found.where
    # Whichever of the two runs was the earlier one.
    assert curves(VALUES, changed(place, factor)).difference == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("place", [0, 3, 4])
def test_a_number_on_one_side_alone_is_no_repetition(place: int) -> None:
    other = [0.1 if math.isnan(value) else math.nan if index == place else value for index, value in enumerate(VALUES)]
    found = curves(other, VALUES)
    assert found.difference == math.inf
    assert not found.repeated


def test_a_metric_that_is_gone_is_no_repetition() -> None:
    before = data.data(of(VALUES), ["csv"])["curves.csv"]
    (found,) = agreements(measurement({"token_cosine": VALUES}, points=POINTS), {"curves.csv": before})
    assert found.difference == math.inf
    assert "mean_norm" in found.where


def test_small_singular_values_are_compared_with_the_largest() -> None:
    run = of(VALUES)
    raw = run.spectra["raw"].copy()
    raw[0, 0, -1] = raw[0, 0, 0] * 1e-6
    earlier = dataclasses.replace(run, spectra=run.spectra.assign(raw=raw.copy()))
    raw[0, 0, -1] *= 1.5
    now = dataclasses.replace(run, spectra=run.spectra.assign(raw=raw))
    files = {"spectra.csv": data.data(earlier, ["csv"])["spectra.csv"]}
    (found,) = agreements(now, files)
    assert found.difference == pytest.approx(0.5e-6 / SMALL, rel=1e-6)
    assert found.repeated
    raw[0, 0, 0] *= 1.01
    (found,) = agreements(dataclasses.replace(run, spectra=run.spectra.assign(raw=raw)), files)
    assert not found.repeated
    assert "singular value 1" in found.where


def test_deltas_are_judged_by_their_curves() -> None:
    now, before = (
        Comparison({"baseline": of(VALUES), "a": of(values)}, {}) for values in (VALUES, changed(0, 1 + 1e-6))
    )
    found = agreements(now, data.data(before, ["csv"]))
    assert [(each.table, each.same_bytes) for each in found] == [("curves.csv", False), ("spectra.csv", True)]
    assert found[0].where.endswith(", a")


def test_what_is_no_table_is_told() -> None:
    with pytest.raises(SettingsError, match=r"earlier curves\.csv"):
        agreements(of(VALUES), {"curves.csv": b"label,input,point,metric,value\nm,one,0,x,y\n"})


def record(environment: dict[str, Any] | None = None, model: dict[str, Any] | None = None) -> Record:
    found = of(VALUES).record
    return found.model_copy(
        update={
            "environment": found.environment.model_copy(update=environment or {}),
            "model": found.model.model_copy(update=model or {}),
        }
    )


def test_nothing_differs_from_itself() -> None:
    # When it was made, and how long that took, is no difference.
    later = record().model_copy(update={"created": "2030-01-01T00:00:00+00:00", "seconds": {"measure": 9.0}})
    assert differences({"": record()}, {"": later}) == []
    assert other_weights({"": record()}, {"": later}) == []


def test_each_difference_is_a_line() -> None:
    before = record({"libraries": {"torch": "2.12.0", "numpy": "2.4"}, "threads": 8, "device": "cuda:0"})
    now = record(
        {"libraries": {"torch": "2.13.0", "numpy": "2.4"}, "threads": 2, "device": "cpu", "instructions": "AVX2"},
        {"tokenizer_sha256": {"tokenizer.json": "f00d" * 16}},
    )
    assert differences({"": before}, {"": now}) == [
        "torch was 2.12.0, now 2.13.0",
        "the device was cuda:0 (test), now cpu (test)",
        "the instruction set was test, now AVX2",
        "the number of threads was 8, now 2",
        "the tokenizer's tokenizer.json was not there, now SHA-256 f00df00df00d…",
    ]


def test_a_difference_of_all_sides_is_told_once() -> None:
    before, now = record({"threads": 8}), record({"threads": 2})
    strange = record({"threads": 2, "attention": "sdpa2"})
    assert differences({"baseline": before, "a": before}, {"baseline": now, "a": strange}) == [
        "the number of threads was 8, now 2",
        "a: the attention implementation was sdpa, now sdpa2",
    ]


def test_other_weights_are_another_model() -> None:
    before = record(model={"weights_sha256": {"model.safetensors": "a" * 64}})
    now = record(model={"weights_sha256": {"model.safetensors": "b" * 64}})
    (sentence,) = other_weights({"baseline": before, "a": before}, {"baseline": now, "a": now})
    assert "“synthetic”" in sentence
    assert "SHA-256 aaaaaaaaaaaa… then, bbbbbbbbbbbb… now" in sentence
    assert "another model" in sentence
