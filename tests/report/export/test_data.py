"""The numbers as Parquet, NPZ and JSON: the same as those of the result, and of the CSV files."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from synthetic import SENTENCE, comparison_of, deep_variant, measurement, variant

from oversmooth.results.comparison import Comparison
from oversmooth.results.files import data
from oversmooth.results.files.arrays import arrays as arrays_of
from oversmooth.results.files.document import Document
from oversmooth.results.measurement import Measurement, Note

AWKWARD = 0.1 + 0.2  # needs all 17 digits to read back
REASON = "the state is 0"


@pytest.fixture
def measured() -> Measurement:
    """Two texts; one value missing, one that needs all its digits, and what a head said."""
    curves = {"token_cosine": [[AWKWARD, math.nan, 1e-17], [0.25, 0.5, 5e-324]]}
    found = measurement(
        curves, points=["embedding", "0", "final_norm"], notes=[Note("missing", 0, "0", "token_cosine", REASON)]
    )
    outputs = xr.Dataset({"language_model_loss": ("input", [2.5, math.nan])}, {"input": [0, 1]})
    return dataclasses.replace(found, outputs=outputs)


@pytest.fixture
def compared() -> Comparison:
    """A variant of the same texts, and one of another model."""
    return comparison_of({"gfsa": variant(-0.1), "deep": deep_variant()}, failures={"broken": "It is broken."})


def arrays(content: bytes) -> dict[str, np.ndarray[Any, Any]]:
    """What an independent reader makes of the file, pickles refused."""
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


@pytest.mark.parametrize("kind", ["measured", "compared"])
def test_parquet_holds_the_tables_of_the_csv_files(kind: str, request: pytest.FixtureRequest) -> None:
    files = data.data(request.getfixturevalue(kind))
    tables = {name.removesuffix(".csv") for name in files if name.endswith(".csv")}
    assert {"curves", "spectra"} < tables
    assert {name.removesuffix(".parquet") for name in files if name.endswith(".parquet")} == tables
    for name in tables:
        ours = pd.read_parquet(io.BytesIO(files[f"{name}.parquet"]))
        head, *rows = csv.reader(io.StringIO(files[f"{name}.csv"].decode()))
        assert list(ours) == head
        for column, cells in zip(head, zip(*rows, strict=True), strict=True):
            found = ours[column]
            if column in ("label", "point", "metric"):
                assert found.tolist() == list(cells)
            else:
                expected = [float(cell) if cell else math.nan for cell in cells]
                np.testing.assert_array_equal(found.to_numpy(float, na_value=math.nan), expected)


def test_inputs_stay_whole_numbers_where_a_variant_read_other_texts(compared: Comparison) -> None:
    other = dataclasses.replace(variant(-0.2), settings=variant(-0.2).settings.model_copy(update={"texts": ("x",)}))
    found = Comparison({**compared.measurements, "other": other}, {})
    table = pd.read_parquet(io.BytesIO(data.data(found, ["parquet"])["deltas.parquet"]))
    assert table["input"].dtype == pd.Int64Dtype()
    assert table[table["label"] == "other"]["input"].isna().all()
    assert set(table[table["label"] == "gfsa"]["input"]) == {0}


def test_arrays_are_those_of_the_result(measured: Measurement) -> None:
    found = arrays(data.data(measured, ["npz"])["arrays.npz"])
    assert set(found) == {
        "point",
        "component",
        "token",
        "token_id",
        "token_position",
        "spectra_raw",
        "spectra_centred",
        "spectra_floor",
        "similarity",
        "similarity_factor",
    }
    assert found["point"].tolist() == ["embedding", "0", "final_norm"]
    assert found["component"].tolist() == list(range(1, 12))
    assert found["token"].tolist() == list(SENTENCE)
    assert found["token_id"].tolist() == list(range(11))
    assert found["token_position"].tolist() == list(range(1, 12))
    assert found["similarity"].dtype == np.float32
    assert measured.similarity is not None
    np.testing.assert_array_equal(found["similarity"], measured.similarity.values)
    for name in ("raw", "centred", "floor"):
        np.testing.assert_array_equal(found[f"spectra_{name}"], measured.spectra[name].values)


def test_a_document_holds_the_ratios_that_headlines_speak_of() -> None:
    unknown = measurement()
    ratios = np.linspace(1, 2000, 2 * len(unknown.points)).reshape(2, -1)
    ratios[1, 0] = np.nan
    known = dataclasses.replace(unknown, activation_ratios=xr.DataArray(ratios, dims=("input", "point")))
    found = json.loads(Document.of(known).to_json())["sides"][0]["activation_ratios"]
    assert found[1][0] is None
    np.testing.assert_array_equal(np.array(found, dtype=float), ratios)
    assert json.loads(Document.of(unknown).to_json())["sides"][0]["activation_ratios"] is None


def test_arrays_of_a_comparison_lie_side_by_side(compared: Comparison) -> None:
    found = arrays(data.data(compared, ["npz"])["arrays.npz"])
    assert found["label"].tolist() == ["baseline", "gfsa", "deep"]
    assert [found[f"{place}/similarity"].shape for place in range(3)] == [(8, 11, 11), (8, 11, 11), (14, 11, 11)]
    np.testing.assert_array_equal(found["1/spectra_raw"], compared.variants["gfsa"].spectra["raw"].values)


def test_a_map_that_was_not_kept_is_left_out() -> None:
    names = set(arrays_of(measurement(similarity=False)))
    assert "spectra_raw" in names
    assert not {name for name in names if name.startswith("similarity")}
    assert json.loads(Document.of(measurement(similarity=False)).to_json())["sides"][0]["similarity"] is None


def test_json_holds_everything_with_missing_numbers_as_null(measured: Measurement) -> None:
    content = data.data(measured, ["json"])["data.json"]
    found = json.loads(content, parse_constant=pytest.fail)
    assert (found["schema_version"], found["kind"]) == (1, "measurement")
    (side,) = found["sides"]
    assert side["label"] == "synthetic"
    assert side["points"] == ["embedding", "0", "final_norm"]
    assert side["curves"] == {"token_cosine": [[AWKWARD, None, 1e-17], [0.25, 0.5, 5e-324]]}
    assert b"0.30000000000000004" in content
    assert side["outputs"] == {"language_model_loss": [2.5, None]}
    assert side["settings"] == json.loads(measured.settings.to_json())
    assert side["record"] == json.loads(measured.record.to_json())
    assert side["notes"] == [{"kind": "missing", "input": 0, "point": "0", "metric": "token_cosine", "reason": REASON}]
    assert [token["text"] for token in side["tokens"][0] if token["measured"]] == list(SENTENCE)
    raw = np.array(side["spectra"]["raw"], dtype=float)
    np.testing.assert_array_equal(raw, measured.spectra["raw"].values)
    assert Document.model_validate_json(content).sides[0].record == measured.record


def test_json_maps_read_back_to_the_same_float32_with_few_digits(measured: Measurement) -> None:
    content = data.data(measured, ["json"])["data.json"]
    side = json.loads(content)["sides"][0]
    assert measured.similarity is not None
    values = np.array(side["similarity"]["values"])
    np.testing.assert_array_equal(values.astype(np.float32), measured.similarity.values)
    # A float32 never needs more than nine digits; as float64, most would show seventeen.
    assert max(len(str(value).strip("-0.").partition("e")[0].replace(".", "")) for value in values.ravel()) <= 9


def test_json_of_a_comparison_has_deltas_and_failures(compared: Comparison) -> None:
    found = json.loads(data.data(compared, ["json"])["data.json"])
    assert found["kind"] == "comparison"
    assert [side["label"] for side in found["sides"]] == ["baseline", "gfsa", "deep"]
    ours, theirs = ([side["curves"]["token_cosine"][0] for side in found["sides"]][place] for place in (1, 0))
    assert found["deltas"]["gfsa"]["token_cosine"] == [[a - b for a, b in zip(ours, theirs, strict=True)]]
    assert set(found["deltas"]["deep"]["token_cosine"][0]) == {None}
    assert found["failures"] == {"broken": "It is broken."}


def test_equal_results_give_equal_bytes(compared: Comparison) -> None:
    assert data.data(compared) == data.data(compared)


def test_only_what_was_asked_for_is_made(measured: Measurement) -> None:
    assert list(data.data(measured, ["json"])) == ["data.json"]
    assert list(data.data(measured, ["npz"])) == ["arrays.npz"]
    names = ("curves", "means", "spectra", "outputs")
    assert set(data.data(measured, ["parquet"])) == {f"{name}.parquet" for name in names}
