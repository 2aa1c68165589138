"""The accessor ``plot`` of results, and packages that draw them in another way."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from synthetic import comparison_of

from oversmooth.core.errors import SettingsError
from oversmooth.results import plotting
from oversmooth.results.comparison import Comparison
from oversmooth.results.measurement import Measurement

_BACKEND = """
def curve(measurement, metric, *, lines, theme):
    return ["curve", metric, lines, theme]


def spectra(comparison, layer, *, centred, logarithmic, theme):
    return ["spectra", layer, centred, logarithmic, theme]
"""


@pytest.fixture(autouse=True)
def _default_afterwards() -> Iterator[None]:
    yield
    plotting.use()


@pytest.fixture
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages that bring the backends ``lists``, ``raising`` and ``needing``."""
    (tmp_path / "drawn_as_lists.py").write_text(_BACKEND)
    (tmp_path / "raising_backend.py").write_text("raise OSError('no display')")
    (tmp_path / "needing_backend.py").write_text("import nowhere_to_be_found")
    metadata = tmp_path / "backends-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: backends\nVersion: 1.0\n")
    entries = "lists = drawn_as_lists\nraising = raising_backend\nneeding = needing_backend\n"
    (metadata / "entry_points.txt").write_text(f"[{plotting.GROUP}]\n{entries}")
    monkeypatch.syspath_prepend(tmp_path)


def test_each_figure_has_one_method_and_its_older_name() -> None:
    comparison = comparison_of(2)
    measurement = comparison.baseline
    pairs: list[tuple[Any, Any]] = [
        (measurement.plot.similarity(4), measurement.plot_similarity(4)),
        (measurement.plot.spectrum(4, centred=True), measurement.plot_spectrum(4, centred=True)),
        (comparison.plot.deltas("token_cosine"), comparison.plot_deltas("token_cosine")),
        (comparison.plot.similarity(4), comparison.plot_similarity(4)),
        (comparison.plot.difference(4), comparison.plot_difference(4)),
        (comparison.plot.spectra(4), comparison.plot_spectra(4)),
        (comparison.plot.plane(4), comparison.plot_plane(4)),
    ]
    assert [new.to_json() == old.to_json() for new, old in pairs] == [True] * len(pairs)


@pytest.mark.parametrize("result", [Measurement, Comparison])
def test_older_names_are_documented_like_the_methods(result: type) -> None:
    older = [name for name in dir(result) if name.startswith("plot_")]
    assert older
    accessor = inspect.get_annotations(result.plot.fget, eval_str=True)["return"]  # type: ignore[attr-defined]
    for name in older:
        method = getattr(accessor, name.removeprefix("plot_"))
        assert inspect.getdoc(getattr(result, name)) == inspect.getdoc(method)
        assert inspect.signature(getattr(result, name)) == inspect.signature(method)


@pytest.mark.usefixtures("_installed")
@pytest.mark.parametrize("name", ["lists", "drawn_as_lists"])
def test_a_package_can_draw_results_in_another_way(name: str) -> None:
    comparison = comparison_of(2)
    plotting.use(name)
    assert comparison.baseline.plot("token_cosine", lines=True) == ["curve", "token_cosine", True, "light"]
    assert comparison.plot_spectra(3, theme="dark") == ["spectra", 3, False, True, "dark"]
    plotting.use()
    assert comparison.plot.spectra(3).data


@pytest.mark.usefixtures("_installed")
@pytest.mark.parametrize(
    ("name", "sentence"),
    {
        "list": "There is no plotting backend “list” (did you mean “lists”?): no installed package brings one of that "
        "name, and it is no module.",
        "raising": "The plotting backend “raising” cannot be loaded: no display.",
        "needing": "The plotting backend “needing” cannot be loaded: No module named 'nowhere_to_be_found'.",
        "needing_backend": "The plotting backend “needing_backend” cannot be loaded: No module named "
        "'nowhere_to_be_found'.",
    }.items(),
)
def test_what_cannot_be_loaded_is_refused_and_nothing_changes(name: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=f"^{re.escape(sentence)}$"):
        plotting.use(name)
    assert comparison_of(1).plot("token_cosine").data


@pytest.mark.usefixtures("_installed")
def test_a_figure_that_a_backend_does_not_draw_is_refused_in_a_sentence() -> None:
    plotting.use("lists")
    sentence = "The plotting backend “lists” cannot draw this: it has no function “similarity”."
    with pytest.raises(SettingsError, match=f"^{re.escape(sentence)}$"):
        comparison_of(1).baseline.plot.similarity()
