"""Hostile words in every figure: plotly, which reads some HTML and TeX, gets them as text."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import plotly.graph_objects as go
import pytest
from payloads import LABELS, PAYLOADS
from synthetic import comparison_of, measurement, variant
from synthetic_explanation import explained

from oversmooth.core.tokens import TICK_CHARACTERS, visible
from oversmooth.report.figures.gallery import figures_of
from oversmooth.report.figures.plane import fidelity_plane
from oversmooth.report.figures.similarity import MOST_LABELS
from oversmooth.report.figures.theme import DARK, LIGHT
from oversmooth.results.measurement import Measurement, Note

OURS = re.compile(r'</?b>|<br>|<extra></extra>|<span style="color:(#[0-9A-Fa-f]{6}|rgb\([0-9, ]+\))">|</span>')
"""The markup that figures are made of."""
SIDES = 41
TEMPLATES = ("hovertemplate", "texttemplate")


def strings(part: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a figure's JSON with the name under which it stands."""
    if isinstance(part, dict):
        for name, each in part.items():
            if name != "template":
                yield from strings(each, name)
    elif isinstance(part, list):
        for each in part:
            yield from strings(each, key)
    elif isinstance(part, str):
        yield key, part


def texts(figure: go.Figure) -> list[tuple[str, str]]:
    return list(strings(json.loads(figure.to_json())))


def without_markup(text: str) -> str:
    return html.unescape(OURS.sub("", text)).replace("\u2068", "").replace("\u2069", "")


def assert_text_alone(figure: go.Figure) -> None:
    """No markup but the figures' own, no TeX, no line feed, no colour or address of a stranger's."""
    for key, text in texts(figure):
        assert not set("<>$\n") & set(OURS.sub("", text)), (key, text)
    templates = {text for key, text in texts(figure) if key in TEMPLATES}
    for template in templates:
        names = re.findall(r"%\{([A-Za-z]+)", template)
        assert set(names) <= {"x", "y", "z", "text", "hovertext", "customdata", "fullData"}, template


def all_words(figure: go.Figure) -> str:
    """What can be read on it and on hover, blanks left out: names are broken into lines at them."""
    return re.sub(r"\s+", "", "\n".join(without_markup(text) for _, text in texts(figure)))


@pytest.mark.parametrize("start", range(0, len(PAYLOADS), MOST_LABELS))
def test_tokens_are_text_in_every_figure_and_whole_on_hover(start: int) -> None:
    tokens = PAYLOADS[start : start + MOST_LABELS]
    result = explained(words=tokens, blocks=2, heads=2)
    figures = {name: each.build() for name, each in figures_of(result, theme=DARK).items()}
    assert len(figures) >= 15
    for figure in figures.values():
        assert_text_alone(figure)
    drawn = figures["similarity_1"]
    seen = [visible(token) for token in tokens]
    expected = [f"“{text}” ({place})" for place, text in enumerate(seen, 1)]  # [CLS] stands at 0.
    for each in (drawn.data[0].x, drawn.data[0].y):
        assert list(map(without_markup, each)) == expected
    for axis in (drawn.layout.xaxis, drawn.layout.yaxis):
        for text, whole in zip(map(without_markup, axis.ticktext), seen, strict=True):
            assert text == whole or (len(text) <= TICK_CHARACTERS and whole.startswith(text.removesuffix("…")))


@cache
def known_templates() -> set[str]:
    """Those of a comparison with usual labels."""
    figures = [drawable.build() for drawable in figures_of(comparison_of(2)).values()]
    return {text for figure in figures for key, text in texts(figure) if key in TEMPLATES}


@pytest.mark.parametrize("start", range(0, len(LABELS), SIDES))
def test_labels_are_text_in_every_figure_and_whole_on_hover(start: int) -> None:
    labels = LABELS[start : start + SIDES]
    comparison = comparison_of({label: variant(-0.01 * place) for place, label in enumerate(labels, 1)})
    found = figures_of(comparison)
    assert len(found) >= 6 + 2 * len(labels)
    for name, drawable in found.items():
        assert re.fullmatch("[a-z0-9_]{1,80}", name)
        figure = drawable.build()
        assert_text_alone(figure)
        assert {text for key, text in texts(figure) if key in TEMPLATES} <= known_templates()
        if not name.startswith(("similarity", "difference")):
            words = all_words(figure)
            for label in labels:
                assert re.sub(r"\s+", "", visible(label)) in words, name
    for place, label in enumerate(labels, 1):
        ours = [drawable for name, drawable in found.items() if re.match(rf"(sim|diff)[a-z]+_5_{place}(_|$)", name)]
        assert len(ours) == 2
        assert all(visible(label) in drawable.title for drawable in ours)


@pytest.mark.parametrize("start", range(0, len(PAYLOADS), MOST_LABELS))
def test_reasons_and_titles_of_sweeps_are_text(start: int) -> None:
    words = PAYLOADS[start : start + MOST_LABELS]
    why = " ".join(words)
    notes = [Note("missing", 0, "3", "token_cosine", why), Note("unresolved", 0, "4", "token_cosine", why)]
    values = [0.1, 0.2, 0.2, 0.2, float("nan"), 0.3, 0.3, 0.3]
    for result in (measurement({"token_cosine": values}, notes=notes), _without_values(notes[0])):
        assert_text_alone(figures_of(result)["token_cosine"].build())
    control = comparison_of(1)
    assert_text_alone(fidelity_plane(comparison_of(1), "5", theme=LIGHT, controls=dict.fromkeys(words, control)))


def _without_values(note: Note) -> Measurement:
    names = ("embedding", *map(str, range(6)), "final_norm")
    notes = [replace(note, point=name) for name in names]
    return measurement({"token_cosine": [float("nan")] * 8}, notes=notes, similarity=False)
