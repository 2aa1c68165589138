from __future__ import annotations

import re

import pytest

from oversmooth.models.catalog import CATALOG, find
from oversmooth.models.given import DEFAULT_MODEL


def test_the_default_model_comes_first_and_needs_no_network() -> None:
    assert CATALOG[0].name == DEFAULT_MODEL
    assert [entry.name for entry in CATALOG if not entry.identifier] == [DEFAULT_MODEL]


@pytest.mark.parametrize("asked", ["gpt2", "GPT2", "openai-community/gpt2"])
def test_an_entry_is_found_by_name_and_by_hub_id(asked: str) -> None:
    entry = find(asked)
    assert entry is not None
    assert entry.identifier == "openai-community/gpt2"


@pytest.mark.parametrize("asked", ["", "gpt", "nobody/nothing"])
def test_what_is_not_on_offer_is_not_found(asked: str) -> None:
    assert find(asked) is None


def test_every_entry_tells_what_a_user_chooses_by() -> None:
    for entry in CATALOG:
        assert entry.identifier == "" or re.fullmatch(r"[\w.-]+/[\w.-]+", entry.identifier)
        assert entry.family
        assert entry.licence
        assert entry.layers > 0
        assert entry.hidden_size > 0
        assert entry.megabytes > 0


def test_names_are_unique() -> None:
    names = [entry.name.casefold() for entry in CATALOG]
    assert len(set(names)) == len(names)


def test_the_families_of_the_literature_are_there() -> None:
    families = {entry.family for entry in CATALOG}
    assert {
        "bert",
        "roberta",
        "albert",
        "distilbert",
        "electra",
        "gpt2",
        "opt",
        "gpt_neox",
        "llama",
        "qwen2",
    } < families
