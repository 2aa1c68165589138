from __future__ import annotations

import math
from typing import Any

import plotly.graph_objects as go
import pytest
from synthetic import BASE, comparison_of, deep_variant, measurement, points_of, variant

from oversmooth.report.figures.identity import identity
from oversmooth.report.figures.plane import fidelity_plane
from oversmooth.report.figures.theme import DARK, LIGHT
from oversmooth.results.comparison import Comparison
from oversmooth.results.measurement import Measurement, Note


def _side(cosine: float, kept: float, **options: Any) -> Measurement:
    """A variant with these values at the last block."""
    curves = {"token_cosine": [*BASE[:6], cosine, cosine], "cka_to_baseline": [*[1.0] * 6, kept, kept]}
    return measurement(curves, mitigations=["gfsa"], **options)


def _sweep(*values: tuple[float, float]) -> Comparison:
    return comparison_of({f"gain {n}": _side(*value) for n, value in enumerate(values)})


GAIN = _sweep((0.34, 0.995), (0.29, 0.98), (0.16, 0.9), (0.01, 0.63))
NOISE = _sweep((0.355, 0.999), (0.29, 0.8))


def _markers(figure: go.Figure) -> dict[str, tuple[float, float]]:
    return {trace.name: (trace.x[0], trace.y[0]) for trace in figure.data if trace.mode == "markers"}


def _words(figure: go.Figure) -> str:
    return " ".join(note.text for note in figure.layout.annotations).replace("<br>", " ")


def test_each_variant_stands_at_its_fidelity_and_diversity() -> None:
    comparison = comparison_of({"a": _side(0.2, 0.95), "b": _side(0.45, 0.7)})
    figure = fidelity_plane(comparison, "5", controls={}, theme=LIGHT)
    assert _markers(figure) == {"baseline": (1.0, 0.36), "a": (0.95, 0.2), "b": (0.7, 0.45)}
    for position, trace in enumerate(figure.data):
        looks = identity(LIGHT, position)
        assert (trace.marker.color, trace.marker.symbol) == (looks.colour, looks.symbol)
    assert figure.data[1].text[0] == (
        "a<br>Linear CKA to the baseline <b>0.9500</b><br>Token cosine similarity <b>0.2000</b>"
    )
    earlier = fidelity_plane(comparison, "0", controls={}, theme=LIGHT)
    assert set(_markers(earlier).values()) == {(1.0, 0.08)}


def test_controls_are_thin_lines_from_the_baseline_on_in_order_of_strength() -> None:
    comparison = comparison_of({"a": _side(0.2, 0.95)})
    figure = fidelity_plane(comparison, "5", controls={"Gain <x>": GAIN, "Noise": NOISE}, theme=LIGHT)
    gain, noise = [trace for trace in figure.data if trace.mode == "lines+markers"]
    assert list(zip(gain.x, gain.y, strict=True)) == [(1, 0.36), (0.995, 0.34), (0.98, 0.29), (0.9, 0.16), (0.63, 0.01)]
    assert list(zip(noise.x, noise.y, strict=True)) == [(1, 0.36), (0.999, 0.355), (0.8, 0.29)]
    assert gain.line.dash != noise.line.dash
    assert gain.line.color == noise.line.color == LIGHT.muted
    assert max(gain.line.width, gain.marker.size / 5) <= 1
    assert gain.text[4].startswith("Gain &lt;x&gt;<br>gain 3<br>")
    assert {"Gain &lt;x&gt;", "Noise"} <= {note.text for note in figure.layout.annotations}


def test_neither_end_of_an_axis_is_the_good_one() -> None:
    figure = fidelity_plane(comparison_of({"a": _side(0.2, 0.95)}), "5", controls={}, theme=DARK)
    assert figure.layout.xaxis.title.text == "Linear CKA to the baseline<br>← other states    the baseline’s states →"
    assert figure.layout.yaxis.title.text == "Token cosine similarity<br>← tokens differ    tokens alike →"
    assert not figure.layout.shapes
    words = figure.to_json().lower()
    assert not [word for word in ("better", "worse", "good", "bad") if word in words]


def test_variants_apart_from_each_other_are_labelled_directly_and_crowded_ones_in_a_legend() -> None:
    apart = fidelity_plane(comparison_of({"a": _side(0.2, 0.95), "b": _side(0.45, 0.7)}), "5", controls={}, theme=LIGHT)
    assert not apart.layout.showlegend
    assert {"baseline", "a", "b"} <= {note.text for note in apart.layout.annotations}
    crowd = comparison_of({f"variant {n}": _side(0.36 - 0.001 * n, 1 - 0.001 * n) for n in range(6)})
    crowd.measurements["variant 5"].curves["token_cosine"].loc[0, "5"] = 0.9
    crowded = fidelity_plane(crowd, "5", controls={}, theme=LIGHT)
    assert crowded.layout.showlegend
    assert "variant 1" not in {note.text for note in crowded.layout.annotations}


def test_variants_without_fidelity_are_named_with_the_reason() -> None:
    why = "the tokens are all equal"
    dead = _side(0.2, math.nan, notes=[Note("missing", 0, "5", "cka_to_baseline", why)])
    texts = measurement({"token_cosine": [BASE, BASE], "cka_to_baseline": [[1.0] * 8] * 2})
    comparison = comparison_of({"dead": dead, "deep": deep_variant(), "texts": texts, "a": _side(0.2, 0.9)})
    figure = fidelity_plane(comparison, "5", controls={}, theme=LIGHT)
    assert set(_markers(figure)) == {"baseline", "a"}
    for sentence in ("deep: it is another model.", "texts: it reads another text.", f"dead: {why}."):
        assert sentence in _words(figure)
    alone = fidelity_plane(comparison_of({"deep": deep_variant()}), "5", controls={"Gain": GAIN}, theme=LIGHT)
    assert not alone.data
    assert _words(alone) == "No variant to place. deep: it is another model."


def test_at_the_last_block_a_fusion_is_read_where_it_ends() -> None:
    curves = {"token_cosine": [*BASE, 0.2], "cka_to_baseline": [*[1.0] * 8, 0.9]}
    fused = measurement(curves, points=[*points_of(6), "fusion"], mitigations=["fusion"])
    comparison = comparison_of({"fused": fused})
    assert _markers(fidelity_plane(comparison, "5", controls={}, theme=LIGHT))["fused"] == (0.9, 0.2)
    assert _markers(fidelity_plane(comparison, "4", controls={}, theme=LIGHT))["fused"] == (1.0, 0.16)


def test_a_fidelity_that_the_baseline_has_itself_places_it() -> None:
    def side(own: float) -> Measurement:
        return measurement({"token_cosine": BASE, "token_identity_retrieval": [own] * 8})

    comparison = Comparison({"baseline": side(0.77), "a": side(0.97)}, {})
    figure = fidelity_plane(comparison, "5", fidelity="token_identity_retrieval", controls={}, theme=LIGHT)
    assert _markers(figure) == {"baseline": (0.77, 0.36), "a": (0.97, 0.36)}


@pytest.mark.parametrize("variants", range(1, 7))
def test_every_number_of_variants_and_any_metric(variants: int) -> None:
    figure = fidelity_plane(
        comparison_of({f"a<br>{n}": variant(0.15 * n) for n in range(variants)}),
        "5",
        controls={"Gain": GAIN},
        theme=DARK,
    )
    assert len(_markers(figure)) == variants + 1
    assert all("a&lt;br&gt;" in name for name in list(_markers(figure))[1:])
    assert len(figure.to_json()) < 40_000


def test_several_texts_stand_at_their_means_with_their_number() -> None:
    rows = {"token_cosine": [BASE, [2 * value for value in BASE]], "cka_to_baseline": [[0.9] * 8, [0.7] * 8]}
    theirs = measurement({"token_cosine": rows["token_cosine"]})
    ours = measurement(rows)
    ours.curves["cka_to_baseline"].loc[1, "5"] = math.nan
    figure = fidelity_plane(Comparison({"baseline": theirs, "a": ours}, {}), "5", controls={}, theme=LIGHT)
    assert _markers(figure)["a"] == pytest.approx((0.9, 0.54))
    assert figure.data[1].text[0] == (
        "a<br>Linear CKA to the baseline <b>0.9000</b>, mean of 1 of 2 texts"
        "<br>Token cosine similarity <b>0.5400</b>, mean of 2 texts"
    )
    assert "At block 5, mean of 2 texts" in _words(figure)
