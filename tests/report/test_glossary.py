"""The entries of the reference: all that is declared, once, and found by what a reader would type."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from oversmooth import metrics, mitigations
from oversmooth.core.papers import Paper
from oversmooth.metrics import mechanisms
from oversmooth.metrics.registry import _REGISTRY, Definition, define_fidelity
from oversmooth.report import glossary
from oversmooth.report.glossary import Kind, document

ROOT = Path(__file__).parents[2]
DECLARED = (*metrics.names(), *metrics.fidelity_names(), *mitigations.names(), *mechanisms.names())


def names(words: str, *kinds: Kind) -> list[str]:
    return [entry.name for entry in glossary.matching(words, kinds)]


@pytest.fixture
def newcomer() -> Iterator[Definition]:
    """A number that somebody has just declared."""
    definition = Definition(
        name="novelty",
        title="Novelty | new",
        formula=r"\nu",
        paper=Paper("Nobody", 2031, "On <Nothing>", "https://example.org/nothing"),
        lower=0,
        upper=1,
        reads="How new it is.",
        caveat="Not for long.",
        unit="years",
    )
    define_fidelity(definition)
    yield definition
    del _REGISTRY._items["novelty"]


def test_everything_that_is_declared_is_an_entry_of_its_own() -> None:
    found = [entry.name for entry in glossary.entries()]
    assert sorted(found) == sorted(DECLARED)
    assert len(set(found)) == len(found)
    assert len({entry.title for entry in glossary.entries()}) == len(found)


def test_mitigations_stand_with_what_they_are_meant_for() -> None:
    for entry in glossary.entries():
        if entry.method is not None:
            assert entry.kind.name.casefold() == entry.method.declaration.meant
    kinds = [entry.kind for entry in glossary.entries()]
    assert kinds == sorted(kinds, key=list(Kind).index)


@pytest.mark.parametrize("words", ["Roy Vetterli", "effective rank roy", "  VETTERLI\t2007 ", "effective_rank entropy"])
def test_an_entry_is_found_by_title_name_and_paper_in_any_order(words: str) -> None:
    assert ("effective_rank" in names(words)) == ("entropy" not in words)


def test_kinds_narrow_what_is_found() -> None:
    assert set(names("", Kind.ABLATION, Kind.CONTROL)) >= {"no_mlp", "noise"}
    assert "softdecay" not in names("", Kind.ABLATION, Kind.CONTROL)
    assert names("yan", Kind.INFERENCE) == ["softdecay"]
    assert names("yan", Kind.ABLATION) == []
    assert names("") == [entry.name for entry in glossary.entries()]


@pytest.mark.parametrize(
    ("word", "nearest"),
    [("token_cosin", "token_cosine"), ("EFFECTIVE RANK", "effective_rank"), ("SofDecay", "softdecay"), ("qqq", None)],
)
def test_the_nearest_entry_of_a_slip_of_the_pen(word: str, nearest: str | None) -> None:
    found = glossary.nearest(word)
    assert (found and found.name) == nearest


def test_a_new_number_appears_by_itself(newcomer: Definition) -> None:
    entry = glossary.find("novelty")
    assert entry is not None
    assert (entry.kind, entry.title, entry.range_text) == (Kind.FIDELITY, newcomer.title, "[0, 1] years")
    assert names("nobody 2031") == ["novelty"]
    written = document()
    assert '<a id="novelty"></a>' in written
    assert r"### Novelty \| new" in written
    assert r"[Nobody 2031](https://example.org/nothing), *On \<Nothing\>*" in written


def test_the_document_holds_every_entry_in_full() -> None:
    written = document()
    for entry in glossary.entries():
        assert written.count(f'<a id="{entry.name}"></a>') == 1
        assert f"](#{entry.name})" in written
        assert f"$$\n{entry.formula}\n$$" in written
    assert written.count("\n$$\n") == 2 * len(glossary.entries())
    for method in mitigations.all_mitigations():
        for name in method.parameters():
            assert f"| `{name}` |" in written


def test_the_document_is_up_to_date() -> None:
    assert (ROOT / "docs" / "reference.md").read_text(encoding="utf-8") == document(), "run scripts/reference"


def test_the_script_writes_it(tmp_path: Path) -> None:
    # Run where nothing of the checkout is overwritten.
    (tmp_path / "scripts").mkdir()
    (tmp_path / "docs").mkdir()
    script = tmp_path / "scripts" / "reference"
    script.write_bytes((ROOT / "scripts" / "reference").read_bytes())
    subprocess.run([sys.executable, str(script)], check=True, cwd=ROOT)
    assert (tmp_path / "docs" / "reference.md").read_text(encoding="utf-8") == document()
