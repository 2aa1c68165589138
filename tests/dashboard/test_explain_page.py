"""The page that explains, as a user meets it without a browser: sentences, charts, what is missing, links, the toy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from families import build
from streamlit.testing.v1 import AppTest
from tiny import minilm, tokenizer

from oversmooth import Measurement, Settings, measure
from oversmooth.report.findings.explanations import explanation_headline, where
from oversmooth.report.findings.readings import readings
from oversmooth.report.findings.whether import whether
from oversmooth.service import launch
from oversmooth.service.engine import Engine, Handle
from oversmooth.service.engine.engine import close_shared_engine

TEXTS = (
    "The cat sat on the mat and looked at the rain.",
    "A court may refuse to hear the appeal of a party in default.",
)
CHARTS = (
    *("waterfall", "gains", "attention", "adjacent", "norms", "bound", "eigenvalues", "dominance"),
    *("spectrum_cdf", "within_between", "layer_cka", "token_identity_retrieval", "toy"),
)


@pytest.fixture(scope="module", autouse=True)
def _one_engine() -> Iterator[None]:
    """All pages of this module share one worker, as the sessions of a server do."""
    yield
    close_shared_engine()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """What was asked of the engine; empty it before the step that counts."""
    found: list[Settings] = []
    submit = Engine.submit

    def noted(engine: Engine, settings: Settings, owner: str | None = None) -> Handle[Measurement]:
        handle = submit(engine, settings, owner)
        if not handle.done():
            found.append(settings)
        return handle

    monkeypatch.setattr(Engine, "submit", noted)
    return found


def opened(*texts: str, query: str = "", **state: Any) -> AppTest:
    """A fresh session, reading these texts or what an address asks for."""
    page = AppTest.from_file(str(launch.script()), default_timeout=120)
    if texts:
        state |= {"explain_source": "Several texts", "several texts": "\n".join(texts)}
    for key, value in state.items():
        page.session_state[key] = value
    for name, values in parse_qs(query, keep_blank_values=True).items():
        page.query_params[name] = values
    page.switch_page("pages/explain.py").run()
    assert not page.exception
    return page


def said(page: AppTest) -> str:
    groups = (page.header, page.subheader, page.error, page.warning, page.info, page.caption, page.markdown)
    found = "\n".join(str(element.value) for group in groups for element in group)
    return found.replace("\\", "").replace("\u2060", "")


def figures(page: AppTest) -> dict[str, Any]:
    return {each.proto.id.split("chart_")[1]: json.loads(each.proto.spec) for each in page.get("plotly_chart")}


def test_the_page_says_where_why_and_whether_with_a_chart_of_each() -> None:
    page = opened(*TEXTS)
    settings = Settings.of(texts=TEXTS, explanation=True, similarity=False, device="cpu")
    expected = measure(settings, model=minilm())
    told = said(page)
    for sentence in (explanation_headline(expected), *where(expected), *whether(expected)):
        assert sentence in told
    for reading in readings(expected):
        for label, sentence in reading.labelled:
            assert f"- **{label}**: {sentence}" in told
    assert set(CHARTS) <= set(figures(page))
    assert all(len(chart.proto.alt) > 30 for chart in page.get("plotly_chart"))


def test_at_first_it_reads_the_sentences_that_come_along() -> None:
    page = opened()
    assert page.selectbox(key="explain_source").value == "64 sentences"
    assert "in 64 texts" in said(page)
    assert dict(page.query_params) == {}


def test_one_text_alone_is_told_not_to_be_enough_and_the_rest_is_drawn() -> None:
    page = opened(**{"explain_source": "One text", "text": TEXTS[0]})
    assert "cannot be told apart here" in said(page)
    assert {"waterfall", "attention", "bound", "toy"} <= set(figures(page))


def test_a_family_whose_circuits_are_not_known_says_so_and_shows_the_rest(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    build("bloom").save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    page = opened("the cat sat on mat", "dog saw rain and sun", model=str(folder))
    told = said(page)
    assert "not known for the family “bloom”" in told
    assert "The bound is of blocks with a norm after each addition" in told
    drawn = set(figures(page))
    assert {"waterfall", "attention", "norms", "bound", "spectrum_cdf", "within_between"} <= drawn
    assert not {"eigenvalues", "dominance"} & drawn


def test_what_cannot_be_measured_is_one_sentence_above_the_toy() -> None:
    page = opened(*TEXTS, model="no-such-model-anywhere")
    assert len(page.error) == 1
    assert set(figures(page)) == {"toy"}
    page = opened(**{"explain_source": "Several texts", "several texts": "\n \n"})
    assert len(page.error) == 1
    assert "toy" in figures(page)


def only_the_toy() -> None:
    from oversmooth.dashboard.controls import address, restoring
    from oversmooth.dashboard.controls.state import enter
    from oversmooth.dashboard.explain import toy as explain_toy
    from oversmooth.results.settings import Settings

    enter("explain")
    settings = restoring.usual("explain")
    assert isinstance(settings, Settings)
    address.write(settings)
    explain_toy.draw_toy()


def test_the_toy_tells_its_three_limits_apart() -> None:
    page = AppTest.from_function(only_the_toy, default_timeout=30).run()
    assert "Input convergence after 200 steps" in said(page)
    page.slider(key="toy_range").set_value((-1.0, -0.2))
    page.select_slider(key="toy_depth").set_value(2000).run()
    assert "Rank collapse without input convergence" in said(page)
    page.toggle(key="toy_residual").set_value(False).run()
    assert "Input convergence after 2,000 steps" in said(page)
    page.slider(key="toy_range").set_value((0.0, 0.0)).run()
    assert "no token is left" in said(page)
    assert "toy" not in figures(page)
    assert not page.exception


def test_every_control_redraws_without_a_model_and_travels_in_the_address(asked: list[Settings]) -> None:
    page = opened(*TEXTS)
    before = figures(page)
    asked.clear()
    page.selectbox(key="explained_metric").set_value("rankme")
    page.selectbox(key="explained_steps").set_value("stream")
    page.selectbox(key="attention_quantity").set_value("attention_diagonal_mass")
    page.toggle(key="beyond_null").set_value(True)
    page.select_slider(key="layer").set_value("1")
    page.slider(key="toy_range").set_value((-0.5, 0.25))
    page.toggle(key="toy_residual").set_value(False)
    page.select_slider(key="toy_depth").set_value(50)
    page.number_input(key="toy_seed").set_value(7)
    page.run()
    query = urlencode(page.query_params, doseq=True)
    assert parse_qs(query) == {
        "text": list(TEXTS),
        "explained": ["rankme"],
        "steps": ["stream"],
        "attention": ["attention_diagonal_mass"],
        "null": ["yes"],
        "layer": ["1"],
        "toy_low": ["-0.5"],
        "toy_high": ["0.25"],
        "toy_residual": ["no"],
        "toy_depth": ["50"],
        "toy_seed": ["7"],
    }
    after = figures(page)
    assert all(after[key] != before[key] for key in ("waterfall", "attention", "eigenvalues", "toy"))
    assert after["within_between"] == before["within_between"]
    assert "the RankMe, more than any other step" in said(page)
    assert asked == []
    again = opened(query=query)
    assert urlencode(again.query_params, doseq=True) == query
    assert figures(again) == after


def test_a_wrong_link_is_told_and_the_rest_of_it_stands() -> None:
    query = {"text": TEXTS[0], "explained": "nothing", "attention": "heat", "toy_low": "-9", "toy_depth": "20"}
    page = opened(query=urlencode(query))
    told = said(page)
    assert "there is no metric named “nothing”" in told
    assert "there is no quantity of attention named “heat”" in told
    assert "“toy_low” in the link cannot be “-9”" in told
    assert page.select_slider(key="toy_depth").value == 20
    assert page.slider(key="toy_range").value == (0.0, 1.0)


def test_the_reading_of_another_page_keeps_its_own_source() -> None:
    page = opened(*TEXTS, text="The dog saw the river and the bread.")
    page.switch_page("pages/measure.py").run()
    assert not page.exception
    assert page.selectbox(key="source").value == "One text"
