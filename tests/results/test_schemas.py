"""The JSON schemas in docs/schema: up to date, sound, and true of what is written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from synthetic import comparison_of, measurement
from tiny import minilm

from oversmooth.measuring.comparing import compare
from oversmooth.report.export.contents import settings_of
from oversmooth.results.comparison import Comparison
from oversmooth.results.files import data
from oversmooth.results.schemas import schemas
from oversmooth.results.settings import Settings

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "schema"


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    """The default model, beside a method that draws random numbers and one that is refused."""
    settings = Settings.of(texts=["The cat sat on the mat.", "rain"], metrics=["token_cosine"], language_model=True)
    return compare(settings, ["noise:seed=7", "attnscale:layers=9"], model=minilm())


def validator(name: str) -> Draft202012Validator:
    schema = json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_they_are_up_to_date() -> None:
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()} == schemas()


def test_the_script_writes_them(tmp_path: Path) -> None:
    # Run where nothing of the checkout is overwritten.
    (tmp_path / "scripts").mkdir()
    (tmp_path / "docs").mkdir()
    script = tmp_path / "scripts" / "schemas"
    script.write_bytes((ROOT / "scripts" / "schemas").read_bytes())
    subprocess.run([sys.executable, str(script)], check=True, cwd=ROOT)
    assert {path.name for path in (tmp_path / "docs" / "schema").iterdir()} == set(schemas())


def test_records_and_settings_are_valid(comparison: Comparison) -> None:
    side = comparison.variants["noise:seed=7"]
    for name, document in (
        ("comparison-record", comparison.record),
        ("record", side.record),
        ("comparison-settings", settings_of(comparison)),
        ("settings", settings_of(side)),
    ):
        validator(name).validate(json.loads(document.to_json()))


def test_data_is_valid(comparison: Comparison) -> None:
    for result in (comparison, comparison.baseline, measurement(similarity=False), comparison_of(2)):
        validator("data").validate(json.loads(data.data(result, ["json"])["data.json"]))


@pytest.mark.parametrize(
    "change",
    [{"schema_version": 2}, {"surprise": 1}, {"seconds": "fast"}, {"model": None}, {"padding_measured": True}],
)
def test_what_is_no_record_is_not_valid(comparison: Comparison, change: dict[str, Any]) -> None:
    record = json.loads(comparison.baseline.record.to_json())
    assert validator("record").is_valid(record)
    assert not validator("record").is_valid(record | change)
    for name in record:
        assert not validator("record").is_valid({key: value for key, value in record.items() if key != name})


def test_a_record_names_all_that_may_change_a_number(comparison: Comparison) -> None:
    record = json.loads(comparison.variants["noise:seed=7"].record.to_json())
    assert record["schema_version"] == 1
    assert record["model"]["tokenizer_sha256"].keys() >= {"tokenizer.json", "tokenizer_config.json"}
    assert {len(digest) for digest in record["model"]["tokenizer_sha256"].values()} == {64}
    assert record["model"]["weights_sha256"]
    assert record["mitigations"] == list(comparison.variants["noise:seed=7"].settings.mitigations)
    assert record["seeds"] == {"noise": 7}
    assert comparison.baseline.record.seeds == {}
    assert (record["special_tokens_measured"], record["padding_measured"], record["max_tokens"]) == (False, False, 512)
    environment = record["environment"]
    assert {"torch", "transformers", "tokenizers", "numpy"} <= set(environment["libraries"])
    for name in ("device", "dtype", "attention", "instructions", "threads", "python", "platform", "oversmooth"):
        assert environment[name]
    assert {"tokenise", "measure"} <= set(record["seconds"])


def test_a_hand_written_file_needs_its_texts_alone() -> None:
    assert validator("settings").is_valid({"texts": ["a b"]})
    assert not validator("settings").is_valid({})
    assert not validator("settings").is_valid({"texts": ["a b"], "metrik": []})
