"""Every declared table and format, whichever there are: a result has it, and it says what it is."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
import xarray as xr
from synthetic import BASE, comparison_of, measurement
from synthetic_explanation import explained

from oversmooth.report.export import folder
from oversmooth.report.export.bundle import figures_in_it
from oversmooth.report.export.contents import Parts, belongs
from oversmooth.report.export.formats import figure_formats
from oversmooth.results.files.formats import number_formats
from oversmooth.results.files.tables import all_tables, tables_of


@cache
def _made() -> dict[str, pd.DataFrame]:
    """The first table of each name that a result of these tests has."""
    heard = xr.Dataset({"language_model_loss": ("input", [0.5, 0.6])}, {"input": [0, 1]})
    several = dataclasses.replace(measurement({"token_cosine": [BASE, BASE]}), outputs=heard)
    found: dict[str, pd.DataFrame] = {}
    for result in (several, comparison_of(2), explained(blocks=2, heads=2)):
        found = tables_of(result) | found
    return found


@pytest.mark.parametrize("name", all_tables())
def test_a_table_has_rows_in_its_columns_and_says_what_it_holds(name: str) -> None:
    if name not in _made():
        pytest.fail(f"No result of these tests has the table “{name}”: give one what it needs.")
    declared, table = all_tables()[name], _made()[name]
    assert len(table)
    assert list(table) == list(declared.columns)
    assert not table["label"].isna().any()
    assert not [column for column in declared.columns if table[column].isna().all()]
    assert set(declared.scale) <= set(declared.columns)
    assert declared.meaning[0].islower()
    assert declared.columns[1] in declared.meaning


@pytest.mark.parametrize("name", number_formats())
def test_a_format_of_numbers_writes_what_it_declares(name: str) -> None:
    declared, result = number_formats()[name], explained(blocks=2, heads=2)
    files = declared.write(result)
    assert set(files) == ({declared.file} if declared.file else {f"{table}.{name}" for table in tables_of(result)})
    assert all(files.values())
    assert all(map(belongs, files))
    assert declared.write(result) == files


@pytest.mark.parametrize("name", figure_formats())
def test_a_format_of_figures_writes_what_it_declares(name: str, tmp_path: Path) -> None:
    declared = figure_formats()[name]
    small = measurement(blocks=1, points=["embedding", "0"], similarity=False)
    paths = folder.write(small, tmp_path, Parts((), (name,)))
    files = {path.relative_to(tmp_path).as_posix() for path in paths} - {"settings.json", "record.json"}
    curve = {f"{declared.folder}/token_cosine.{ending}" for ending in declared.endings}
    assert files >= (curve or {declared.file})
    assert all(map(belongs, files))
    assert all(file.startswith(f"{declared.folder}/") for file in files)


def test_a_bundle_has_every_format_of_figures_but_the_pages_for_the_screen() -> None:
    assert figures_in_it() == tuple(name for name in figure_formats() if name != "html")
