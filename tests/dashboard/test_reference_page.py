"""The reference page as a user meets it, without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from tiny import minilm

from oversmooth import compare, metrics
from oversmooth.dashboard.controls.restoring import usual
from oversmooth.dashboard.reference import page as reference_methods
from oversmooth.dashboard.reference.matrices import PRESETS, SPREAD
from oversmooth.dashboard.reference.page import TEXT
from oversmooth.report import glossary
from oversmooth.results.comparison_settings import ComparisonSettings
from oversmooth.results.permalink import from_query
from oversmooth.results.settings import Settings
from oversmooth.service import launch
from oversmooth.service.engine.engine import close_shared_engine


@pytest.fixture(scope="module", autouse=True)
def _one_engine() -> Iterator[None]:
    yield
    close_shared_engine()


def opened(entry: str = "") -> AppTest:
    page = AppTest.from_file(str(launch.script()), default_timeout=120)
    if entry:
        page.query_params["entry"] = entry
    return sound(page.switch_page("pages/reference.py").run())


def sound(page: AppTest) -> AppTest:
    assert not page.exception
    return page


def words(page: AppTest) -> str:
    groups: tuple[Any, ...] = (page.header, page.markdown, page.warning, page.error, page.info, page.caption)
    found = "\n".join(str(element.value) for group in groups for element in group)
    return found.replace("\\", "").replace("\u2060", "")


def listed(page: AppTest) -> list[str]:
    """Names of the entries of the list."""
    known = {f"reference_{entry.name}": entry.name for entry in glossary.entries()}
    return [known[button.key] for button in page.button if button.key in known]


def tiles(page: AppTest) -> dict[str, str]:
    return {tile.label: tile.value for tile in page.metric}


def link(page: AppTest) -> str:
    """The address that “Open in Compare” leads to."""
    (button,) = page.get("link_button")
    address: str = button.proto.url
    return address


def test_the_list_holds_everything_and_opens_an_entry() -> None:
    page = opened()
    assert listed(page) == [entry.name for entry in glossary.entries()]
    page.button(key="reference_stable_rank").click().run()
    assert sound(page).header[0].value == "Stable rank"
    assert page.query_params["entry"] == "stable_rank"
    assert listed(page) == []
    page.button(key="reference_all").click().run()
    assert "entry" not in page.query_params
    assert len(listed(page)) == len(glossary.entries())


def test_searching_and_kinds_narrow_the_list_and_stay_while_an_entry_is_read() -> None:
    page = opened()
    page.text_input(key="reference_search").set_value("Yan 2022").run()
    assert "softdecay" in listed(page)
    assert "token_cosine" not in listed(page)
    page.pills(key="reference_kinds").set_value([glossary.Kind.INFERENCE]).run()
    assert listed(page) == ["softdecay"]
    page.query_params["entry"] = "rankme"
    page.run()
    page.button(key="reference_all").click().run()
    assert listed(page) == ["softdecay"]


@pytest.mark.parametrize(
    "search", ["tokn cosine similarity", "<b>*x*</b> $x$ ![i](http://a.example/b.png)", "\u202e\x00"]
)
def test_a_search_without_a_find_says_so(search: str) -> None:
    page = opened()
    page.text_input(key="reference_search").set_value(search).run()
    assert listed(sound(page)) == []
    assert "Nothing of the chosen kinds mentions" in words(page)
    assert [button.label for button in page.button] == ["Nearest: Token cosine similarity"] * search.startswith("tokn")


def test_an_unknown_entry_is_told_with_the_nearest_and_the_list() -> None:
    page = opened("effective_rnk")
    assert "The reference has no entry “effective_rnk”." in words(page)
    assert len(listed(page)) == len(glossary.entries())
    page.button(key="reference_nearest").click().run()
    assert sound(page).header[0].value == "Effective rank"


@pytest.mark.parametrize("entry", ["<script>alert(1)</script>", "x" * 5000, "\u202e\x00", "../measure"])
def test_any_address_gives_the_list(entry: str) -> None:
    page = opened(entry)
    assert "The reference has no entry" in words(page)
    assert len(words(page).split("no entry")[1].splitlines()[0]) < 60
    assert len(listed(page)) == len(glossary.entries())


def test_every_entry_says_all_that_is_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_methods, "await_comparison", lambda *_: None)
    page = opened()
    for entry in glossary.entries():
        page.query_params["entry"] = entry.name
        said = words(sound(page.run())).replace("**", "")
        assert page.latex[0].value.strip("$\n ") == entry.formula
        assert entry.tells in said
        assert entry.caveat in said
        assert f"`{entry.name}`" in said
        if entry.paper is not None:
            assert f"]({entry.paper.url}): {entry.paper.title}" in said
        if entry.method is None:
            assert f"in {entry.range_text}" in said
        else:
            parameters = page.table[0].value
            assert [cell.strip("`") for cell in parameters["parameter"]] == list(entry.method.parameters())
            position = f"In its paper: {entry.method.declaration.paper_position}."
            assert (position in said) == (entry.paper is not None)


@pytest.mark.parametrize("preset", [SPREAD, "One outlier"])
def test_a_metric_is_computed_of_the_matrix_on_screen(preset: str) -> None:
    page = opened("mean_norm")
    page.selectbox(key="reference_tokens").set_value(preset).run()
    expected = np.mean([np.sqrt(sum(value**2 for value in token)) for token in PRESETS[preset]])
    assert float(tiles(page)["Mean token norm"]) == pytest.approx(expected, rel=1e-3)
    assert len(page.table[0].value) == len(metrics.names())
    assert page.latex[1].value.startswith("$$\n\\bar{x} =")


def test_an_undefined_metric_gives_its_reason() -> None:
    page = opened("token_cosine_centred")
    page.selectbox(key="reference_tokens").set_value("All equal").run()
    assert tiles(page) == {"Centred token cosine similarity": "undefined"}
    assert "The cosine with a token equal to the mean token is not defined (4 of 4 tokens)." in words(page)


def test_a_number_beside_a_baseline_has_two_matrices() -> None:
    page = opened("cka_to_baseline")
    assert float(tiles(page)["Linear CKA to the baseline"]) < 1
    page.selectbox(key="reference_second").set_value("Spread, turned by 90°").run()
    assert tiles(page) == {"Linear CKA to the baseline": "1"}


def test_a_quantity_of_an_explanation_has_an_example_or_says_where_to_see_it() -> None:
    page = opened("contraction")
    sides = [np.array(PRESETS[str(page.selectbox(key=f"reference_{key}").value)]) for key in ("first", "second")]
    spread = [np.linalg.norm(tokens - tokens.mean(axis=0)) for tokens in sides]
    assert float(tiles(page)["Measured contraction"]) == pytest.approx(spread[1] / spread[0], rel=1e-3)
    page = opened("attention_entropy")
    assert tiles(page) == {}
    assert "the page Explain shows it" in words(page)


def test_a_mitigation_shows_what_compare_measures() -> None:
    page = opened("residual_scaling")
    baseline = Settings.of(texts=TEXT, metrics="token_cosine", device="cpu")
    expected = compare(baseline, ["residual_scaling"], model=minilm()).variants["residual_scaling"]
    for name in ("pooled_cosine_to_baseline", "cka_to_baseline"):
        shown = tiles(page)[f"{metrics.get(name).title}, block 5"]
        assert float(shown) == pytest.approx(expected.curve(name)["5"], abs=6e-4)
    before, after = map(float, tiles(page)["Token cosine similarity, block 5"].split(" → "))
    assert after == pytest.approx(expected.curve("token_cosine")["5"], abs=6e-3)
    assert before != after
    assert "residual_scaling" in page.get("plotly_chart")[0].proto.alt


def test_a_parameter_changes_the_example_and_the_link() -> None:
    page = opened("noise")
    before = tiles(page)
    asked = from_query(parse_qs(urlsplit(link(page)).query), usual("compare"))
    assert asked.notices == ()
    assert isinstance(asked.settings, ComparisonSettings)
    assert asked.settings.baseline.texts == (TEXT,)
    assert [label for label, _ in asked.settings.variants] == ["noise"]
    page.number_input(key="0.noise.ratio").set_value(0.5).run()
    assert tiles(sound(page)) != before
    asked = from_query(parse_qs(urlsplit(link(page)).query), usual("compare"))
    assert isinstance(asked.settings, ComparisonSettings)
    assert [label for label, _ in asked.settings.variants] == ["noise:ratio=0.5"]


def test_a_refused_parameter_is_a_sentence_and_the_rest_stays() -> None:
    page = opened("gfsa")
    page.text_input(key="0.gfsa.layers").set_value("99").run()
    assert "99" in words(sound(page))
    assert len(page.error) == 1
    page.text_input(key="0.gfsa.layers").set_value("none at all").run()
    assert page.error
    assert page.table
    assert not page.get("link_button")
