from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from charts import NAMES, chart, pdf, redrawn, saying
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen
from matplotlib import font_manager
from poppler import fonts, information, rendered, words

from oversmooth.report.export.images import image, missing_characters
from oversmooth.report.paper import PRESETS, typefaces
from oversmooth.report.paper.axes import ticks
from oversmooth.report.paper.words import plain, wrapped

SINGLE = PRESETS["single"]
SIGN = "\U0010fffd"
"""A character for private use, which no font has."""


@pytest.mark.parametrize(
    ("name", "preset"), [*((name, "single") for name in NAMES), *((name, "double") for name in NAMES if "long" in name)]
)
def test_no_two_words_overlap(name: str, preset: str) -> None:
    # Poppler's boxes reach from the top of the font to its bottom, which is more than the ink.
    boxes = [
        (word, left, top + 0.25 * (bottom - top), right, bottom - 0.2 * (bottom - top))
        for word, (left, top, right, bottom) in words(pdf(name, preset))
        if any(unicodedata.category(each)[0] in "LN" for each in word)
    ]
    for one, other in combinations(boxes, 2):
        across = min(one[3], other[3]) - max(one[1], other[1])
        down = min(one[4], other[4]) - max(one[2], other[2])
        assert min(across, down) < 0.3, (one, other)


def test_labels_of_a_long_map_are_thinned_evenly_where_they_would_overlap() -> None:
    tokens = [word for word, _ in words(pdf("map_long")) if "token" in word]
    shown = sorted({int(word.partition("·")[0]) for word in tokens})
    screen = len(chart("map_long").layout.xaxis.tickvals)
    assert 5 < len(shown) < screen
    assert len({b - a for a, b in pairwise(shown)}) == 1
    # On twice the width there is room for more. A slide is no taller than its page, whatever the font takes there.
    wide = [word for word, _ in words(pdf("map_long", "double")) if "token" in word]
    assert len(set(wide)) > len(shown)


def test_a_long_label_is_cut_and_says_so() -> None:
    text = information(pdf("map_scripts")).text
    assert "…" in text
    assert "supercalifragilistic" not in text
    for token in ("$x^2$", "<b>", "a&b", "café"):
        assert token in text


def test_a_title_longer_than_its_axis_is_broken_into_lines() -> None:
    title = "A metric whose name has many words because it says precisely what is measured and at which points"
    figure = redrawn(chart("curve"), lambda canvas: canvas.value_axis.update(title={"text": title}))
    content = image(figure, "pdf", SINGLE)
    assert {word for word, _ in words(content)} >= set(title.split())
    page = information(content)
    for _, (left, top, right, bottom) in words(content):
        assert left >= 0
        assert top >= -2
        assert right <= page.width
        assert bottom <= page.height + 2


def test_serif_and_sans_serif_are_what_they_say() -> None:
    serif = dataclasses.replace(SINGLE, typeface="serif")
    names = [{font.name.lower() for font in fonts(image(chart("curve"), "pdf", each))} for each in (serif, SINGLE)]
    assert all("serif" in name or "times" in name for name in names[0])
    assert not any("serif" in name or "times" in name for name in names[1])


def test_larger_type_makes_larger_words() -> None:
    large = dataclasses.replace(SINGLE, points=10.0)
    heights = []
    for preset in (SINGLE, large):
        boxes = dict(words(image(chart("curve"), "pdf", preset)))
        heights.append(boxes["embedding"][3] - boxes["embedding"][1])
    assert heights[1] / heights[0] == pytest.approx(10 / 8, rel=1e-3)


@pytest.fixture
def font_with_cubic_outlines(tmp_path: Path) -> Iterator[None]:
    """An installed font that has ``SIGN`` alone, as a black square, with the outlines of PostScript."""
    builder = FontBuilder(1000, isTTF=False)
    builder.setupGlyphOrder([".notdef", "sign"])
    builder.setupCharacterMap({ord(SIGN): "sign"})
    outlines = {}
    for name in (".notdef", "sign"):
        pen = T2CharStringPen(1000, None)
        pen.moveTo((100, 0))
        for corner in ((900, 0), (900, 800), (100, 800)):
            pen.lineTo(corner)
        pen.closePath()
        outlines[name] = pen.getCharString()
    builder.setupCFF("Cubic-Regular", {"FullName": "Cubic"}, outlines, {})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "sign": (1000, 100)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Cubic", "styleName": "Regular", "psName": "Cubic-Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(tmp_path / "cubic.otf")
    before = list(font_manager.fontManager.ttflist)
    font_manager.fontManager.addfont(tmp_path / "cubic.otf")
    _forget()
    yield
    font_manager.fontManager.ttflist[:] = before
    _forget()


def _forget() -> None:
    typefaces._installed.cache_clear()
    typefaces.characters.cache_clear()


@pytest.mark.usefixtures("font_with_cubic_outlines")
def test_a_font_that_is_converted_carries_no_time_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    files = set()
    for moment in ("1", "1000000"):
        # Where this is set, the library of fonts takes it for the time of now.
        monkeypatch.setenv("SOURCE_DATE_EPOCH", moment)
        typefaces._quadratic.cache_clear()
        files.add(image(saying("curve", SIGN), "pdf", SINGLE))
    assert len(files) == 1


@pytest.mark.usefixtures("font_with_cubic_outlines")
def test_a_font_with_cubic_outlines_is_embedded_as_truetype_and_drawn_the_same() -> None:
    figure = saying("curve", f"one {SIGN} <b>two</b>")
    assert missing_characters(figure, SINGLE) == ""
    installed = len(font_manager.fontManager.ttflist)
    content = image(figure, "pdf", SINGLE)
    assert image(figure, "pdf", SINGLE) == content
    assert len(font_manager.fontManager.ttflist) == installed
    kinds = {font.name.partition("+")[2]: font for font in fonts(content)}
    assert kinds["Cubic-Regular"].kind == "CID TrueType"
    assert kinds["Cubic-Regular"].embedded
    found = dict(words(content))
    left, top, right, bottom = (round(2 * end) for end in found[SIGN])
    # A square of 0.8 × 0.8 sizes, black all over.
    ink = rendered(content, 144)[top:bottom, left:right].max(axis=2) < 60
    assert 0.45 < ink.mean() < 0.75


def test_without_that_font_the_character_is_told() -> None:
    figure = saying("curve", SIGN)
    assert missing_characters(figure, SINGLE) == SIGN
    assert "⟨U+10FFFD⟩" in information(image(figure, "pdf", SINGLE)).text


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("a&lt;b&gt; &amp; c", "a<b> & c"),
        ('<span style="color:#fff">●</span> name<br><b>0.3</b>', "● name\n0.3"),
        ("1 < 2", "1 < 2"),
    ],
)
def test_markup_is_read_as_the_screen_reads_it(markup: str, expected: str) -> None:
    assert plain(markup) == expected


def test_lines_are_broken_between_groups_of_words_first() -> None:
    key = '<span style="color:#fff"><b>━</b></span> embedding   <span style="color:#000">━</span> 3   ━ final norm'
    lines = wrapped(key, lambda line: len(line) <= 20)
    assert plain(lines) == "━ embedding   ━ 3\n━ final norm"
    assert plain(wrapped("one two three", lambda line: len(line) <= 8)) == "one two\nthree"
    assert plain(wrapped("indivisible", lambda line: len(line) <= 3)) == "indivisible"


@pytest.mark.parametrize(
    ("settings", "ends", "expected"),
    [
        ({"dtick": 0.1, "tick0": 0, "tickformat": ",.1f"}, (0.0, 0.36), ["0.0", "0.1", "0.2", "0.3"]),
        ({"dtick": 0.5, "tickformat": ".0%"}, (0.0, 1.06), ["0%", "50%", "100%"]),
        ({"dtick": 500, "tickformat": ",.0f"}, (-500.0, 1000.0), ["−500", "0", "500", "1,000"]),
        ({"type": "log", "dtick": 2}, (1e-5, 100.0), ["10⁻⁴", "10⁻²", "1", "10²"]),
        ({"nticks": 8}, (0.4, 11.6), ["2", "4", "6", "8", "10"]),
        ({"tickvals": [1, 2, 50], "ticktext": ["a", "b", "c"]}, (0.0, 10.0), ["a", "b"]),
    ],
)
def test_ticks_stand_where_the_screen_has_them(
    settings: dict[str, object], ends: tuple[float, float], expected: list[str]
) -> None:
    assert [label for _, label in ticks(settings, *ends, {})] == expected
