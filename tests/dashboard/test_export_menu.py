"""Exports of both pages, without a browser: what is offered, and what is in the files."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from oversmooth import Settings
from oversmooth.dashboard import theme
from oversmooth.report.figures.theme import DARK
from oversmooth.results.comparison_settings import ComparisonSettings
from oversmooth.service import launch
from oversmooth.service.engine.engine import close_shared_engine

SHORT = "The cat sat on the mat and looked at the rain."
Files = dict[str, tuple[str, Callable[[], bytes]]]


@pytest.fixture(scope="module", autouse=True)
def _one_engine() -> Iterator[None]:
    """All pages of this module share one worker, as the sessions of a server do."""
    yield
    close_shared_engine()


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Files:
    """What the download buttons of the page would give, by key: the file's name and what makes it."""
    found: Files = {}
    button = st.download_button

    def noted(label: str, data: Callable[[], bytes], *, file_name: str, key: str, **more: Any) -> bool:
        found[key] = file_name, data
        return button(label, data, file_name=file_name, key=key, **more)

    monkeypatch.setattr(st, "download_button", noted)
    return found


def opened(page: str = "measure", text: str = SHORT, **state: Any) -> AppTest:
    app = AppTest.from_file(str(launch.script()), default_timeout=120)
    for key, value in {"text": text, "device": "cpu", **state}.items():
        app.session_state[key] = value
    return sound(app.switch_page(f"pages/{page}.py").run())


def sound(app: AppTest) -> AppTest:
    assert not app.exception
    return app


def menu(app: AppTest, key: str) -> AppTest:
    """Open the export menu of a chart."""
    app.session_state[f"export_{key}"] = True
    return sound(app.run())


def chart_keys(app: AppTest) -> list[str]:
    return [each.proto.id.split("chart_")[1] for each in app.get("plotly_chart")]


@pytest.mark.parametrize("page", ["measure", "compare"])
def test_every_chart_has_its_export(page: str, files: Files) -> None:
    app = opened(page)
    assert set(files) == {f"download_{name}" for name in ("bundle", "csv", "parquet", "npz", "json", "settings")}
    keys = chart_keys(app)
    for key in keys:
        app.session_state[f"export_{key}"] = True
    sound(app.run())
    names = [files[f"download_{key}"][0] for key in keys]
    assert all(name.endswith(".pdf") for name in names)
    assert len(set(names)) == len(names)
    for key in keys:
        assert files[f"download_{key}"][1]().startswith(b"%PDF"), key


def test_an_empty_choice_as_a_menu_may_send_while_it_opens_is_none() -> None:
    app = opened()
    menu(app, "curve")
    app.segmented_control(key="curve export format").set_value("SVG").run()
    sound(app.segmented_control(key="curve export format").set_value(None).run())
    assert app.segmented_control(key="curve export format").value == "SVG"


def test_the_choices_are_those_of_the_file_and_shared_by_all_charts(files: Files) -> None:
    app = menu(opened(), "curve")
    app.segmented_control(key="curve export format").set_value("PNG").run()
    app.segmented_control(key="curve export resolution").set_value(600)
    app.selectbox(key="curve export size").set_value("custom").run()
    app.number_input(key="curve export width").set_value(4.0)
    sound(app.run())
    name, make = files["download_curve"]
    assert name == "token_cosine.png"
    assert png_width(make()) == 4 * 600
    menu(app, "similarity")
    name, make = files["download_similarity"]
    assert name == "similarity_5.png"
    assert png_width(make()) == 4 * 600


def png_width(content: bytes) -> int:
    assert content.startswith(b"\x89PNG")
    return int.from_bytes(content[16:20])


def test_a_width_without_room_is_one_sentence_and_no_button(files: Files) -> None:
    app = menu(opened(), "curve")
    app.number_input(key="curve export points single").set_value(30.0)
    files.clear()
    sound(app.run())
    assert "download_curve" not in files
    assert "no room for text of 30 points" in app.error[0].value.replace("\\", "")
    # The zip of everything keeps to a size that goes.
    assert "download_bundle" in files


def test_paper_is_light_and_of_the_same_numbers_whatever_the_screen_shows(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(theme, "current", lambda: DARK)
    app = opened("compare", scale="Linear", form="Centred")
    for key in ("compared_spectra", "plane"):
        app.session_state[f"export_{key}"] = True
    app.session_state["export format"] = "HTML"
    sound(app.run())
    for key in ("compared_spectra", "plane"):
        screen = next(json.loads(each.proto.spec) for each in app.get("plotly_chart") if key in each.proto.id)
        page = files[f"download_{key}"][1]().decode()
        assert DARK.paper not in page
        drawn = page[page.rindex("Plotly.newPlot(") :].replace("\\u002f", "/").replace("\\u003d", "=")
        for trace in screen["data"]:
            if isinstance(trace.get("y"), dict):
                assert trace["y"]["bdata"] in drawn


def test_latex_is_a_zip_of_what_a_paper_needs(files: Files) -> None:
    app = menu(opened(), "curve")
    app.segmented_control(key="curve export format").set_value("LaTeX").run()
    name, make = files["download_curve"]
    assert name == "token_cosine.zip"
    with zipfile.ZipFile(io.BytesIO(make())) as archive:
        assert sorted(archive.namelist()) == [
            "figures/token_cosine.pdf",
            "latex/figures.tex",
            "pgfplots/token_cosine.csv",
            "pgfplots/token_cosine.tex",
        ]


def test_the_numbers_come_in_every_format(files: Files) -> None:
    opened("compare")
    tables = ["curves", "spectra", "deltas"]
    with zipfile.ZipFile(io.BytesIO(files["download_csv"][1]())) as archive:
        assert sorted(archive.namelist()) == sorted(f"{name}.csv" for name in tables)
        written = pd.read_csv(archive.open("curves.csv"))
    with zipfile.ZipFile(io.BytesIO(files["download_parquet"][1]())) as archive:
        kept = pd.read_parquet(io.BytesIO(archive.read("curves.parquet")))
    assert written["value"].tolist() == pytest.approx(kept["value"].tolist(), nan_ok=True)
    assert "0/similarity" in np.load(io.BytesIO(files["download_npz"][1]()))
    assert json.loads(files["download_json"][1]())
    settings = ComparisonSettings.from_json(files["download_settings"][1]())
    assert settings.baseline.texts == (SHORT,)
    assert files["download_settings"][0] == "settings.json"


def test_the_zip_of_everything_follows_layer_and_size(files: Files) -> None:
    app = opened(zip_parts=True)
    app.pills(key="export zip figures").set_value(["PDF", "PNG"])
    sound(app.run())
    _, make = files["download_bundle"]  # the button that is on the page before anything else is changed
    app.session_state["export_curve"] = True
    app.select_slider(key="layer").set_value("2").run()
    app.selectbox(key="curve export size").set_value("slide").run()
    sound(app)
    with zipfile.ZipFile(io.BytesIO(make())) as archive:
        assert "figures/similarity_2.pdf" in archive.namelist()
        assert png_width(archive.read("figures/similarity_2.png")) == 40 / 3 * 300


def test_the_settings_of_a_measurement_are_those_of_the_page(files: Files) -> None:
    opened(special_tokens=True)
    settings = Settings.from_json(files["download_settings"][1]())
    assert (settings.texts, settings.special_tokens, settings.device) == ((SHORT,), True, "cpu")


def test_the_zip_holds_what_was_chosen_and_pdf_and_csv_before(files: Files) -> None:
    app = opened()
    assert endings(files["download_bundle"][1]()) == {"pdf", "csv", "json", "txt"}
    app.session_state["zip_parts"] = True
    app.run()
    app.pills(key="export zip figures").set_value(["SVG", "LaTeX"])
    app.pills(key="export zip numbers").set_value([])
    sound(app.run())
    app.session_state["zip_parts"] = False  # the choice stays when it is folded again
    sound(app.run())
    content = files["download_bundle"][1]()
    assert endings(content) == {"svg", "tex", "csv", "json", "txt"}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {name for name in archive.namelist() if "/" not in name} == {
            "README.txt",
            "settings.json",
            "record.json",
        }
        readme = archive.read("README.txt").decode()
    assert "every figure as svg;" in readme
    assert "curves.csv" not in readme


def endings(content: bytes) -> set[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name.rpartition(".")[2] for name in archive.namelist()}


def test_characters_that_paper_lacks_are_told() -> None:
    app = menu(opened(text="The sign \U0001e900 of Adlam, and 水."), "similarity")
    told = [caption.value for caption in app.caption if "No font on this machine" in caption.value]
    assert len(told) <= 1  # which fonts there are depends on the machine
