from __future__ import annotations

from dataclasses import replace

import numpy as np
from synthetic import measurement
from synthetic_explanation import explained, points_inside

from oversmooth import explained_alternatives as alternatives
from oversmooth.measurement import Measurement

ROOT = "attention_root_lambda"


def _all(result: Measurement) -> list[str]:
    return [
        alternatives.branch_gains(result),
        alternatives.attention_map(result, ROOT),
        alternatives.attention_adjacent(result),
        alternatives.norm_deviation(result),
        alternatives.smoothing_bound(result),
        alternatives.circuit_eigenvalues(result, 0),
        alternatives.dominance(result),
        alternatives.within_between(result),
        alternatives.layer_cka(result),
    ]


def test_a_waterfall_is_told_by_its_largest_steps() -> None:
    names = points_inside(1, "post")
    result = measurement({"token_cosine": [0.1, 0.9, 0.3, 0.2, 0.6, 0.25, 0.5]}, points=names, blocks=1)
    assert alternatives.waterfall(result, "token_cosine", detail="stream") == (
        "Token cosine similarity over the steps of each block, a waterfall chart: 0.10 → 0.50 from the embedding to "
        "block 0 in 4 steps. The largest: block 0's MLP output norm +0.250, block 0's attention branch and residual "
        "add +0.200 and block 0's attention output norm −0.100."
    )


def test_a_map_is_told_with_its_extremes() -> None:
    result = explained(blocks=2, heads=2, texts=1)
    assert result.explanation is not None
    result.explanation.attention[ROOT][:] = np.array([[[0.5, 0.25], [1.5, 0.75]]])
    result.explanation.attention[f"{ROOT}_null"][:] = np.array([[[0.5, 0.5], [1.0, 0.5]]])
    assert alternatives.attention_map(result, ROOT) == (
        "Root lambda of attention of each head, heat maps over blocks and heads: from 0.250 (block 0, head 1) to 1.50 "
        "(block 1, head 0). Of shuffled attention: from 0.500 (block 0, head 0) to 1 (block 1, head 0)."
    )
    assert "from −0.250 (block 0, head 1) to 0.500 (block 1, head 0)" in alternatives.attention_map(
        result, ROOT, difference=True
    )


def test_kinds_of_heads_are_counted() -> None:
    result = explained(blocks=2, heads=2)
    assert result.explanation is not None
    kinds = np.array([["smoothing", "tied"], ["smoothing", "smoothing"]])
    dominance = result.explanation.dominance.assign(dominant_kind=(("layer", "head"), kinds))
    result = replace(result, explanation=replace(result.explanation, dominance=dominance))
    assert alternatives.dominance(result).endswith("Heads: 3 smoothing and 1 tied.")


def test_cosines_are_told_at_the_last_point() -> None:
    result = explained(blocks=2, heads=1)
    assert result.explanation is not None
    corpus = result.explanation.corpus
    within = float(corpus["within"].sel(form="raw", point="1"))
    text = alternatives.within_between(result)
    assert f"Raw, at block 1: within {within:.3f}, between 0.0200, difference +{within - 0.02:.3f}." in text


def test_every_chart_has_numbers_in_its_text() -> None:
    for text in [*_all(explained(blocks=2, heads=2)), alternatives.spectrum_cdf(measurement())]:
        assert any(character.isdigit() for character in text), text
        assert "nan" not in text


def test_what_is_missing_says_why() -> None:
    for text in _all(explained(blocks=2, heads=2, family="plain", texts=1)):
        assert (
            "Attention cannot be read" in text or "not known" in text or "One text alone" in text or "No bound" in text
        )
    for text in _all(measurement()):
        assert "no explanation was measured" in text or "were not measured" in text
