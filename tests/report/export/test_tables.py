"""The CSV files: columns, order, missing values and digits."""

from __future__ import annotations

import csv
import dataclasses
import io
import math

import numpy as np
import pytest
import synthetic
import xarray as xr

from oversmooth.results.comparison import Comparison
from oversmooth.results.files import tables
from oversmooth.results.measurement import Measurement
from oversmooth.results.record import Record
from oversmooth.results.settings import Settings

POINTS = ["embedding", "0", "final_norm"]
AWKWARD = 0.1 + 0.2  # needs all 17 digits to read back


@pytest.fixture
def measurement() -> Measurement:
    """Two texts of three and two tokens, with one value missing and one spectrum that could not be computed."""
    curves = xr.Dataset(
        {
            "token_cosine": (("input", "point"), [[AWKWARD, 1e-17, -1.0], [0.25, math.nan, 5e-324]]),
            "numerical_rank": (("input", "point"), [[3.0, 3.0, 1.0], [2.0, 2.0, 2.0]]),
        },
        {"input": [0, 1], "point": POINTS},
    )
    raw = np.array(
        [
            [[3.0, 2.0, 1.0], [math.nan] * 3, [6.0, 5.0, 1e-9]],
            [[4.0, 2.0, math.nan], [8.0, 1.0, math.nan], [9.0, 0.0, math.nan]],
        ]
    )
    dims = ("input", "point", "component")
    coordinates = {"input": [0, 1], "point": POINTS, "component": [1, 2, 3]}
    spectra = xr.Dataset({"raw": (dims, raw), "centred": (dims, raw)}, coordinates)
    return Measurement(
        settings=Settings.of(texts=("one two three", "four five")),
        curves=curves,
        spectra=spectra,
        similarity=None,
        similarity_factor=1,
        outputs=xr.Dataset(),
        tokens=(),
        notes=(),
        record=Record.model_construct(),
    )


def read(content: bytes) -> list[dict[str, str]]:
    """What an independent reader makes of the file."""
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


def test_curves_hold_each_number_once(measurement: Measurement) -> None:
    rows = read(tables.to_csv(tables.curves(measurement, "m")))
    assert list(rows[0]) == ["label", "input", "point", "metric", "value"]
    assert {row["label"] for row in rows} == {"m"}
    assert len(rows) == 2 * 3 * 2
    first = [row["point"] for row in rows if row["input"] == "0" and row["metric"] == "token_cosine"]
    assert first == POINTS
    values = {(row["input"], row["point"], row["metric"]): row["value"] for row in rows}
    assert values["1", "embedding", "token_cosine"] == "0.25"
    assert values["0", "final_norm", "numerical_rank"] == "1.0"


def test_numbers_read_back_to_the_same_float(measurement: Measurement) -> None:
    values = {
        (row["input"], row["point"]): row["value"]
        for row in read(tables.to_csv(tables.curves(measurement, "m")))
        if row["metric"] == "token_cosine"
    }
    assert values["0", "embedding"] == "0.30000000000000004"
    assert float(values["0", "0"]) == 1e-17
    assert float(values["1", "final_norm"]) == 5e-324


def test_a_missing_value_is_an_empty_field(measurement: Measurement) -> None:
    rows = read(tables.to_csv(tables.curves(measurement, "m")))
    empty = [(row["input"], row["point"], row["metric"]) for row in rows if row["value"] == ""]
    assert empty == [("1", "0", "token_cosine")]


def test_means_are_over_the_texts_with_a_value(measurement: Measurement) -> None:
    rows = read(tables.to_csv(tables.means(measurement, "m")))
    assert list(rows[0]) == ["label", "point", "metric", "n", "mean", "low", "high"]
    assert [row["point"] for row in rows if row["metric"] == "token_cosine"] == POINTS
    found = {(row["point"], row["metric"]): row for row in rows}
    assert len(found) == len(rows) == 6
    both = found["embedding", "token_cosine"]
    assert (both["label"], both["n"]) == ("m", "2")
    # Of two texts the band reaches from one to the other.
    assert [float(both[end]) for end in ("low", "mean", "high")] == pytest.approx([0.25, 0.275, 0.3])
    single = found["0", "token_cosine"]
    assert (single["n"], single["low"], single["high"]) == ("1", "", "")
    assert float(single["mean"]) == pytest.approx(1e-17)
    assert [float(found["0", "numerical_rank"][end]) for end in ("low", "mean", "high")] == [2, 2.5, 3]


def test_means_are_there_where_a_side_has_several_texts(measurement: Measurement) -> None:
    assert list(tables.tables_of(measurement)) == ["curves", "means", "spectra"]
    one = synthetic.measurement({"token_cosine": [1.0, 1.0, 1.0]}, points=POINTS)
    assert "means" not in tables.tables_of(one)
    found = tables.tables_of(Comparison({"baseline": one, "two": measurement}, {}))["means"]
    rows = read(tables.to_csv(found))
    assert {(row["label"], row["n"]) for row in rows} == {("baseline", "1"), ("two", "1"), ("two", "2")}
    assert {row["low"] for row in rows if row["label"] == "baseline"} == {""}


def test_spectra_end_with_the_last_singular_value(measurement: Measurement) -> None:
    rows = read(tables.to_csv(tables.spectra(measurement, "m")))
    assert list(rows[0]) == ["label", "input", "point", "component", "value"]
    shape = {
        (text, point): [row["component"] for row in rows if (row["input"], row["point"]) == (text, point)]
        for text in "01"
        for point in POINTS
    }
    assert set(map(tuple, shape.values())) == {("1", "2", "3"), ("1", "2")}
    assert all(shape["1", point] == ["1", "2"] for point in POINTS)
    values = {(row["input"], row["point"], row["component"]): row["value"] for row in rows}
    assert float(values["0", "final_norm", "3"]) == 1e-9
    assert values["1", "final_norm", "2"] == "0.0"
    assert [values["0", "0", component] for component in "123"] == ["", "", ""]


def test_files_are_utf8_with_line_feeds_and_quoted_labels(measurement: Measurement) -> None:
    label = 'models, old/“größe"\n東京'
    content = tables.to_csv(tables.curves(measurement, label))
    assert b"\r" not in content
    assert content.endswith(b"\n")
    assert read(content)[0]["label"] == label


class TestComparison:
    """Two variants of two texts: one with a missing value and a metric of its own, one of another text."""

    @pytest.fixture
    def comparison(self) -> Comparison:
        ours = {"token_cosine": [[0.5, 0.6, math.nan], [0.1, 0.2, 0.3]], "cka_to_baseline": [[1.0, 0.9, 0.8]] * 2}
        theirs = {"token_cosine": [[0.5, 0.5, 0.5], [0.1, 0.1, 0.1]], "mean_norm": [[1.0] * 3] * 2}
        sides = {"baseline": theirs, "a+b:c=1,d=2": ours, "other": {"token_cosine": [[1.0, 1.0, 1.0]]}}
        return Comparison({label: synthetic.measurement(curves, points=POINTS) for label, curves in sides.items()}, {})

    def test_deltas_hold_each_number_of_both_sides_once(self, comparison: Comparison) -> None:
        rows = read(tables.to_csv(tables.deltas(comparison, "a+b:c=1,d=2")))
        assert list(rows[0]) == ["label", "input", "point", "metric", "delta"]
        assert {(row["label"], row["metric"]) for row in rows} == {("a+b:c=1,d=2", "token_cosine")}
        assert [(row["input"], row["point"]) for row in rows] == [(text, point) for text in "01" for point in POINTS]
        assert [row["delta"] for row in rows] == ["0.0", str(0.6 - 0.5), "", "0.0", str(0.2 - 0.1), str(0.3 - 0.1)]

    def test_another_text_has_deltas_of_the_means_and_no_input(self, comparison: Comparison) -> None:
        rows = read(tables.to_csv(tables.deltas(comparison, "other")))
        assert [(row["input"], row["point"]) for row in rows] == [("", point) for point in POINTS]
        assert [float(row["delta"]) for row in rows] == pytest.approx([0.7, 0.7, 0.7])

    def test_other_depths_have_empty_deltas(self) -> None:
        found = synthetic.comparison_of({"deep": synthetic.deep_variant()})
        rows = read(tables.to_csv(tables.deltas(found, "deep")))
        assert len(rows) == 14
        assert {row["delta"] for row in rows} == {""}

    def test_outputs_hold_the_numbers_of_the_head(self, comparison: Comparison) -> None:
        outputs = xr.Dataset({"language_model_loss": ("input", [2.5, math.nan])}, {"input": [0, 1]})
        measured = dataclasses.replace(comparison.baseline, outputs=outputs)
        rows = read(tables.to_csv(tables.outputs(measured, "m")))
        assert [list(row.values()) for row in rows] == [
            ["m", "0", "language_model_loss", "2.5"],
            ["m", "1", "language_model_loss", ""],
        ]

    def test_no_outputs_are_an_empty_table(self, comparison: Comparison) -> None:
        assert tables.to_csv(tables.outputs(comparison.baseline, "m")) == b"label,input,metric,value\n"
