"""The dashboard in a real browser, served as a user serves it."""

from __future__ import annotations

import re
from pathlib import Path

import psutil
import pytest
from awkward import SEEN
from families import COMMON
from playwright.sync_api import Browser, Page, expect
from tiny import tokenizer
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast
from workers import wait, working

from oversmooth import Settings, measure
from oversmooth.core.texts import bundled
from oversmooth.dashboard.controls.texts import examples

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CURVE, MAP, SPECTRUM = (f".st-key-chart_{name} .js-plotly-plot" for name in ("curve", "similarity", "spectrum"))
DRAWN_MAP = f"{MAP} .hm image"
FIRST_OPEN = 90_000

# Of its 200 blocks: the run before it, of the default model, says the same of six.
MEASURING_THE_SLOW_MODEL = re.compile(r"Measuring: block \d+ \(\d+ of 201\)")

# What can be typed as one word: no lone surrogate, and no white space, at which the test's tokenizer splits.
TYPED = [token for token in SEEN if token.encode(errors="ignore").decode() == token and token.split() == [token]]


def write(page: Page, text: str) -> None:
    """Put a text into the text box and apply it."""
    box = page.get_by_label("Text", exact=True)
    box.fill(text)
    box.press("Control+Enter")


def choose_model(page: Page, name: str) -> None:
    box = page.get_by_role("combobox", name="Model")
    box.fill(name)
    box.press("Enter")


def values(page: Page, chart: str, axis: str = "z", trace: int = 0) -> list[float]:
    found: list[float] = page.eval_on_selector(
        chart, f"plot => Array.from(plot._fullData[{trace}].{axis}).flatMap(row => row.length ? Array.from(row) : row)"
    )
    return found


@pytest.fixture(scope="module")
def slow_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder whose run takes long enough to be stopped: many layers, long texts."""
    folder = tmp_path_factory.mktemp("slow-model")
    config = BertConfig(**COMMON | {"num_hidden_layers": 200, "max_position_embeddings": 1500})
    BertModel(config).save_pretrained(folder)
    tokenizer(limit=1500).save_pretrained(folder)
    return folder


@pytest.fixture
def in_the_middle(page: Page, slow_model: Path) -> Page:
    """The page while a long run is being measured."""
    page.wait_for_selector(DRAWN_MAP, timeout=FIRST_OPEN)
    page.get_by_text("Run", exact=True).click()
    limit = page.get_by_label("Longest text, in tokens", exact=True)
    limit.fill("1500")
    limit.press("Enter")
    write(page, "the cat sat on the mat and the dog saw rain " * 150)
    page.wait_for_selector(DRAWN_MAP, timeout=FIRST_OPEN)
    choose_model(page, str(slow_model))
    expect(page.get_by_text(MEASURING_THE_SLOW_MODEL)).to_be_visible(timeout=60_000)
    return page


def test_first_open_draws_curve_map_and_spectrum_with_the_right_numbers(page: Page) -> None:
    page.wait_for_selector(DRAWN_MAP, timeout=FIRST_OPEN)
    expected = measure(Settings.of(texts=examples()[0].text, device="cpu"))
    assert expected.similarity is not None
    assert values(page, MAP) == pytest.approx(expected.similarity.sel(point="5").values.ravel().tolist(), abs=1e-3)
    curves = page.eval_on_selector(CURVE, "plot => plot._fullData.map(trace => Array.from(trace.y))")
    assert any(curve == pytest.approx(list(expected.curve("token_cosine").values()), rel=1e-4) for curve in curves)
    strongest = expected.spectra["raw"].sel(point="5").values[0]
    spectra = page.eval_on_selector(SPECTRUM, "plot => plot._fullData.map(trace => Array.from(trace.y))")
    assert any(len(drawn) == len(strongest) and drawn == pytest.approx(list(strongest), rel=1e-4) for drawn in spectra)
    expect(page.get_by_role("heading", name=re.compile("Tokens grow alike"))).to_be_visible()


def test_the_layer_slider_redraws_without_a_forward_pass(page: Page, server: tuple[str, psutil.Process]) -> None:
    page.wait_for_selector(DRAWN_MAP, timeout=FIRST_OPEN)
    before = values(page, MAP)
    process = working(server[1])[0]
    process.suspend()  # whatever the page draws now, no model has run for it
    try:
        slider = page.locator(".st-key-layer input[type=range], .st-key-layer [role=slider]").first
        slider.focus()
        slider.press("ArrowLeft")
        expected = measure(Settings.of(texts=examples()[0].text, device="cpu"))
        assert expected.similarity is not None
        layer = expected.similarity.sel(point="4").values.ravel().tolist()
        wait(lambda: page.evaluate("chart => document.querySelector(chart)._fullData[0].z[0][1]", MAP) != before[1])
        assert values(page, MAP) == pytest.approx(layer, abs=1e-3)
    finally:
        process.resume()


def test_a_run_can_be_stopped_and_run_again(in_the_middle: Page) -> None:
    page = in_the_middle
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped. Nothing was lost")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Run again").click()
    expect(page.get_by_text(MEASURING_THE_SLOW_MODEL)).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Stop").click()
    choose_model(page, "all-MiniLM-L6-v2")
    page.wait_for_selector(DRAWN_MAP, timeout=60_000)


def test_a_killed_worker_is_reported_and_replaced(in_the_middle: Page, server: tuple[str, psutil.Process]) -> None:
    page, killed = in_the_middle, working(server[1])[0]
    killed.kill()
    expect(page.get_by_text(re.compile("SIGKILL"))).to_be_visible(timeout=20_000)
    choose_model(page, "all-MiniLM-L6-v2")
    page.wait_for_selector(DRAWN_MAP, timeout=60_000)
    assert working(server[1])[0].pid != killed.pid


def test_an_address_in_a_message_is_no_link(page: Page) -> None:
    page.wait_for_selector(DRAWN_MAP, timeout=FIRST_OPEN)
    typed = "http://a.org/b www.a.org a@a.org ![a](http://a.org/c)"
    choose_model(page, typed)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("names no model", timeout=20_000)
    assert typed in (alert.text_content() or "").replace("\u2060", "")
    assert alert.locator("a, img").count() == 0


def test_awkward_tokens_are_shown_as_themselves_everywhere(page: Page, tmp_path: Path) -> None:
    page.wait_for_selector(DRAWN_MAP, timeout=FIRST_OPEN)
    folder = _awkward_model(tmp_path)
    choose_model(page, str(folder))
    write(page, " ".join(TYPED))
    expect(page.locator(".tokens bdi")).to_have_count(len(TYPED) + 2, timeout=60_000)
    chips = page.locator(".tokens bdi").all_text_contents()
    assert [_bare(chip) for chip in chips[1:-1]] == [_bare(SEEN[token]) for token in TYPED]
    assert page.locator(".tokens bdi > *").count() == 0


def _bare(text: str) -> str:
    return text.replace("\u2068", "").replace("\u2069", "").replace("\xa0", " ")


def _awkward_model(folder: Path) -> Path:
    specials = ["⟦PAD⟧", "⟦UNK⟧", "⟦CLS⟧", "⟦SEP⟧"]
    vocabulary = {word: number for number, word in enumerate([*specials, *TYPED])}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="⟦UNK⟧"))
    backend.pre_tokenizer = pre_tokenizers.CharDelimiterSplit(" ")
    backend.post_processor = processors.TemplateProcessing(
        single="⟦CLS⟧ $A ⟦SEP⟧", special_tokens=[("⟦CLS⟧", 2), ("⟦SEP⟧", 3)]
    )
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token"), specials, strict=True))
    PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=256, **names).save_pretrained(folder)
    config = BertConfig(**COMMON | {"vocab_size": len(vocabulary), "max_position_embeddings": 256})
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 420])
def test_both_themes_fit_wide_and_narrow_screens(
    browser: Browser, server: tuple[str, psutil.Process], scheme: str, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    # The default page, and the same by its name.
    page.goto(f"{server[0]}/{'measure' if scheme == 'dark' else ''}")
    page.wait_for_selector(DRAWN_MAP, timeout=FIRST_OPEN)
    assert not page.get_by_text("Page not found").count()
    background = "getComputedStyle(document.querySelector('.stApp')).backgroundColor"
    paper = f"getComputedStyle(document.querySelector('{CURVE} .main-svg')).backgroundColor"
    wait(lambda: page.evaluate(f"{background} === {paper}"))
    assert page.evaluate(background) == {"light": "rgb(255, 255, 255)", "dark": "rgb(14, 17, 23)"}[scheme]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_the_sentences_that_come_along_give_a_mean_over_64_texts(page: Page) -> None:
    page.wait_for_selector(DRAWN_MAP, timeout=FIRST_OPEN)
    page.get_by_role("combobox", name="Source").click()
    page.get_by_role("option", name="64 sentences").click()
    heading = page.get_by_role("heading", name=re.compile("mean of 64 texts"))
    expect(heading).to_be_visible(timeout=60_000)
    texts = [sentence.text for sentence in bundled()]
    expected = measure(Settings.of(texts=texts, device="cpu", metrics="token_cosine", similarity=False))
    curve = expected.curve("token_cosine")
    assert f"mean cosine {curve['embedding']:.2f} → {curve['5']:.2f}" in heading.inner_text()
    assert "texts=bundled" in page.url
