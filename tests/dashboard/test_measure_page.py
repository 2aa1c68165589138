"""The page as a user meets it, without a browser: every control, and every kind of bad input."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from oversmooth import Settings, measure, metrics
from oversmooth.dashboard.controls.declared import MAIN_METRICS
from oversmooth.dashboard.controls.texts import examples
from oversmooth.service import launch
from oversmooth.service.engine.engine import close_shared_engine

SHORT = "The cat sat on the mat and looked at the rain."


@pytest.fixture(scope="module", autouse=True)
def _one_engine() -> Iterator[None]:
    """All pages of this module share one worker, as the sessions of a server do."""
    yield
    close_shared_engine()


def opened(text: str | None = None, model: str | None = None) -> AppTest:
    page = AppTest.from_file(str(launch.script()), default_timeout=120)
    if text is not None:
        page.session_state["text"] = text
    if model is not None:
        page.session_state["model"] = model
    return page.run()


def figure(page: AppTest, key: str) -> dict[str, Any]:
    """The plotly figure of the chart with that key."""
    charts = [chart for chart in page.get("plotly_chart") if chart.proto.id.endswith(f"chart_{key}")]
    assert len(charts) == 1, key
    found: dict[str, Any] = json.loads(charts[0].proto.spec)
    return found


def shown(markdown: str) -> str:
    """What a reader sees of escaped Markdown."""
    return markdown.replace("\\", "").replace("\u2060", "")


def words(page: AppTest) -> str:
    """Everything the page says in callouts, headings and captions."""
    groups = (page.header, page.error, page.warning, page.info, page.caption)
    return shown("\n".join(str(element.value) for group in groups for element in group))


def sound(page: AppTest) -> AppTest:
    assert not page.exception
    assert "Traceback" not in words(page)
    return page


def test_the_first_open_shows_the_default_model_on_an_example() -> None:
    page = sound(opened())
    expected = measure(Settings.of(texts=examples()[0].text, device="cpu"))
    curve = expected.curve("token_cosine")
    assert shown(page.header[0].value).startswith("Tokens grow alike: mean cosine")
    assert f"{curve['embedding']:.2f} → {curve['5']:.2f}" in shown(page.header[0].value)
    assert [tile.label for tile in page.metric] == [
        "Token cosine similarity",
        "Effective rank",
        "Explained variance EV₁",
        "High-frequency share",
    ]
    drawn = max(figure(page, "curve")["data"], key=lambda trace: len(trace["x"]))
    assert [float(value) for value in drawn["y"]] == pytest.approx(list(curve.values()), rel=1e-6)
    figure(page, "similarity")
    figure(page, "spectrum")


def test_a_metric_that_is_not_usual_is_measured_once_it_is_chosen() -> None:
    page = opened(SHORT)
    page.session_state["numbers"] = True
    sound(page.run())
    assert "Prompt entropy, as published" in page.multiselect(key="metrics").options
    assert "Prompt entropy, as published" not in page.dataframe[-1].value.columns
    sound(page.multiselect(key="metrics").select("prompt_entropy").run())
    expected = measure(Settings.of(texts=SHORT, metrics="prompt_entropy", device="cpu")).curve("prompt_entropy")
    drawn = max(figure(page, "small_prompt_entropy")["data"], key=lambda trace: len(trace["x"]))
    assert [float(value) for value in drawn["y"]] == pytest.approx(list(expected.values()), rel=1e-6)
    sound(page.multiselect(key="metrics").unselect("prompt_entropy").run())
    assert not [chart for chart in page.get("plotly_chart") if "prompt_entropy" in chart.proto.id]


def test_what_is_folded_is_drawn_when_it_is_opened() -> None:
    page = opened(SHORT)
    assert [len(each) for each in (page.dataframe, page.code, page.latex)] == [0, 0, 0]
    for key in ("tokens", "numbers", "records", "definitions"):
        page.session_state[key] = True
    sound(page.run())
    tokens, curves = (each.value for each in page.dataframe)
    expected = measure(Settings.of(texts=SHORT, device="cpu"))
    assert list(tokens["id"]) == [token.id for token in expected.shown.items]
    assert list(curves["Token cosine similarity"]) == pytest.approx(list(expected.curve("token_cosine").values()))
    assert json.loads(page.code[0].value)["model"] == json.loads(expected.record.to_json())["model"]
    assert {each.value.strip("$\n ") for each in page.latex} == {metrics.get(name).formula for name in MAIN_METRICS}


def test_a_chart_tells_its_finding_to_a_screen_reader() -> None:
    page = opened()
    for chart in page.get("plotly_chart"):
        assert len(chart.proto.alt) > 30
    assert "0.3" in next(chart for chart in page.get("plotly_chart") if "chart_curve" in chart.proto.id).proto.alt


def test_special_tokens_can_be_counted() -> None:
    page = opened(SHORT)
    assert "12 tokens measured (2 special tokens left out)" in words(page)
    page.toggle(key="special_tokens").set_value(True).run()
    assert "14 tokens measured" in words(sound(page))
    assert "left out" not in page.caption[1].value


def test_metrics_are_chosen_and_drawn_in_the_registry_order() -> None:
    page = opened(SHORT)
    assert tuple(page.multiselect(key="metrics").value) == MAIN_METRICS
    page.multiselect(key="metrics").set_value(["mean_norm", "stable_rank"]).run()
    assert [tile.label for tile in sound(page).metric] == ["Stable rank", "Mean token norm"]
    page.multiselect(key="metrics").set_value([]).run()
    assert "Choose at least one metric" in words(sound(page))


def test_the_layer_slider_changes_map_and_spectrum() -> None:
    page = opened(SHORT)
    before = figure(page, "similarity")["data"][0]["z"], figure(page, "spectrum")["data"]
    page.select_slider(key="layer").set_value("0").run()
    after = figure(sound(page), "similarity")["data"][0]["z"], figure(page, "spectrum")["data"]
    assert before[0] != after[0]
    assert before[1] != after[1]


@pytest.mark.parametrize(("control", "choice"), [("scale", "Linear"), ("form", "Centred")])
def test_the_spectrum_has_two_scales_and_two_forms(control: str, choice: str) -> None:
    page = opened(SHORT)
    before = figure(page, "spectrum")
    page.segmented_control(key=control).set_value(choice).run()
    assert figure(sound(page), "spectrum") != before


def test_an_example_fills_the_text_box() -> None:
    page = opened()
    page.selectbox(key="example").set_value("中文").run()
    assert (page.text_area(key="text").value or "").startswith("清晨的市场")
    assert "The model's vocabulary does not know" in words(sound(page))


def test_every_example_is_measured() -> None:
    page = opened()
    for example in examples():
        page.selectbox(key="example").set_value(example.title).run()
        assert not sound(page).error, example.title
        assert page.header


def test_a_text_file_fills_the_text_box() -> None:
    page = opened()
    page.file_uploader(key="upload").set_value(("note.txt", b"Ein Vogel sang im Baum.", "text/plain")).run()
    assert sound(page).text_area(key="text").value == "Ein Vogel sang im Baum."


def test_a_file_that_is_no_text_is_refused_and_the_text_stays() -> None:
    page = opened(SHORT)
    page.file_uploader(key="upload").set_value(("note.txt", b"\xff\xfe\x00", "text/plain")).run()
    assert "not UTF-8" in words(sound(page))
    assert page.text_area(key="text").value == SHORT


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "The text is empty"),
        (" \n\t ", "The text is empty"),
        ("\x00\x01", "no content tokens"),
        ("word", "needs at least two tokens"),
        ("<script>alert(1)</script> <b>bold</b> [x](http://example.org)", "tokens measured"),
        ("a\u202egnp.exe\u200b b\u0301 \ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"), "measured"),
        ("مرحبا بالعالم שלום", "tokens measured"),
        ("👩‍🚀🎉🙏", "measured"),
    ],
)
def test_any_text_gets_numbers_or_one_sentence(text: str, said: str) -> None:
    assert said in words(sound(opened(text)))


def test_a_long_text_is_cut_and_the_page_says_where() -> None:
    page = opened("the river and the stone " * 300)
    assert "the first 512 of 1,502 tokens were measured" in words(sound(page))
    page.number_input(key="max_tokens").set_value(40).run()
    assert "the first 40 tokens were measured" in words(sound(page))


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("no such model", "no such model"),
        ("../../etc/passwd", "etc/passwd"),
        ("http://example.org/model", "http://example.org/model"),
        ("![x](http://example.org/a.png)", "![x](http://example.org/a.png)"),
    ],
)
def test_an_unknown_model_is_one_sentence_and_the_next_run_works(model: str, said: str) -> None:
    page = opened(SHORT, model)
    assert said in shown(page.error[0].value)
    assert not page.exception
    page.selectbox(key="model").set_value("all-MiniLM-L6-v2").run()
    assert sound(page).header


def test_a_metric_without_a_value_says_so_in_its_tile() -> None:
    page = sound(opened("word"))
    assert {tile.label: tile.value for tile in page.metric} == {
        "Token cosine similarity": "missing",
        "Effective rank": "1 → 1",
        "Explained variance EV₁": "1 → 1",
        "High-frequency share": "missing",
    }
    assert {tile.delta for tile in page.metric} == {"no change"}


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    page = opened(SHORT, str(tmp_path))
    assert len(page.error) == 1
    assert str(tmp_path) in shown(page.error[0].value)


def test_a_device_that_is_not_there_is_one_sentence() -> None:
    page = opened(SHORT)
    page.selectbox(key="device").set_value("mps").run()
    assert len(page.error) == 1
    assert not page.exception
