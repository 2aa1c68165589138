"""A registry of a package made up for it, and plug-ins of every kind beside it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from oversmooth.core import plugins
from oversmooth.core.plugins import Plugin, Registry

GROUP = "madeup.things"


@dataclass(frozen=True)
class Thing:
    """What the registry holds."""

    title: str


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry[Thing]:
    """Of a package with two modules, of which the second in the alphabet comes first."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(plugins._Permission, "left_out", {})
    monkeypatch.setattr(plugins._Permission, "loaded", set())
    monkeypatch.setattr(plugins._Permission, "names", None)
    for name in [name for name in sys.modules if name.startswith(("madeup", "plugged"))]:
        monkeypatch.delitem(sys.modules, name)
    package = tmp_path / "madeup"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "late.py").write_text("import madeup_add\nORDER = 20\nmadeup_add.add('late')\nmadeup_add.add('later')\n")
    (package / "soon.py").write_text("import madeup_add\nORDER = 10\nmadeup_add.add('soon')\n")
    (package / "unsaid.py").write_text("import madeup_add\nmadeup_add.add('unsaid')\n")
    (tmp_path / "madeup_add.py").write_text("")
    found: Registry[Thing] = Registry(("thing", "things"), "madeup", GROUP)

    def add(name: str) -> Thing:
        thing = Thing(name)
        found.add(name, thing)
        return thing

    import madeup_add  # type: ignore[import-not-found]

    madeup_add.add = add
    return found


def plug_in(folder: Path, name: str, code: str, *entries: str) -> None:
    """An installed distribution with one module."""
    module = f"plugged_{name.replace('-', '_')}"
    (folder / f"{module}.py").write_text(f"from madeup_add import add\n{code}\n", encoding="utf-8")
    info = folder / f"{name.replace('-', '_')}-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n", encoding="utf-8")
    lines = "".join(f"{entry} = {module}{suffix}\n" for entry, _, suffix in (each.partition("=") for each in entries))
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{lines}", encoding="utf-8")


def test_what_comes_along_is_in_the_order_of_its_files(registry: Registry[Thing]) -> None:
    assert tuple(registry) == ("soon", "late", "later", "unsaid")
    assert registry["late"] == Thing("late")
    assert registry.plugin("late") is None
    with pytest.raises(KeyError):
        registry["unheard_of"]


def test_plug_ins_follow_in_the_order_of_their_names(registry: Registry[Thing], tmp_path: Path) -> None:
    plug_in(tmp_path, "their-own", "add('zebra')\nadd('ant')", "both")
    plug_in(tmp_path, "another", "mine = add('mine')", "one=:mine")
    assert tuple(registry) == ("soon", "late", "later", "unsaid", "mine", "zebra", "ant")
    assert registry.plugin("ant") == Plugin("their-own", "1.5")
    assert registry.plugin("mine") == Plugin("another", "1.5")
    assert plugins.notes() == ()


def test_nothing_is_imported_before_somebody_asks(registry: Registry[Thing], tmp_path: Path) -> None:
    plug_in(tmp_path, "mine", "add('mine')", "mine")
    assert "plugged_mine" not in sys.modules
    assert "mine" in registry
    assert "plugged_mine" in sys.modules


@pytest.mark.parametrize(
    ("code", "suffix", "reason"),
    [
        ("import not_there", "", "ModuleNotFoundError: No module named 'not_there'"),
        ("raise SystemExit(3)", "", "SystemExit: 3"),
        ("def :", "", "SyntaxError: "),
        ("x = 1", "", "“plugged_broken” declares no thing"),
        ("x = 1", ":x", "“plugged_broken:x” declares no thing"),
        ("import madeup.soon as x", ":x", "“plugged_broken:x” declares no thing"),
        ("add('good')\nx = None", ":x", "“plugged_broken:x” declares no thing"),
        ("add('good')", ":y", "AttributeError: "),
        ("add('good')\nadd('soon')", "", "two things are named soon"),
        ("add('good')\nadd('with space')", "", "“with space” is no name"),
    ],
)
def test_one_that_cannot_be_used_is_left_out_whole_and_named(
    code: str, suffix: str, reason: str, registry: Registry[Thing], tmp_path: Path
) -> None:
    plug_in(tmp_path, "broken", code, f"it={suffix}")
    plug_in(tmp_path, "other", "add('other')", "other")
    assert tuple(registry) == ("soon", "late", "later", "unsaid", "other")
    (note,) = plugins.notes()
    assert note.startswith("The thing “it” of the plug-in “broken” 1.5 is left out: ")
    assert reason in note
    assert registry["soon"] == Thing("soon")


def test_of_two_with_one_name_the_first_stays(registry: Registry[Thing], tmp_path: Path) -> None:
    plug_in(tmp_path, "a", "add('same')", "same")
    plug_in(tmp_path, "b", "add('same')", "same")
    assert registry.plugin("same") == Plugin("a", "1.5")
    (note,) = plugins.notes()
    assert "of the plug-in “b” 1.5 is left out: RuntimeError: two things are named same." in note


def test_those_that_are_allowed_alone_are_imported(registry: Registry[Thing], tmp_path: Path) -> None:
    plug_in(tmp_path, "my-things", "add('mine')", "mine")
    plug_in(tmp_path, "others", "add('other')", "other")
    plugins.allow(["My_Things", "absent"])
    assert tuple(registry) == ("soon", "late", "later", "unsaid", "mine")
    assert "plugged_others" not in sys.modules
    assert plugins.notes() == ("The plug-in “absent” is allowed here, but is not installed.",)
    with pytest.raises(RuntimeError, match="not allowed was loaded"):
        plugins.allow([])
