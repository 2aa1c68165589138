"""Hostile words on every page and in the page that is exported: shown as themselves, and nothing of them acts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import plotly.graph_objects as go
import psutil
import pytest
from families import COMMON
from payloads import HARM, LABELS, MARKUP, MATHEMATICS, PAYLOADS, TEMPLATES
from playwright.sync_api import Browser, Page, expect
from synthetic import comparison_of, measurement, variant
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from oversmooth.core.tokens import TICK_CHARACTERS, visible
from oversmooth.core.wording import shortened
from oversmooth.report.export.images import image
from oversmooth.report.figures.gallery import figures_of
from oversmooth.report.figures.similarity import MOST_LABELS
from oversmooth.report.paper import PRESETS

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FIRST_OPEN = 120_000
SEPARATOR = "¦"
TYPED = [token for token in PAYLOADS if "\r" not in token and len(token) < 200]
"""A text box turns a carriage return into a line feed; an address does not hold everything."""
ACTING = [label for label in LABELS if len(label) < 60 and any(harm in label for harm in HARM)]
READ = frozenset((*MARKUP, *MATHEMATICS, *TEMPLATES))
"""What plotly could take for something of its own."""
SIDES = [ACTING[0], "[x](http://127.0.0.1:9/x)", "$x$ %{x} <b>:red[x]", "a -> b :streamlit: <br>", "![x](x)", "<s>"]
TEXTS = (SEPARATOR.join(TYPED), SEPARATOR.join(TYPED[:40]))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a small model that takes every payload for one token."""
    folder = tmp_path_factory.mktemp("model")
    specials = ["⟦PAD⟧", "⟦UNK⟧", "⟦CLS⟧", "⟦SEP⟧"]
    vocabulary = {word: number for number, word in enumerate([*specials, *TYPED])}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="⟦UNK⟧"))
    backend.pre_tokenizer = pre_tokenizers.CharDelimiterSplit(SEPARATOR)
    backend.post_processor = processors.TemplateProcessing(
        single="⟦CLS⟧ $A ⟦SEP⟧", special_tokens=[("⟦CLS⟧", 2), ("⟦SEP⟧", 3)]
    )
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token"), specials, strict=True))
    PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=256, **names).save_pretrained(folder)
    config = BertConfig(**COMMON | {"vocab_size": len(vocabulary), "max_position_embeddings": 256})
    BertModel(config).save_pretrained(folder)
    return str(folder)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails the test on a dialog, an error, a script of a payload, or a request that leaves the machine."""
    context = browser.new_context(viewport={"width": 1440, "height": 1200}, color_scheme="dark")
    page = context.new_page()
    trouble: list[str] = []
    asked: list[str] = []
    page.on("dialog", lambda dialog: trouble.append(f"dialog {dialog.message}"))
    page.on("pageerror", lambda error: trouble.append(f"error {error}"))
    page.on("request", lambda request: asked.append(request.url))
    page.on("popup", lambda popup: trouble.append(f"window {popup.url}"))
    yield page
    ran, home = page.evaluate("String(window.ran)"), page.url
    context.close()
    assert trouble == []
    assert ran == "undefined"
    local = ("file:", "data:", "blob:", "about:") if home.startswith("file:") else (home[: home.index("/", 8)], "blob:")
    assert [url for url in asked if not url.startswith((*local, "data:"))] == []


def open_page(page: Page, address: str, path: str, last: str, **query: Any) -> None:
    """By its link, until its last chart is drawn and nothing runs."""
    page.goto(f"{address}/{path}?{urlencode(query, doseq=True)}")
    page.wait_for_selector(last, timeout=FIRST_OPEN)
    expect(page.get_by_role("button", name="Everything in one zip")).to_be_visible(timeout=FIRST_OPEN)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=FIRST_OPEN)


def assert_nothing_points_away(page: Page) -> None:
    """No element has an address, a frame or a script of a payload."""
    found = page.evaluate(
        "() => Array.from(document.querySelectorAll('*')).flatMap(each => Array.from(each.attributes)"
        ".filter(one => /^on|href$|^src|^action$|^data$|^style$/.test(one.name)).map(one => [one.name, one.value]))"
    )
    assert found
    for name, value in found:
        assert not name.startswith("on"), value
        assert not [harm for harm in (*HARM, "inset:0") if harm in value], (name, value)
    assert (
        page.locator("iframe, object, embed, base, form[action], meta[http-equiv=refresh], foreignObject").count() == 0
    )


def words(page: Page, selector: str) -> list[str]:
    """What stands in each element, without the joiners that keep Markdown from linking."""
    found: list[str] = page.eval_on_selector_all(selector, "found => found.map(one => one.textContent)")
    return [_bare(text) for text in found]


def _bare(text: str) -> str:
    for sign in "\u2060\u2068\u2069":
        text = text.replace(sign, "")
    return text.replace("\xa0", " ")


def _named(what: str, texts: Sequence[str]) -> str:
    return f"{what} of text 1 of {len(texts)}, chosen in the sidebar: {visible(f'“{shortened(texts[0], 120)}”')}"


def test_tokens_on_the_page_that_measures(page: Page, server: tuple[str, psutil.Process], model: str) -> None:
    last = ".st-key-chart_similarity .hm image"
    open_page(page, server[0], "", last, model=model, text=TEXTS, curve=["rankme", "mean_norm"])
    seen = [visible(token) for token in TYPED]
    assert words(page, ".tokens bdi") == ["⟦CLS⟧", *seen, "⟦SEP⟧"]
    assert page.locator(".tokens bdi *").count() == 0
    rows = page.eval_on_selector(
        ".st-key-chart_similarity .js-plotly-plot", "plot => Array.from(plot._fullData[0].y).map(String)"
    )
    assert len(rows) == len(TYPED)
    for axis in ("xtick", "ytick"):
        drawn = words(page, f".st-key-chart_similarity .{axis} text")
        step = -(-len(TYPED) // MOST_LABELS)
        # [CLS] stands at 0.
        expected = [f"{place + 1}·{_short(seen[place])}" for place in range(0, len(TYPED), step)]
        assert sorted(drawn) == sorted(map(_bare, expected))
    assert _named("Tokens", TEXTS) in words(page, "[data-testid=stCaptionContainer]")
    assert_nothing_points_away(page)


def test_labels_on_the_page_that_compares(page: Page, server: tuple[str, psutil.Process], model: str) -> None:
    variants = [
        json.dumps({"label": label, "mitigations": [f"softdecay:blend=0.{place}"]})
        for place, label in enumerate(SIDES, 1)
    ]
    query = {"model": model, "text": TEXTS, "variant": variants, "mapped": SIDES[1]}
    open_page(page, server[0], "compare", ".st-key-chart_plane .scatterlayer .point", **query)
    pills = words(page, ".st-key-chosen_variant [role=radio]")
    assert [each.strip() for each in pills] == ["baseline", *(visible(label) for label in SIDES)]
    for chart in ("compared_curve", "delta", "compared_spectra", "plane"):
        drawn = "".join(words(page, f".st-key-chart_{chart} .js-plotly-plot text")).replace(" ", "")
        for label in SIDES:
            assert label.replace(" ", "")[:12] in drawn, (chart, label)
    title = "".join(words(page, ".st-key-chart_map_variant .js-plotly-plot text"))
    assert SIDES[1] in title
    assert_nothing_points_away(page)


def test_texts_on_the_page_that_explains(page: Page, server: tuple[str, psutil.Process], model: str) -> None:
    last = ".st-key-chart_within_between .scatterlayer .trace"
    open_page(page, server[0], "explain", last, model=model, text=TEXTS)
    assert page.locator(".js-plotly-plot").count() > 10
    assert_nothing_points_away(page)


def _short(seen: str) -> str:
    return seen if len(seen) <= TICK_CHARACTERS else seen[: TICK_CHARACTERS - 1] + "…"


def test_an_exported_page_shows_every_token_and_label(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "figure.html"
    title = visible(" ".join(PAYLOADS))
    maps = [PAYLOADS[start : start + MOST_LABELS] for start in range(0, len(PAYLOADS), MOST_LABELS)]
    first = _map(maps[0])
    file.write_bytes(image(first, "html", PRESETS["single"], title=title))
    page.goto(file.as_uri())
    assert page.title() == " ".join(title.split())
    for tokens in maps:
        _draw(page, _map(tokens))
        seen = [visible(token) for token in tokens]
        for axis in ("xtick", "ytick"):
            assert sorted(words(page, f".{axis} text")) == sorted(_bare(_short(text)) for text in seen)
        read = {place: text for place, text in enumerate(seen) if tokens[place] in READ}
        for place, text in read.items():
            name = f"“{_bare(text)}” ({place + 1})"
            assert _hovered(page, 0, {"xval": place, "yval": place}) == f"{name} × {name}: 1.00"
    labels = [label for label in LABELS if label in READ][:40]
    comparison = comparison_of({label: variant(-0.005 * place) for place, label in enumerate(labels, 1)})
    for name in ("token_cosine", "spectra_5"):
        figure = figures_of(comparison)[name].build()
        _draw(page, figure)
        named = [number for number, trace in enumerate(figure.data) if trace.name and trace.showlegend is not False]
        found = "\n".join(_hovered(page, number, {"pointNumber": 1}) for number in named).replace(" ", "")
        assert [label for label in labels if _bare(visible(label)).replace(" ", "") not in found] == [], name
    assert_nothing_points_away(page)


def _map(tokens: Sequence[str]) -> go.Figure:
    return figures_of(measurement(words=tokens, blocks=1))["similarity_0"].build()


def _draw(page: Page, figure: go.Figure) -> None:
    page.evaluate("figure => Plotly.newPlot('figure', figure.data, figure.layout)", json.loads(figure.to_json()))


def _hovered(page: Page, trace: int, place: dict[str, int]) -> str:
    """What the box beside a point of a trace says."""
    found: str = page.evaluate(
        """([trace, place]) => {
            const plot = document.getElementById('figure'), {xaxis, yaxis} = plot._fullData[trace];
            const point = 'pointNumber' in place ? [{curveNumber: trace, ...place}] : place;
            Plotly.Fx.unhover(plot);
            Plotly.Fx.hover(plot, point, [xaxis + yaxis]);
            return [...plot.querySelectorAll('.hoverlayer text')].map(one => one.textContent).join(' ');
        }""",
        [trace, place],
    )
    return _bare(found)
