"""Tables of an explanation: its very numbers, under the names of what they are of."""

from __future__ import annotations

import io
import json
import math
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from synthetic import measurement
from synthetic_explanation import explained

from oversmooth.core.errors import SettingsError
from oversmooth.report.export import folder
from oversmooth.report.export.bundle import bundle
from oversmooth.report.export.contents import belongs
from oversmooth.report.paper import PRESETS
from oversmooth.results.agreement import agreements
from oversmooth.results.comparison import BASELINE, Comparison
from oversmooth.results.explanation import Explanation
from oversmooth.results.files.data import data
from oversmooth.results.files.tables import all_tables
from oversmooth.results.measurement import Measurement

EXPLAINED = [name for name, each in all_tables().items() if each.rows.__module__.endswith(".explained")]


def _tables(result: Measurement | Comparison) -> dict[str, pd.DataFrame]:
    found = data(result, ["csv"])
    return {name: pd.read_csv(io.BytesIO(found[f"{name}.csv"])) for name in EXPLAINED if f"{name}.csv" in found}


def _explanation(result: Measurement) -> Explanation:
    assert result.explanation is not None
    return result.explanation


@pytest.fixture(scope="module")
def result() -> Measurement:
    return explained(blocks=2, heads=3)


@pytest.fixture(scope="module")
def tables(result: Measurement) -> dict[str, pd.DataFrame]:
    return _tables(result)


def test_every_part_has_a_table_with_its_columns(tables: dict[str, pd.DataFrame]) -> None:
    assert {name: ",".join(table.columns) for name, table in tables.items()} == {
        "attention": "label,input,layer,head,quantity,value",
        "norms": "label,input,layer,norm,kind,token,quantity,value",
        "bound": "label,input,layer,quantity,value",
        "circuits": "label,layer,head,component,real,imaginary",
        "dominance": "label,layer,head,gain,kind,circuit_real,circuit_imaginary,attention_real,attention_imaginary",
        "corpus": "label,form,point,input,quantity,value",
        "layer_cka": "label,point,other,value",
    }
    assert set(tables["attention"]["label"]) == {"synthetic"}


def test_numbers_are_those_of_the_explanation(result: Measurement, tables: dict[str, pd.DataFrame]) -> None:
    found = _explanation(result)
    attention = tables["attention"].set_index(["quantity", "input", "layer", "head"])["value"]
    assert attention["attention_entropy", 2, 1, 0] == float(found.attention["attention_entropy"][2, 1, 0])
    adjacent = tables["attention"].query("quantity == 'attention_adjacent_cosine'")
    assert adjacent["head"].isna().all()
    assert len(adjacent) == 3 * 2
    assert adjacent.loc[adjacent["layer"] == 0, "value"].isna().all()
    norms = tables["norms"]
    deviations = norms[norms["quantity"] == "deviation"]
    assert set(deviations["input"]) == {0}
    assert deviations["value"].sum() == pytest.approx(float(found.norms["deviation"].sum()))
    assert norms.loc[norms["quantity"] == "largest_gain", ["input", "token"]].isna().all(axis=None)
    circuit = tables["circuits"].query("layer == 1 and head == 2 and component == 4").iloc[0]
    value = complex(found.circuits["eigenvalues"].sel(layer=1, head=2, component=4))
    assert complex(circuit["real"], circuit["imaginary"]) == value
    pair = tables["dominance"].query("layer == 1 and head == 2").iloc[0]
    assert pair["kind"] == str(found.dominance["dominant_kind"].values[1, 2])
    assert pair["gain"] == pytest.approx(
        abs(1 + complex(pair["circuit_real"], pair["circuit_imaginary"])
            * complex(pair["attention_real"], pair["attention_imaginary"]))
    )  # fmt: skip
    corpus = tables["corpus"].query("quantity == 'within_each' and form == 'centred' and point == '1'")
    np.testing.assert_array_equal(corpus["value"], found.corpus["within_each"].sel(form="centred", point="1").values)
    cka = tables["layer_cka"].set_index(["point", "other"])["value"]
    assert cka["embedding", "1"] == float(found.corpus["layer_cka"].sel(point="embedding", other="1"))


def test_arrays_and_the_document_hold_the_same(result: Measurement) -> None:
    files = data(result, ["npz", "json"])
    arrays = np.load(io.BytesIO(files["arrays.npz"]))
    entry = json.loads(files["data.json"])["sides"][0]["explanation"]
    for part, dataset in _explanation(result).parts.items():
        for name, values in dataset.items():
            np.testing.assert_array_equal(arrays[f"{part}_{name}"], values.values)
            written = entry[part][str(name)]
            assert written["dims"] == list(values.dims)
            if values.dtype.kind == "c":
                pairs = np.array(written["values"])
                np.testing.assert_array_equal(pairs[..., 0] + 1j * pairs[..., 1], values.values)
            elif values.dtype.kind == "f":
                np.testing.assert_array_equal(np.array(written["values"], dtype=float), values.values)
            else:
                assert written["values"] == values.values.tolist()
    assert entry["corpus"]["within"]["coordinates"]["form"] == ["raw", "centred", "standardised"]
    assert arrays["corpus_form"].tolist() == ["raw", "centred", "standardised"]
    assert (entry["texts"], entry["reasons"]) == (3, {})
    assert json.loads(data(measurement(), ["json"])["data.json"])["sides"][0]["explanation"] is None


def test_integers_stay_integers_where_some_are_missing(result: Measurement) -> None:
    lines = data(result, ["csv"])["norms.csv"].decode().splitlines()
    assert any(line.startswith("synthetic,0,0,attention,LayerNorm,0,deviation,") for line in lines)
    assert any(line.startswith("synthetic,,0,attention,LayerNorm,,largest_gain,") for line in lines)


def test_parts_that_are_missing_have_no_table() -> None:
    assert set(_tables(explained(blocks=2, heads=2, family="plain"))) == {"bound", "corpus", "layer_cka"}
    assert _tables(measurement()) == {}


def test_sides_of_a_comparison_stand_below_each_other(result: Measurement) -> None:
    found = _tables(Comparison({BASELINE: result, "plain": measurement(), "other": explained(blocks=3, heads=1)}, {}))
    assert list(dict.fromkeys(found["bound"]["label"])) == [BASELINE, "other"]
    assert len(found["circuits"]) == (2 * 3 + 3) * 32


def test_a_folder_and_a_bundle_hold_them_and_say_what_they_are(
    result: Measurement, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = folder.write(result, tmp_path)
    assert {path.name for path in paths} >= {f"{name}.csv" for name in EXPLAINED}
    # The other forms take long to draw, and are tried one by one elsewhere.
    monkeypatch.setattr("oversmooth.report.export.bundle.figures_in_it", lambda: ("latex", "pgfplots"))
    with zipfile.ZipFile(io.BytesIO(bundle(result, PRESETS["single"]))) as archive:
        names = archive.namelist()
        readme = archive.read("README.txt").decode()
        captions = " ".join(archive.read("latex/figures.tex").decode().split())
    for name in EXPLAINED:
        assert f"{name}.csv" in names
        assert f"\n{name}.csv " in readme
    assert "figures/waterfall_token_cosine" in captions
    assert not [name for name in names if name.startswith("pgfplots/waterfall")]
    assert all(belongs(name) for name in names if name != "README.txt")
    # What a caption says of a quantity comes from its declaration.
    assert "Dominant gain of the update (Dovonon et al. 2024)" in captions
    assert "Drawn is the text shown alone." in captions


def test_the_same_numbers_are_repeated_whatever_the_order_of_conjugates(result: Measurement) -> None:
    earlier = data(result, ["csv"])
    assert all(each.same_bytes for each in agreements(result, earlier))
    found = _explanation(result)
    turned = found.circuits.assign(eigenvalues=found.circuits["eigenvalues"].conj() * (1 + 1e-7))
    other = replace(result, explanation=replace(found, circuits=turned))
    by_name = {each.table: each for each in agreements(other, earlier)}
    assert not by_name["circuits.csv"].same_bytes
    assert by_name["circuits.csv"].repeated


CHANGED = {
    "attention.csv": "attention_entropy",
    "norms.csv": "deviation",
    "bound.csv": "smoothing_bound",
    "circuits.csv": "eigenvalue",
    "dominance.csv": "gain",
    "corpus.csv": "within",
    "layer_cka.csv": "value",
}


def test_other_numbers_are_not_repeated(result: Measurement) -> None:
    earlier = {name: _changed(data(result, ["csv"])[name], CHANGED[name]) for name in CHANGED}
    found = {each.table: each for each in agreements(result, earlier)}
    for name, words in CHANGED.items():
        assert not found[name].repeated, name
        assert math.isclose(found[name].difference, 0.01, rel_tol=0.5), name
        assert words in found[name].where


def _changed(content: bytes, quantity: str) -> bytes:
    """The table with its largest number of that quantity a hundredth larger."""
    table = pd.read_csv(io.BytesIO(content), dtype={"input": "Int64", "head": "Int64", "token": "Int64"})
    column = next(each for each in ("value", "gain", "real") if each in table)
    rows = table[table["quantity"] == quantity] if "quantity" in table else table
    largest = rows.index[int(rows[column].abs().to_numpy().argmax())]
    table[column] = table[column].where(table.index != largest, 1.01 * table[column])
    return table.to_csv(index=False, lineterminator="\n").encode()


def test_a_table_that_is_none_is_refused(result: Measurement) -> None:
    with pytest.raises(SettingsError, match=r"earlier circuits\.csv is no table of Oversmooth's"):
        agreements(result, {"circuits.csv": b"label,layer\nsynthetic,0\n"})
