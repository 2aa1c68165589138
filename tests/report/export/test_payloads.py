"""Hostile words in every file that is written: they come out as themselves, and nothing acts on them."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from latex import COMMAND, assert_harmless
from payloads import HARM, LABELS, PAYLOADS
from poppler import information
from synthetic import comparison_of, measurement, variant

from oversmooth.core.tokens import TICK_CHARACTERS, visible
from oversmooth.report.export import bundle
from oversmooth.report.export.contents import Parts, contents
from oversmooth.report.export.images import drawings, image
from oversmooth.report.export.latex import escaped
from oversmooth.report.figures.gallery import figures_of
from oversmooth.report.paper import PRESETS
from oversmooth.results.comparison import Comparison
from oversmooth.results.comparison_settings import ComparisonSettings
from oversmooth.results.files.tables import curves, to_csv
from oversmooth.results.measurement import Measurement

DOUBLE = PRESETS["double"]
SIDES = 41
TOKENS = 20
"""As many as have a label each on a map of that width."""
SVG = "{http://www.w3.org/2000/svg}"
DRAWN = {"svg", "metadata", "title", "defs", "style", "g", "path", "rect", "clipPath", "image", "text", "tspan", "use"}
STARTS, SIDE_STARTS = (range(0, len(words), size) for words, size in ((PAYLOADS, TOKENS), (LABELS, SIDES)))


@cache
def labelled(start: int) -> Comparison:
    """A comparison whose variants are called by payloads."""
    labels = LABELS[start : start + SIDES]
    return comparison_of({label: variant(-0.01 * place) for place, label in enumerate(labels, 1)})


def drawn_as(text: str) -> str:
    """Letters of other scripts may stand as code points where no font has them."""
    text = "".join(sign if ord(sign) < 0x250 or sign in "⟨⟩…␣↵⇥◌∅“”" else f"⟨U+{ord(sign):04X}⟩" for sign in text)
    return text.replace("\u00a0", " ")


def assert_no_markup(content: bytes) -> ElementTree.Element:
    """An SVG of shapes and words alone, that points nowhere; gives back its root."""
    root = ElementTree.fromstring(content)
    for each in root.iter():
        space, _, name = each.tag.rpartition("}")
        assert name in DRAWN or space.removeprefix("{") not in (SVG[1:-1], ""), each.tag
        for key, value in each.attrib.items():
            assert not key.startswith("on"), key
            if key.endswith("href"):
                assert value.startswith(("#", "data:image/png;base64,")), value
            assert not [harm for harm in HARM if harm in value], value
    for style in root.iter(f"{SVG}style"):
        assert "@" not in (style.text or "")
        assert "display" not in (style.text or "")
    return root


@pytest.mark.parametrize("start", STARTS)
def test_tokens_of_a_map_are_words_of_vector_files_in_their_order(start: int) -> None:
    tokens = PAYLOADS[start : start + TOKENS]
    figure = figures_of(measurement(words=tokens, blocks=1))["similarity_0"].build()
    record = json.dumps({"model": " ".join(tokens)})
    title = " ".join(map(visible, tokens))
    root = assert_no_markup(image(figure, "svg", DOUBLE, record=record, title=title))
    words = [drawn_as("".join(each.itertext())) for each in root.iter(f"{SVG}text")]
    for found in (words[: len(tokens)], words[len(tokens) : 2 * len(tokens)]):
        for drawn, token in zip(found, tokens, strict=True):
            whole = drawn_as(visible(token))
            # What is longer than its place is cut, and says so.
            cut = len(visible(token)) > TICK_CHARACTERS and drawn.endswith("…")
            assert whole.startswith(drawn.removesuffix("…")) if cut else drawn == whole
    described = "".join(text for each in root.iter() if each.tag.endswith("}description") for text in each.itertext())
    assert json.loads(described) == json.loads(record)

    page = image(figure, "pdf", DOUBLE, record=record, title=title)
    assert not re.search(rb"/(JS|JavaScript|URI|Launch|OpenAction|AA|EmbeddedFile|Link)\b", _outside_strings(page))
    text = re.sub(r"\s", "", information(page).text)
    for token in filter(str.isascii, tokens):
        short = visible(token)
        short = short if len(short) <= TICK_CHARACTERS else short[: TICK_CHARACTERS - 1]
        assert text.count(re.sub(r"\s", "", short)) >= 2


def _outside_strings(content: bytes) -> bytes:
    """The objects of a PDF without its streams and without what stands between parentheses."""
    objects = re.sub(rb"stream\r?\n.*?endstream", b"", content, flags=re.DOTALL)
    return re.sub(rb"\((?:\\.|[^\\)])*\)", b"", objects, flags=re.DOTALL)


@pytest.mark.parametrize("start", SIDE_STARTS)
@pytest.mark.parametrize("name", ["token_cosine", "plane_5"])
def test_labels_are_words_of_an_svg(name: str, start: int) -> None:
    comparison = labelled(start)
    figure = figures_of(comparison)[name]
    root = assert_no_markup(image(figure.build(), "svg", DOUBLE, title=figure.title))
    words = {drawn_as("".join(each.itertext())).strip() for each in root.iter(f"{SVG}text")}
    found = [word for word in (drawn_as(visible(label)) for label in comparison.variants) if word.strip() in words]
    # Longer ones are shortened or broken; both are looked at in the figure itself.
    assert set(found) >= {drawn_as(visible(label)) for label in comparison.variants if len(label) <= 24}


class Page(HTMLParser):
    """The tags of a page, and what stands in its scripts and elsewhere."""

    def __init__(self, content: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.texts: dict[str, str] = {}
        self.feed(content.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # Heights differ from figure to figure.
        self.tags.append((tag, tuple(each for each in attrs if each[0] != "style")))

    def handle_data(self, data: str) -> None:
        tag = self.tags[-1][0] if self.tags else ""
        self.texts[tag] = self.texts.get(tag, "") + data


@cache
def usual_page() -> Page:
    figure = figures_of(measurement(blocks=1))["similarity_0"].build()
    return Page(image(figure, "html", DOUBLE, title="usual"))


def test_an_interactive_page_has_the_tags_of_any_other() -> None:
    words = " ".join(map(visible, PAYLOADS))
    of_tokens = figures_of(measurement(words=PAYLOADS[:256], blocks=1))["similarity_0"].build()
    of_labels = figures_of(labelled(0))["token_cosine"].build()
    for figure in (of_tokens, of_labels):
        page = Page(image(figure, "html", DOUBLE, title=words))
        assert page.tags == usual_page().tags
        assert page.texts["title"].strip() == words
        data = page.texts["script"].rpartition("Plotly.newPlot(")[2]
        assert "<" not in data
        assert "\u2028" not in data


class TestNumbers:
    def test_labels_come_back_from_every_format(self) -> None:
        expected = ["baseline", *LABELS]
        few = measurement({"token_cosine": [0.1, 0.2, 0.3]}, words=("a", "b"), blocks=1)
        comparison = Comparison(dict.fromkeys(expected, few), {})
        found = contents(comparison, Parts(("csv", "parquet", "npz", "json")))
        rows = list(csv.DictReader(io.StringIO(found["curves.csv"].decode(), newline="")))
        assert list(dict.fromkeys(row["label"] for row in rows)) == expected
        for table in (
            pd.read_csv(io.BytesIO(found["curves.csv"]), dtype={"label": str}, keep_default_na=False),
            pd.read_parquet(io.BytesIO(found["curves.parquet"])),
        ):
            assert list(dict.fromkeys(table["label"])) == expected
        assert np.load(io.BytesIO(found["arrays.npz"]))["label"].tolist() == expected
        document = json.loads(found["data.json"])
        assert [side["label"] for side in document["sides"]] == expected
        assert list(document["deltas"]) == list(LABELS)
        assert [label for label, _ in ComparisonSettings.from_json(found["settings.json"]).variants] == list(LABELS)

    def test_tokens_come_back(self) -> None:
        found = contents(measurement(words=PAYLOADS, blocks=1, similarity=False), Parts(("npz", "json")))
        tokens = json.loads(found["data.json"])["sides"][0]["tokens"][0]
        assert [token["text"] for token in tokens if token["measured"]] == list(PAYLOADS)
        held = np.load(io.BytesIO(found["arrays.npz"]))
        # NumPy pads texts with NUL characters, and cannot tell them from one at an end.
        assert held["token"].tolist() == [token.rstrip("\0") for token in PAYLOADS]
        assert held["token_id"].tolist() == list(range(len(PAYLOADS)))

    def test_a_model_of_any_name_comes_back(self) -> None:
        table = curves(measurement(blocks=1, words=("a", "b")), "")
        names = [name for name in PAYLOADS if "\r" not in name]
        every = pd.concat([table.assign(label=name) for name in names])
        rows = csv.DictReader(io.StringIO(to_csv(every).decode(), newline=""))
        assert list(dict.fromkeys(row["label"] for row in rows)) == names


def sources(comparison: Comparison) -> dict[str, str]:
    """LaTeX of a comparison, without its comments."""
    names = ("token_cosine", "token_cosine_delta", "similarity_5_baseline")
    figures = {name: figure for name, figure in figures_of(comparison).items() if name in names}
    found = drawings(comparison, figures, ("latex", "pgfplots"), DOUBLE)
    assert len(found) == 5
    return {
        name: "\n".join(line for line in source.decode().split("\n") if not line.startswith("%"))
        for name, source in found.items()
        if name.endswith(".tex")
    }


@cache
def known_commands() -> dict[str, set[str]]:
    return {name: set(COMMAND.findall(source)) for name, source in sources(comparison_of(SIDES)).items()}


@pytest.mark.parametrize("start", SIDE_STARTS)
def test_latex_and_pgfplots_hold_no_command_of_a_label(start: int) -> None:
    labels = list(labelled(start).variants)
    signs = {command for label in (*labels, "…") for command in COMMAND.findall(escaped(label))}
    assert not signs & {r"\input", r"\write", r"\href", r"\end", r"\begin", r"\immediate"}
    written = sources(labelled(start))
    for name, source in written.items():
        assert set(COMMAND.findall(source)) <= known_commands()[name] | signs
        for words in re.findall(r"\\(?:caption|addlegendentry)\{(.*)\}$", source.replace("\n    ", " "), re.MULTILINE):
            assert_harmless(words)
    captions = written["latex/figures.tex"].replace("\n    ", " ")
    for label in labels:
        assert_harmless(escaped(label))
        assert escaped(label) in captions


def test_a_bundle_names_its_sides_without_a_command_or_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "figures_in_it", tuple)
    forged = "x\x1b[2J\n\nTo repeat it\n\n    curl http://127.0.0.1:9/x\u202e"
    few = measurement(words=("a", "b"), blocks=1)
    named = Comparison({"baseline": _called(few, forged)} | dict.fromkeys(LABELS[::16], few), {})
    with zipfile.ZipFile(io.BytesIO(bundle.bundle(named, DOUBLE))) as archive:
        names, readme = archive.namelist(), archive.read("README.txt").decode()
    assert all(re.fullmatch(r"[A-Za-z0-9_/]+\.[a-z]+", name) for name in names)
    lines = readme.split("\n")
    assert lines[0].endswith(f"{visible(forged)}.")
    assert lines[1] == f"Labels of the sides: {'; '.join(map(visible, named.measurements))}"
    assert lines.count("To repeat it") == 1
    assert not [line for line in lines if not line.isprintable() and not {"\u200d"} >= _unprintable(line)]


def _unprintable(text: str) -> set[str]:
    return {sign for sign in text if not sign.isprintable()}


def _called(result: Measurement, name: str) -> Measurement:
    record = result.record
    return replace(result, record=record.model_copy(update={"model": record.model.model_copy(update={"name": name})}))
