from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import plotly.io as pio
import pytest
from synthetic import comparison_of, measurement

from oversmooth.report.figures import CONFIG
from oversmooth.report.figures.canvas import blank
from oversmooth.report.figures.compared_curves import compared_curve
from oversmooth.report.figures.compared_maps import compared_map, difference_map
from oversmooth.report.figures.compared_spectra import compared_spectra
from oversmooth.report.figures.curves import curve, small_curve
from oversmooth.report.figures.deltas import delta_curve
from oversmooth.report.figures.plane import fidelity_plane
from oversmooth.report.figures.similarity import similarity_map
from oversmooth.report.figures.spectrum import spectrum
from oversmooth.report.figures.theme import DARK, LIGHT, Theme, value_axis

BOTH = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])


def _linear(colour: str) -> list[float]:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]


def _luminance(colour: str) -> float:
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@BOTH
def test_text_and_accent_are_legible(theme: Theme) -> None:
    assert _contrast(theme.text, theme.paper) >= 7
    assert _contrast(theme.muted, theme.paper) >= 4.5
    # "missing" stands on the colour of the grid.
    assert _contrast(theme.muted, theme.grid) >= 4.5
    assert _contrast(theme.accent, theme.paper) >= 4.5
    assert _contrast(theme.grid, theme.paper) < 1.6


@BOTH
def test_categories_differ_in_colour(theme: Theme) -> None:
    for one, other in itertools.combinations(theme.categories, 2):
        assert math.dist(_linear(one), _linear(other)) > 0.1


@BOTH
def test_depth_runs_from_faint_to_strong(theme: Theme) -> None:
    colours = [theme.depth_colour(share / 10) for share in range(11)]
    hexes = ["#" + "".join(f"{int(float(c)):02x}" for c in colour[4:-1].split(",")) for colour in colours]
    contrasts = [_contrast(colour, theme.paper) for colour in hexes]
    assert contrasts == sorted(contrasts)
    assert contrasts[0] > 1.4


@pytest.fixture
def foreign_default() -> Iterator[None]:
    """Another library has set plotly's shared template, as importing streamlit does."""
    before = pio.templates.default
    pio.templates.default = "seaborn"
    yield
    pio.templates.default = before


def _all(theme: Theme) -> list[str]:
    result = measurement(blocks=2, final_norm=False)
    comparison = comparison_of(3)
    label = next(iter(comparison.variants))
    return [
        figure.to_json()
        for figure in (
            curve(result, "token_cosine", theme=theme, selected="1"),
            small_curve(result, "token_cosine", theme=theme),
            similarity_map(result, "1", theme=theme),
            spectrum(result, "1", centred=False, logarithmic=True, theme=theme),
            blank("why", theme),
            compared_curve(comparison, "token_cosine", theme=theme, selected="1"),
            delta_curve(comparison, "token_cosine", theme=theme),
            compared_map(comparison, label, "1", theme=theme),
            difference_map(comparison, label, "1", theme=theme),
            compared_spectra(comparison, "1", centred=False, logarithmic=True, theme=theme),
            fidelity_plane(comparison, "5", controls={"control": comparison}, theme=theme),
        )
    ]


@BOTH
def test_a_figure_does_not_depend_on_shared_defaults(theme: Theme, request: pytest.FixtureRequest) -> None:
    before = _all(theme)
    request.getfixturevalue("foreign_default")
    assert _all(theme) == before
    assert all(theme.paper in figure for figure in before)


def test_nothing_is_sent_to_a_cloud() -> None:
    assert CONFIG["showSendToCloud"] is False
    assert "sendChartToCloud" in CONFIG["modeBarButtonsToRemove"]
    assert CONFIG["displaylogo"] is False
    assert CONFIG["typesetMath"] is False


def test_a_blank_figure_shows_its_reason_whole() -> None:
    text = blank("No value: <b> & so on, " + "word " * 12, LIGHT).layout.annotations[0].text
    assert text.replace("<br>", " ").startswith("No value: &lt;b&gt; &amp; so on, word")
    assert text.count("word") == 12


@pytest.mark.parametrize(
    ("low", "high", "from_zero", "step", "form"),
    [
        (0.06, 0.36, True, 0.1, ",.1f"),
        (0.0, 0.27, True, 0.05, ",.2f"),
        (-0.045, -0.028, True, 0.01, ",.2f"),
        (2.1, 2.5, False, 0.1, ",.1f"),
        (0.0, 26.0, True, 5.0, ",.0f"),
        (0.0, 5000.0, True, 1000.0, ",.0f"),
        (0.0, 3e-8, True, 5e-9, "~g"),
        (5.0, 5.0, False, 1.0, ",.0f"),
    ],
)
def test_value_axes_have_round_steps(low: float, high: float, from_zero: bool, step: float, form: str) -> None:
    axis = value_axis(low, high, ticks=6, from_zero=from_zero)
    bottom, top = axis["range"]
    assert bottom <= low <= high <= top
    assert bottom < top
    assert axis["dtick"] == pytest.approx(step)
    assert axis["tickformat"] == form
    if from_zero:
        assert bottom <= 0 <= top
