"""Links and settings files on both pages: what comes in is what is drawn, and what is wrong is told."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from streamlit.testing.v1 import AppTest
from tiny import WORDS, head, minilm, tokenizer

from oversmooth import Settings, compare, measure
from oversmooth.dashboard.controls.variants import NEWCOMER
from oversmooth.report.export.bundle import zipped
from oversmooth.results.comparison_settings import ComparisonSettings
from oversmooth.service import launch
from oversmooth.service.engine.engine import close_shared_engine

SHORT = "The cat sat on the mat and looked at the rain."


@pytest.fixture(scope="module", autouse=True)
def _one_engine() -> Iterator[None]:
    """All pages of this module share one worker, as the sessions of a server do."""
    yield
    close_shared_engine()


def opened(query: str = "", page: str = "measure") -> AppTest:
    """A fresh session at an address."""
    app = AppTest.from_file(str(launch.script()), default_timeout=120)
    for name, values in parse_qs(query, keep_blank_values=True).items():
        app.query_params[name] = values
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    return app


def address(app: AppTest) -> str:
    return urlencode(app.query_params, doseq=True)


def shown(app: AppTest) -> str:
    found = "\n".join(str(each.value) for group in (app.info, app.error, app.header, app.caption) for each in group)
    return found.replace("\\", "").replace("\u2060", "")


def charts(app: AppTest) -> dict[str, Any]:
    """Every figure of the page, by its key."""
    return {each.proto.id.split("chart_")[1]: json.loads(each.proto.spec) for each in app.get("plotly_chart")}


def test_what_is_usual_leaves_the_address_empty() -> None:
    assert address(opened()) == ""
    assert address(opened(page="compare")) == ""


def test_every_control_of_a_measurement_travels_in_its_address() -> None:
    page = opened(urlencode({"text": SHORT}))
    page.toggle(key="special_tokens").set_value(True)
    page.selectbox(key="device").set_value("cpu")
    page.selectbox(key="precision").set_value("float64")
    page.number_input(key="max_tokens").set_value(9)
    page.multiselect(key="metrics").set_value(["rankme", "mean_norm"])
    page.select_slider(key="layer").set_value("2")
    page.segmented_control(key="scale").set_value("Linear")
    page.segmented_control(key="form").set_value("Centred")
    page.run()
    assert parse_qs(address(page)) == {
        "text": [SHORT],
        "special_tokens": ["yes"],
        "device": ["cpu"],
        "precision": ["float64"],
        "max_tokens": ["9"],
        "curve": ["rankme", "mean_norm"],
        "layer": ["2"],
        "scale": ["Linear"],
        "form": ["Centred"],
    }
    again = opened(address(page))
    assert charts(again) == charts(page)
    assert address(again) == address(page)
    expected = measure(Settings.of(texts=SHORT, special_tokens=True, max_tokens=9, device="cpu"), model=minilm())
    drawn = max(charts(again)["curve"]["data"], key=lambda trace: len(trace["x"]))
    assert [float(value) for value in drawn["y"]] == pytest.approx(list(expected.curve("rankme").values()), rel=1e-6)


def test_several_texts_travel_in_the_address_and_are_drawn() -> None:
    texts = [SHORT, "A bird sang in the tree by the river.", "It rained."]
    page = opened(urlencode({"text": texts}, doseq=True))
    assert page.text_area(key="several texts").value == "\n".join(texts)
    page.selectbox(key="shown").set_value(1)
    page.toggle(key="lines").set_value(True)
    page.run()
    assert parse_qs(address(page)) == {"text": texts, "shown": ["1"], "lines": ["yes"]}
    again = opened(address(page))
    assert charts(again) == charts(page)
    expected = [measure(Settings.of(texts=text, device="cpu"), model=minilm()).curve("token_cosine") for text in texts]
    means = [sum(each) / 3 for each in zip(*(curve.values() for curve in expected), strict=True)]
    (thin,) = (each["y"] for each in charts(again)["curve"]["data"] if each["mode"] == "lines")
    (strong,) = (each["y"] for each in charts(again)["curve"]["data"] if each["mode"] == "lines+markers")
    assert strong == pytest.approx(means, rel=1e-4)
    # A gap after each text.
    each_text = [value for curve in expected for value in (*curve.values(), None)]
    assert [value for value in thin if value] == pytest.approx([value for value in each_text if value], rel=1e-4)
    assert [value is None for value in thin] == [value is None for value in each_text]
    assert "Map and spectrum of text 2 of 3, chosen in the sidebar: “A bird sang in the tree by the river.”" in shown(
        page
    )
    assert "25 tokens measured in 3 texts (6 special tokens left out)" in shown(page)


def test_every_control_of_a_comparison_travels_in_its_address() -> None:
    page = opened(urlencode({"text": SHORT}), "compare")
    page.selectbox(key="add_variant").set_value("Another text").run()
    page.text_area(key="7.text").set_value("A bird sang in the tree by the river.\nIt rained.").run()
    page.toggle(key="7.each_line").set_value(True).run()
    page.text_input(key="7.name").set_value("birds & <b>").run()
    page.button_group(key="chosen_variant").set_value(page.button_group(key="chosen_variant").options[1]).run()
    page.slider(key="1.softdecay.blend").set_value(0.5).run()
    page.multiselect(key="compared_metrics").set_value(["rankme", "cka_to_baseline"])
    page.button_group(key="mapped").set_value(page.button_group(key="mapped").options[2])
    page.selectbox(key="fidelity").set_value("pooled_cosine_to_baseline")
    page.selectbox(key="diversity").set_value("stable_rank")
    page.select_slider(key="layer").set_value("3")
    page.run()
    query = parse_qs(address(page))
    assert query["variant"][:3] == ["softdecay:blend=0.5", "neutreno", "attnscale"]
    assert json.loads(query["variant"][3]) == {
        "label": "birds & <b>",
        "texts": ["A bird sang in the tree by the river.", "It rained."],
    }
    assert {name: query[name] for name in ("mapped", "across", "upwards", "layer", "curve")} == {
        "mapped": ["attnscale"],
        "across": ["pooled_cosine_to_baseline"],
        "upwards": ["stable_rank"],
        "layer": ["3"],
        "curve": ["rankme", "cka_to_baseline"],
    }
    again = opened(address(page), "compare")
    assert charts(again) == charts(page)
    assert address(again) == address(page)
    assert again.slider(key="1.softdecay.blend").value == 0.5


def test_the_address_of_one_page_sets_what_is_shared_on_the_others() -> None:
    page = opened(
        urlencode({"text": ["A cat sat.", "He rested."], "lines": "yes", "scale": "Linear"}, doseq=True), "compare"
    )
    page = page.switch_page("pages/measure.py").run()
    assert page.toggle(key="lines").value is True
    assert page.segmented_control(key="scale").value == "Linear"


def test_no_variants_and_the_controls_of_the_baseline_travel_too() -> None:
    page = opened(urlencode({"text": SHORT, "variant": "none"}), "compare")
    assert len(page.button_group(key="chosen_variant").options) == 1
    page = opened(urlencode({"text": SHORT, "edited": "0", "controls": "yes"}), "compare")
    assert "The baseline is the model and the text of the sidebar" in shown(page)
    assert page.toggle(key="with_controls").value is True
    assert parse_qs(address(page)) == {"text": [SHORT], "edited": ["0"], "controls": ["yes"]}


@pytest.mark.parametrize(
    ("query", "page", "notice"),
    [
        ({"device": "gpu"}, "measure", "The setting “device”: "),
        ({"layer": "77"}, "measure", "The link asks for layer “77”, which the model does not have."),
        ({"layer": "zz"}, "compare", "The link asks for layer “zz”, which the model does not have."),
        ({"curve": "cka_to_baseline"}, "measure", "cka_to_baseline can be drawn beside a baseline alone."),
        ({"points": "all"}, "measure", "The page has no control for “points”"),
        ({"mitigation": "gfsa"}, "measure", "The page has no control for “mitigations”"),
        ({"variant": "softdecai"}, "compare", "Variant 1 of the link is left out: "),
        ({"left_out": "text"}, "measure", "The link leaves out the text"),
        ({"<b>x</b>": "1"}, "measure", "The link names “<b>x</b>”, which is no control."),
    ],
)
def test_what_a_link_asks_in_vain_is_told_and_the_page_is_drawn(query: dict[str, str], page: str, notice: str) -> None:
    app = opened(urlencode({"text": SHORT, "special_tokens": "yes", **query}), page)
    assert notice in shown(app)
    assert charts(app)
    assert parse_qs(address(app))["special_tokens"] == ["yes"]
    if notice.startswith("The link asks"):
        return  # said once, beside the slider
    app.button(key="told_close").click().run()
    assert notice not in shown(app)


def test_a_value_at_the_very_end_of_its_range_can_be_drawn() -> None:
    app = opened(urlencode({"text": SHORT, "max_tokens": "1", "variant": "softdecay:alpha=-1e-9"}), "compare")
    assert app.number_input(key="max_tokens").value == 1
    assert not app.exception


def test_a_variant_that_cannot_be_measured_is_no_part_of_the_link() -> None:
    page = opened(urlencode({"text": SHORT}), "compare")
    page.text_input(key="1.softdecay.layers").set_value("?").run()
    assert parse_qs(address(page))["variant"] == ["neutreno", "attnscale"]
    assert "The link leaves out “softdecay:layers=?”, which cannot be measured." in shown(page)


def test_a_long_text_stays_out_of_the_link_and_the_page_says_so() -> None:
    page = opened()
    page.text_area(key="text").set_value("the river and the stone " * 100).run()
    assert parse_qs(address(page)) == {"left_out": ["text"]}
    assert "The link leaves out the text, too long for an address. The settings file holds all." in shown(page)


# Settings files


def dropped(app: AppTest, name: str, content: bytes) -> AppTest:
    app.file_uploader(key="settings_file").set_value((name, content, "application/octet-stream")).run()
    assert not app.exception
    return app


def test_the_settings_of_a_measurement_set_the_controls() -> None:
    settings = Settings.of(texts=SHORT, special_tokens=True, device="cpu", max_tokens=9, metrics=["rankme"])
    page = dropped(opened(), "settings.json", settings.to_json().encode())
    assert "The controls are set as settings.json says." in shown(page)
    assert "9 tokens measured" in shown(page)
    assert page.multiselect(key="metrics").value == ["rankme"]
    assert page.text_area(key="text").value == SHORT


def comparison() -> ComparisonSettings:
    baseline = Settings.of(texts=SHORT, device="cpu")
    own = Settings.of(texts="A bird sang in the tree by the river.", device="cpu", fidelity=True)
    result = compare(baseline, {"mine": "softdecay:blend=0.5", "birds": own}, model=minilm())
    return ComparisonSettings.of(result)


def test_the_settings_of_a_comparison_open_its_page() -> None:
    bundled = zipped({"record.json": b"{}", "settings.json": comparison().to_json().encode()})
    page = dropped(opened(), "bundle.zip", bundled)
    assert [
        trace["name"] for trace in charts(page)["compared_curve"]["data"] if trace.get("mode") == "lines+markers"
    ] == [
        "baseline",
        "mine",
        "birds",
    ]
    assert page.slider(key="1.softdecay.blend").value == 0.5
    assert "The controls are set as bundle.zip says." in shown(page)


def test_a_measurement_with_mitigations_opens_beside_itself_without_them() -> None:
    settings = Settings.of(texts=SHORT, device="cpu", mitigations=["gfsa"])
    page = dropped(opened(page="compare"), "settings.json", settings.to_json().encode())
    assert list(parse_qs(address(page))["variant"]) != list(NEWCOMER)
    assert len(page.button_group(key="chosen_variant").options) == 2


def test_what_the_page_has_no_control_for_is_told() -> None:
    settings = Settings.of(texts=[SHORT, "Another text\nof two lines."], points="all", revision="v1", device="cpu")
    page = dropped(opened(), "settings.json", settings.to_json().encode())
    assert "Texts of the link or the settings\n2 texts, about 16 words" in shown(page)
    assert "tokens measured in 2 texts" in shown(page)
    assert "The page has no control for “revision” and “points”" in shown(page)


def test_a_wrong_file_takes_back_what_was_said_of_the_one_before() -> None:
    page = dropped(opened(), "good.json", Settings.of(texts=SHORT).to_json().encode())
    assert "The controls are set as good.json says." in shown(page)
    dropped(page, "bad.json", b"{")
    assert "The controls are set" not in shown(page)
    assert "bad.json: this is not JSON" in shown(page)


def test_the_loss_is_in_the_address_and_back_for_a_model_with_a_head(tmp_path: Path) -> None:
    head("gpt2").save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    query = {"model": str(tmp_path), "text": " ".join(WORDS), "language_model": "yes", "variant": "none"}
    page = opened(urlencode(query), "compare")
    assert page.toggle(key="language_model").value
    assert parse_qs(address(page)) == {name: [value] for name, value in query.items()}


def locked() -> bytes:
    """A zip whose entry says that it is encrypted."""
    content = bytearray(zipped({"settings.json": b"{}"}))
    for place in (content.index(b"PK\x03\x04") + 6, content.index(b"PK\x01\x02") + 8):
        content[place] |= 1
    return bytes(content)


def swollen() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("settings.json", b" " * 50_000_000)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("settings.json", b"\x89PNG", "settings.json: this is not JSON"),
        ("settings.json", b"[" * 100_000, "settings.json: this is not JSON"),
        ("settings.json", b"[1]", "expected a JSON object"),
        ("settings.json", b'{"schema_version": 2, "texts": ["a"]}', "written by a newer Oversmooth"),
        (
            "settings.json",
            b'{"texts": ["a"], "modell": "x"}',
            "There is no setting named “modell” (did you mean “model”?)",
        ),
        ("settings.json", b'{"baseline": {"texts": ["a"], "device": "x"}}', "the baseline: The setting “device”"),
        ("data.json", b"{" + b",".join(b'"f%d": 1' % i for i in range(500)) + b"}", "There is no setting named “f0”"),
        ("bundle.zip", b"PK\x03\x04 and no more", "this zip cannot be read"),
        ("bundle.zip", zipped({"other.json": b"{}"}), "there is no settings.json in this zip"),
        ("bundle.zip", locked(), "this zip cannot be read"),
        ("bundle.zip", swollen(), "settings have at most 1,000,000 bytes"),
    ],
)
def test_a_wrong_file_is_one_sentence_and_changes_nothing(name: str, content: bytes, why: str) -> None:
    page = opened(urlencode({"text": SHORT, "layer": "2"}))
    before = charts(page), address(page)
    dropped(page, name, content)
    (error,) = page.error
    assert why in error.value.replace("\\", "")
    assert len(error.value) < 800
    assert (charts(page), address(page)) == before
