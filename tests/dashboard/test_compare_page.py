"""The page that compares, as a user meets it without a browser: variants, what re-runs, and every kind of bad input."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from families import build
from streamlit.testing.v1 import AppTest
from tiny import WORDS, head, minilm, tokenizer

from oversmooth import Measurement, Settings, compare
from oversmooth.dashboard.controls.variants import NEWCOMER
from oversmooth.service import launch
from oversmooth.service.engine import Engine, Handle
from oversmooth.service.engine.engine import close_shared_engine

SHORT = "The cat sat on the mat and looked at the rain."


@pytest.fixture(scope="module", autouse=True)
def _one_engine() -> Iterator[None]:
    """All pages of this module share one worker, as the sessions of a server do."""
    yield
    close_shared_engine()


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The requests that had no result yet; empty it before the step that counts."""
    found: list[Settings] = []
    submit = Engine.submit

    def noted(engine: Engine, settings: Settings, owner: str | None = None) -> Handle[Measurement]:
        handle = submit(engine, settings, owner)
        if not handle.done():
            found.append(settings)
        return handle

    monkeypatch.setattr(Engine, "submit", noted)
    return found


def opened(text: str = SHORT, **state: Any) -> AppTest:
    page = AppTest.from_file(str(launch.script()), default_timeout=120)
    for key, value in {"text": text, **state}.items():
        page.session_state[key] = value
    return page.switch_page("pages/compare.py").run()


def sound(page: AppTest) -> AppTest:
    assert not page.exception
    return page


def shown(markdown: str) -> str:
    """What a reader sees of escaped Markdown."""
    return markdown.replace("\\", "").replace("\u2060", "")


def said(page: AppTest) -> str:
    groups = (page.header, page.error, page.warning, page.info, page.caption)
    return shown("\n".join(str(element.value) for group in groups for element in group))


def figure(page: AppTest, key: str) -> dict[str, Any]:
    charts = [chart for chart in page.get("plotly_chart") if chart.proto.id.endswith(f"chart_{key}")]
    assert len(charts) == 1, key
    found: dict[str, Any] = json.loads(charts[0].proto.spec)
    return found


def lines(page: AppTest, key: str = "compared_curve") -> dict[str, list[float]]:
    """The lines of a chart by the name of their side."""
    return {
        trace["name"]: [float(value) for value in trace["y"]]
        for trace in figure(page, key)["data"]
        if trace.get("mode") == "lines+markers"
    }


def chooser(page: AppTest) -> Any:
    return page.button_group(key="chosen_variant")


def labels(page: AppTest) -> list[str]:
    """The sides on offer, the baseline first, without their swatches."""
    return [shown(option).split(") ", 1)[1] for option in chooser(page).options]


def add(page: AppTest, kind: str) -> AppTest:
    return page.selectbox(key="add_variant").set_value(kind).run()


def choose(page: AppTest, number: int) -> AppTest:
    """Open the controls of the variant with that number."""
    place = chooser(page).options[number]
    chooser(page).set_value(place)
    return page.run()


def test_the_first_open_compares_the_baseline_with_three_methods() -> None:
    page = sound(opened())
    assert labels(page) == ["baseline", *NEWCOMER]
    expected = compare(Settings.of(texts=SHORT, device="cpu", centred_spectra=True), NEWCOMER, model=minilm())
    drawn = lines(page)
    assert list(drawn) == ["baseline", *NEWCOMER]
    for label, measurement in expected.measurements.items():
        curve = measurement.curve("token_cosine")
        assert drawn[label] == pytest.approx(list(curve.values()), rel=1e-6)
    assert shown(page.header[0].value).startswith("Mean cosine at block 5: ")
    for key in ("delta", "map_baseline", "map_variant", "map_difference", "compared_spectra", "plane"):
        figure(page, key)


def test_a_screen_reader_gets_every_chart_with_its_sides() -> None:
    page = opened()
    for chart in page.get("plotly_chart"):
        assert len(chart.proto.alt) > 30
    assert all(name in figure_alt(page, "compared_curve") for name in ("baseline", *NEWCOMER))


def figure_alt(page: AppTest, key: str) -> str:
    return str(next(chart for chart in page.get("plotly_chart") if chart.proto.id.endswith(f"chart_{key}")).proto.alt)


def test_a_parameter_re_runs_its_own_variant_alone(computed: list[Settings]) -> None:
    page = opened()
    before = lines(page)
    computed.clear()
    page.slider(key="1.softdecay.blend").set_value(0.5).run()
    assert [settings.mitigations for settings in computed] == [
        ("softdecay:alpha=-0.6,blend=0.5,safe=no,where=default,layers=default",)
    ]
    assert labels(sound(page)) == ["baseline", "softdecay:blend=0.5", "neutreno", "attnscale"]
    after = lines(page)
    for label in ("baseline", "neutreno", "attnscale"):
        assert after[label] == before[label]
    assert after["softdecay:blend=0.5"][-1] != before["softdecay"][-1]


def test_layer_spectrum_and_metrics_run_no_model(computed: list[Settings]) -> None:
    page = opened()
    before = {key: figure(page, key) for key in ("map_variant", "map_difference", "compared_spectra", "plane")}
    computed.clear()
    page.select_slider(key="layer").set_value("2").run()
    assert all(figure(page, key) != drawn for key, drawn in before.items())
    before = {"compared_spectra": figure(page, "compared_spectra")}
    page.button_group(key="form").set_value("Centred").run()
    assert figure(page, "compared_spectra") != before["compared_spectra"]
    page.multiselect(key="compared_metrics").set_value(["stable_rank", "lsds"]).run()
    assert list(lines(sound(page))) == ["baseline", *NEWCOMER]
    assert list(lines(page, "compared_lsds")) == [*NEWCOMER]
    page.multiselect(key="compared_metrics").set_value([]).run()
    assert "Choose at least one metric" in said(sound(page))
    assert computed == []


def test_the_presets_set_the_parameters() -> None:
    page = opened()
    page.button_group(key="1.softdecay.preset").set_value("As in the paper").run()
    assert page.slider(key="1.softdecay.blend").value == 1.0
    assert page.button_group(key="1.softdecay.where").value == "paper"
    assert labels(page)[1] == "softdecay:blend=1,where=paper"
    page.button_group(key="1.softdecay.preset").set_value("Frozen default").run()
    assert page.slider(key="1.softdecay.blend").value == 0.2
    assert labels(sound(page))[1] == "softdecay"


def test_what_a_method_is_meant_for_is_said_where_it_is_chosen() -> None:
    page = choose(opened(), 3)
    assert any("trained in its paper" in markdown.value for markdown in page.markdown)
    assert "Not meant for frozen weights" in said(page)
    page = choose(add(page, "noise"), 4)
    assert "what a remedy must beat" in said(page)
    assert any("mixes earlier with later tokens" in markdown.value for markdown in choose(page, 1).markdown)


def test_variants_are_added_up_to_six_and_removed() -> None:
    page = opened()
    for kind in ("pairnorm", "pairnorm", "no_mlp"):
        add(page, kind)
    assert labels(page) == ["baseline", *NEWCOMER, "pairnorm", "pairnorm (2)", "no_mlp"]
    assert list(lines(sound(page))) == labels(page)
    assert page.selectbox(key="add_variant").disabled
    for _ in range(6):
        page.button(key="remove_variant").click().run()
    assert labels(sound(page)) == ["baseline"]
    assert list(lines(page)) == ["baseline"]
    assert page.header
    assert not page.selectbox(key="add_variant").disabled
    assert labels(add(page, "attnscale")) == ["baseline", "attnscale"]


def test_methods_act_together_in_the_order_in_which_they_are_chosen(computed: list[Settings]) -> None:
    page = opened()
    page.multiselect(key="1.methods").set_value(["attnscale", "neutreno"]).run()
    assert [text.split(":")[0] for text in computed[-1].mitigations] == ["attnscale", "neutreno"]
    assert labels(sound(page))[1] == "attnscale+neutreno"


@pytest.mark.parametrize(
    ("layers", "why"),
    [
        ("0-2/x", "“layers” must be default, none or numbers from 0 on such as 0-2/5, not “0-2/x”"),
        ("9", "there is no block 9: they are counted from 0 to 5"),
    ],
)
def test_wrong_layers_are_one_sentence_and_the_others_are_drawn(layers: str, why: str) -> None:
    page = choose(opened(), 3)
    page.text_input(key="3.attnscale.layers").set_value(layers).run()
    label = f"attnscale:layers={layers}"
    assert f"**{label}**: attnscale: {why}." in said(sound(page))
    assert list(lines(page)) == ["baseline", "softdecay", "neutreno"]
    page.text_input(key="3.attnscale.layers").set_value("0-2").run()
    assert not sound(page).error
    assert list(lines(page)) == ["baseline", "softdecay", "neutreno", "attnscale:layers=0-2"]


def test_a_pair_that_contradicts_itself_is_told_at_its_variant() -> None:
    page = choose(opened(), 3)
    page.multiselect(key="3.methods").set_value(["attnscale", "local_convolution"]).run()
    assert [shown(error.value) for error in sound(page).error] == [
        "**attnscale+local_convolution**: “attnscale” and “local_convolution” contradict each other in the same "
        "layers: one undoes the other. Leave one out, or give each its own layers."
    ]
    assert list(lines(page)) == ["baseline", "softdecay", "neutreno"]


def test_looks_stay_where_a_variant_before_them_is_refused() -> None:
    page = opened()
    before = {trace["name"]: trace["line"] for trace in figure(page, "compared_curve")["data"] if trace.get("name")}
    page.text_input(key="1.softdecay.layers").set_value("?").run()
    after = {trace["name"]: trace["line"] for trace in figure(page, "compared_curve")["data"] if trace.get("name")}
    assert set(after) == {"baseline", "neutreno", "attnscale"}
    assert all(before[name] == line for name, line in after.items())


@pytest.fixture(scope="module")
def deberta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny model of a family that cannot carry methods on the values."""
    folder = tmp_path_factory.mktemp("deberta")
    build("deberta").save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def test_a_family_that_cannot_carry_one_method_carries_the_others(deberta: Path) -> None:
    page = sound(opened(" ".join(WORDS), model=str(deberta)))
    (problem,) = (shown(error.value) for error in page.error)
    assert problem.startswith("**neutreno**: neutreno: ")
    assert "deberta" in problem
    assert list(lines(page)) == ["baseline", "softdecay", "attnscale"]


def test_a_variant_can_be_another_model(deberta: Path) -> None:
    page = add(opened(), "Another model")
    # AppTest cannot type into a select box what is not among its options.
    page.session_state["variants"][3].model = str(deberta)
    page.run()
    assert labels(sound(page))[4].startswith(str(deberta)[:20])
    assert len(lines(page)) == 5
    page.button_group(key="mapped").set_value(page.button_group(key="mapped").options[-1]).run()
    page.select_slider(key="layer").set_value("5").run()
    assert page.header
    assert not sound(page).error


def test_a_variant_can_be_another_text_whatever_it_says() -> None:
    page = add(opened(), "Another text")
    text = "**bold** <b>x</b> [link](http://a.org) :red[y] $z$ ![a](http://a.org/b.png) and more words of no meaning"
    page.text_area(key="4.text").set_value(text).run()
    assert labels(sound(page))[4] == "text “**bold** <b>x</b> [link](http…”"
    assert len(lines(page)) == 5
    page.text_input(key="4.name").set_value("<i>mine</i>").run()
    assert labels(sound(page))[4] == "<i>mine</i>"


def test_no_two_sides_share_a_label() -> None:
    page = opened()
    page.text_input(key="1.name").set_value("baseline").run()
    choose(page, 2).text_input(key="2.name").set_value("attnscale").run()
    assert labels(sound(page)) == ["baseline", "baseline (2)", "attnscale", "attnscale (2)"]
    assert list(lines(page)) == labels(page)


@pytest.mark.parametrize(("text", "why"), [("", "The text is empty"), ("\x00", "no content tokens")])
def test_a_baseline_that_fails_is_one_sentence_and_the_next_text_works(text: str, why: str) -> None:
    page = opened(text)
    assert len(sound(page).error) == 1
    assert why in said(page)
    assert not page.header
    page.text_area(key="text").set_value(SHORT).run()
    assert not sound(page).error
    assert list(lines(page)) == ["baseline", *NEWCOMER]


def test_an_unknown_model_is_one_sentence() -> None:
    page = opened(model="no such model")
    assert len(sound(page).error) == 1
    assert "no such model" in said(page)


def test_missing_values_are_said_with_their_reason() -> None:
    page = sound(opened("word"))
    assert "needs at least two tokens" in said(page)
    assert page.header


def test_a_warning_of_all_sides_is_said_once() -> None:
    page = sound(opened("the river and the stone " * 300, max_tokens=40))
    assert len([warning for warning in page.warning if "40" in warning.value]) == 1


def test_the_controls_to_beat_are_drawn_when_asked_for(computed: list[Settings]) -> None:
    page = opened()
    plane = figure(page, "plane")["data"]
    computed.clear()
    page.toggle(key="with_controls").set_value(True).run()
    assert {settings.mitigations[0].split(":")[0] for settings in computed} == {"noise", "high_frequency_gain"}
    sweeps = [trace for trace in figure(sound(page), "plane")["data"] if trace["mode"] == "lines+markers"]
    assert len(sweeps) == 2
    assert all(len(sweep["x"]) > 4 for sweep in sweeps)
    page.toggle(key="with_controls").set_value(False).run()
    assert figure(sound(page), "plane")["data"] == plane


def test_the_loss_is_not_offered_where_no_side_has_a_head(computed: list[Settings]) -> None:
    page = sound(opened(language_model=True))
    assert (page.toggle(key="language_model").value, page.toggle(key="language_model").disabled) == (False, True)
    assert "all-MiniLM-L6-v2 comes without a language-model head." in said(page)
    assert not any(settings.language_model for settings in computed)


def test_the_loss_that_a_folder_has_no_head_for_is_said_to_be_missing_once_and_not_offered_again(
    tmp_path: Path,
) -> None:
    build("bert").save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    page = sound(opened(" ".join(WORDS), model=str(tmp_path), language_model=True))
    reason = "this checkpoint has no language-model head that can be used."
    assert f"baseline, {', '.join(NEWCOMER)}: no language-model loss: {reason}" in said(page)
    assert said(page).count(reason) == 2  # the loss, and the divergence of the variants
    # The same session goes on; AppTest itself cannot run a page again whose model is none of the catalog's.
    learnt = {name: page.session_state[name] for name in ("models without a head",)}
    page = sound(opened(" ".join(WORDS), model=str(tmp_path), language_model=True, **learnt))
    assert page.toggle(key="language_model").disabled
    assert reason not in said(page)


def colours(page: AppTest) -> dict[str, Any]:
    return {trace["name"]: trace["line"] for trace in figure(page, "compared_curve")["data"] if "line" in trace}


def linked(page: AppTest) -> AppTest:
    """The page of the same address in another session."""
    app = AppTest.from_file(str(launch.script()), default_timeout=120)
    app.query_params.update(page.query_params)
    return app.switch_page("pages/compare.py").run()


def test_a_colour_stays_with_its_variant_and_the_map_with_its_variant() -> None:
    page = sound(opened())
    before = colours(page)
    pills = page.button_group(key="mapped")
    pills.set_value(pills.options[2]).run()
    assert page.query_params["mapped"] == "attnscale"
    page.button_group(key="chosen_variant").set_value(page.button_group(key="chosen_variant").options[1]).run()
    page.button(key="remove_variant").click().run()
    after = colours(page)
    assert after.keys() == before.keys() - {NEWCOMER[0]}
    assert all(after[name] == before[name] for name in after)
    assert page.query_params["mapped"] == "attnscale"
    again = sound(linked(page))
    assert colours(again) == after
    assert again.query_params == page.query_params
    page.selectbox(key="add_variant").set_value("Another text").run()
    page.text_input(key="4.name").set_value("new").run()
    assert colours(page)["new"] == before[NEWCOMER[0]]
    page.button_group(key="chosen_variant").set_value(page.button_group(key="chosen_variant").options[2]).run()
    page.text_input(key="3.name").set_value("scaled").run()
    assert page.query_params["mapped"] == "scaled"
    page.button(key="remove_variant").click().run()
    assert "mapped" not in page.query_params


def test_the_loss_is_shown_but_for_methods_that_leak_the_future(tmp_path: Path) -> None:
    head("gpt2").save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    page = sound(opened(" ".join(WORDS), model=str(tmp_path), language_model=True))
    losses = page.dataframe[0].value.set_index("side")["Language-model loss"]
    assert list(losses[["baseline", "neutreno", "attnscale"]].isna()) == [False, False, False]
    assert losses["neutreno"] != losses["baseline"]
    assert "softdecay: no language-model loss: " in said(page)


def test_tables_and_records_are_there_when_opened() -> None:
    page = opened()
    ends = page.dataframe[0].value
    assert list(ends["side"]) == ["baseline", *NEWCOMER]
    assert list(ends["Linear CKA to the baseline"].isna()) == [True, False, False, False]
    assert not page.json
    for key in ("numbers", "records"):
        page.session_state[key] = True
    page.run()
    table = sound(page).dataframe[1].value
    row = table[(table["metric"] == "Token cosine similarity") & (table["side"] == "softdecay")].iloc[0]
    drawn = lines(page)
    assert row["value"] == pytest.approx(drawn["softdecay"][-1], rel=1e-6)
    assert row["difference"] == pytest.approx(drawn["softdecay"][-1] - drawn["baseline"][-1], rel=1e-4)
    assert (row["first differs at"], row["largest at"]) == ("5", "5")
    records = [json.loads(code.value) for code in page.code]
    assert [len(record["mitigations"]) for record in records] == [0, 1, 1, 1]


def test_model_text_and_variants_survive_a_look_at_the_other_page() -> None:
    page = opened()
    page.text_area(key="text").set_value("A bird sang in the tree by the river.").run()
    page.slider(key="1.softdecay.blend").set_value(0.5).run()
    page.select_slider(key="layer").set_value("3").run()
    page.toggle(key="special_tokens").set_value(True).run()
    page.switch_page("pages/measure.py").run()
    assert page.text_area(key="text").value == "A bird sang in the tree by the river."
    assert page.select_slider(key="layer").value == "3"
    page.switch_page("pages/compare.py").run()
    assert labels(sound(page))[1] == "softdecay:blend=0.5"
    assert page.slider(key="1.softdecay.blend").value == 0.5
    assert page.toggle(key="special_tokens").value
    assert page.select_slider(key="layer").value == "3"
