from __future__ import annotations

import math

import pytest
from awkward import SEEN
from synthetic import comparison_of, variant

from oversmooth.report.figures.identity import NAME_CHARACTERS, identity, short_names, sides
from oversmooth.report.figures.theme import DARK, LIGHT, Theme
from oversmooth.results.comparison import MOST_VARIANTS


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_each_of_colour_dash_and_marker_tells_the_sides_apart(theme: Theme) -> None:
    every = [identity(theme, position) for position in range(MOST_VARIANTS + 1)]
    for trait in ("colour", "dash", "symbol", "glyph"):
        assert len({getattr(each, trait) for each in every}) == MOST_VARIANTS + 1
    baseline, *variants = every
    assert (baseline.colour, baseline.dash) == (theme.text, "solid")
    assert [each.colour for each in variants] == list(theme.categories[:MOST_VARIANTS])
    assert all(baseline.width > each.width for each in variants)


def test_more_variants_than_colours_still_differ() -> None:
    looks = {(one.colour, one.symbol) for one in (identity(LIGHT, position) for position in range(31))}
    assert len(looks) == 31


def test_a_side_keeps_its_looks_whatever_its_neighbours_are() -> None:
    few, many = (sides(comparison_of(number), LIGHT) for number in (1, 6))
    assert few == many[:2]


def test_long_labels_are_shortened_in_the_middle_and_kept_apart() -> None:
    labels = [f"softdecay:alpha=-0.6,blend=0.{n}+" + "x" * 150 + "+attnscale:omega=0.5" for n in (1, 2)]
    names = short_names(["baseline", *labels])
    assert names["baseline"] == "baseline"
    assert len(set(names.values())) == 3
    for number, label in enumerate(labels, start=1):
        head, tail = names[label].split("…")
        assert label.startswith(head)
        assert label.endswith(tail.removesuffix(f" ({number})"))
        assert len(names[label]) <= NAME_CHARACTERS + math.ceil(len(" (1)"))


def test_the_whole_label_is_in_the_hover_text_as_itself() -> None:
    label = "<b>x</b> & " + "word " * 36
    side = sides(comparison_of({label: variant(-0.1)}), LIGHT)[1]
    assert side.hover.count("word") == 36
    assert side.hover.startswith("&lt;b&gt;x&lt;/b&gt; &amp; word")
    assert max(map(len, side.hover.split("<br>"))) < 90


def test_awkward_labels_are_seen_as_themselves() -> None:
    names = short_names([text for text in SEEN if len(SEEN[text]) <= NAME_CHARACTERS])
    for text, name in names.items():
        assert name.split(" (")[0] == SEEN[text].split(" (")[0]
