from __future__ import annotations

import math

import alternatives
import numpy as np
from synthetic import broken_variant, comparison_of, deep_variant, fused_variant, measurement, variant

from oversmooth.results.comparison import Comparison
from oversmooth.results.measurement import Measurement, Note

NAN = math.nan


def test_a_curve_is_told_with_its_ends_and_extremes() -> None:
    result = measurement({"token_cosine": [0.1, 0.05, 0.7, 0.6, 0.65]}, blocks=3)
    assert alternatives.curve(result, "token_cosine") == (
        "Token cosine similarity over depth, a line chart: 0.100 at the embedding, 0.600 at block 2, "
        "0.650 at the final norm. Lowest 0.0500 at block 0, highest 0.700 at block 1."
    )


def test_a_curve_with_a_gap_says_so() -> None:
    notes = [Note("missing", 0, "1", "matrix_entropy", "every token is the zero vector")]
    result = measurement({"matrix_entropy": [3.0, 2.0, NAN]}, blocks=2, final_norm=False, notes=notes)
    text = alternatives.curve(result, "matrix_entropy")
    assert "3 nats at the embedding, 2 nats at block 0" in text
    assert text.endswith("No value at block 1: every token is the zero vector.")


def test_an_empty_curve_says_why() -> None:
    notes = [Note("missing", 0, point, "stable_rank", "every token is the zero vector") for point in ("embedding", "0")]
    result = measurement({"stable_rank": [NAN, NAN]}, blocks=1, final_norm=False, notes=notes)
    assert alternatives.curve(result, "stable_rank") == (
        "Stable rank over depth, a line chart, empty. No value at the embedding and block 0: "
        "every token is the zero vector."
    )


def test_a_map_names_its_most_and_least_alike_pairs() -> None:
    result = measurement(words=["a", "b", "</s>"], blocks=1)
    assert result.similarity is not None
    result.similarity.loc["0"] = np.array([[1, 0.5, -0.25], [0.5, 1, 0.9], [-0.25, 0.9, 1]])
    assert alternatives.similarity(result, "0") == (
        "Heat map of the cosine between 3 tokens at block 0: mean 0.383 over pairs, "
        "from −0.250 for “a” (1) and “</s>” (3) to 0.900 for “b” (2) and “</s>” (3)."
    )
    assert alternatives.similarity(result, "embedding") != alternatives.similarity(result, "0")


def test_maps_that_are_not_there_say_why() -> None:
    assert alternatives.similarity(measurement(similarity=False), "0") == "No similarity map at block 0: none was kept."
    result = measurement(notes=[Note("missing", 0, "1", "similarity", "12 activations are infinite")])
    assert result.similarity is not None
    result.similarity.loc["1"] = NAN
    assert alternatives.similarity(result, "1") == "No similarity map at block 1: 12 activations are infinite."
    assert "no pair" in alternatives.similarity(measurement(words=["cat"]), "0")


def test_a_spectrum_is_told_by_its_size_and_energy() -> None:
    result = measurement(words=["a", "b", "c", "d"], blocks=1)
    result.spectra["raw"].loc[0, "0"] = [3.0, 1.0, 1.0, 1e-9]
    result.spectra["floor"].loc[0, "0"] = 1e-6
    assert alternatives.spectrum(result, "0", centred=False) == (
        "Singular values of the tokens at block 0: 4 values from 3 to 1×10⁻⁹. "
        "The first carries 82 % of the energy; 90 % take 2 of 4. 1 of them lie below the resolution of the pass."
    )
    assert "centred tokens at block 0: 3 values" in alternatives.spectrum(result, "0", centred=True)


def test_spectra_that_are_not_there_say_why() -> None:
    one = measurement(words=["cat"], blocks=1)
    assert "one token less its mean leaves nothing" in alternatives.spectrum(one, "0", centred=True)
    assert "1 value from" in alternatives.spectrum(one, "0", centred=False)
    broken = measurement(notes=[Note("missing", 0, "2", "token_cosine", "12 activations are infinite")])
    broken.spectra["raw"].loc[0, "2"] = NAN
    assert alternatives.spectrum(broken, "2", centred=False) == (
        "No spectrum of the tokens at block 2: 12 activations are infinite."
    )


def test_curves_of_a_comparison_are_told_side_by_side() -> None:
    comparison = comparison_of({"a": variant(-0.1), "fused": fused_variant(), "broken": broken_variant()})
    assert alternatives.compared_curve(comparison, "token_cosine") == (
        "Token cosine similarity over depth, a line chart of a baseline and 3 variants. "
        "baseline: 0.06 → 0.36 from the embedding to block 5. "
        "a: 0.06 → 0.32 from the embedding to block 5. "
        "fused: 0.06 → 0.20 from the embedding to the fusion of all blocks. "
        "broken: 0.06 → 0.50 from the embedding to block 5. "
        "No value at block 3 and block 4: 3 activations of 528 are infinite or <not> a number."
    )
    once = comparison_of({"once": measurement({"token_cosine": [0.06, *[math.nan] * 7]}, mitigations=["gfsa"])})
    assert "once: 0.0600 at the embedding. No value" in alternatives.compared_curve(once, "token_cosine")
    empty = alternatives.compared_curve(comparison_of({"deep": deep_variant()}), "cka_to_baseline")
    assert "a baseline and 1 variant, empty. Linear CKA to the baseline is measured on variants" in empty


def test_differences_are_told_with_where_they_begin_and_are_largest() -> None:
    comparison = comparison_of({"a\u202e": variant(-0.1), "same": variant(0.0), "deep": deep_variant()})
    assert alternatives.delta_curve(comparison, "token_cosine") == (
        "Token cosine similarity over depth, variant minus baseline, a line chart. "
        "a⟨U+202E⟩ differs from block 1 on, by −0.0360 at most, at block 5. "
        "same nowhere differs from the baseline. deep: it has 12 blocks, the baseline 6."
    )
    assert "a line chart, empty." in alternatives.delta_curve(comparison_of({"deep": deep_variant()}), "token_cosine")


def test_maps_of_a_comparison_are_told_with_their_side() -> None:
    comparison = comparison_of({"a": variant(-0.1, words=["x", "y", "z"]), "deep": deep_variant()})
    result = comparison.measurements["a"]
    assert alternatives.compared_map(comparison, "a", "0") == f"a: {alternatives.similarity(result, '0')}"
    assert alternatives.difference_map(comparison, "a", "0") == (
        "a: No difference to the baseline: its tokens are not the same."
    )
    base, other = (measurement(words=["x", "y", "z"], blocks=1) for _ in range(2))
    assert base.similarity is not None
    assert other.similarity is not None
    change = np.array([[0, 0.25, -0.5], [0.25, 0, 0], [-0.5, 0, 0]], dtype=np.float32)
    base.similarity.loc["0"] = np.eye(3)
    other.similarity.loc["0"] = np.eye(3) + change
    assert alternatives.difference_map(Comparison({"baseline": base, "b": other}, {}), "b", "0") == (
        "Heat map of the cosine between 3 tokens at block 0, b minus the baseline: mean −0.0833 over pairs, "
        "from −0.500 for “x” (1) and “z” (3) to 0.250 for “x” (1) and “y” (2)."
    )


def test_spectra_of_a_comparison_are_told_side_by_side() -> None:
    comparison = comparison_of({"fused": fused_variant(), "a": variant(-0.1)})
    text = alternatives.compared_spectra(comparison, "5", centred=False)
    assert text.startswith("Spectra of a baseline and 2 variants at block 5, line charts. baseline: Singular values of")
    assert text.count("90 % take") == 3
    fusion = alternatives.compared_spectra(comparison, "fusion", centred=False)
    assert fusion.count("90 % take") == 1
    assert fusion.endswith("baseline and a: it has no such point.")


def test_the_plane_is_told_by_its_coordinates() -> None:
    comparison = comparison_of({"a": variant(-0.5), "deep": deep_variant()})
    controls = {"Noise": comparison_of({"weak": variant(-0.1), "strong": variant(-0.6)})}
    assert alternatives.fidelity_plane(
        comparison, "5", diversity="token_cosine", fidelity="cka_to_baseline", controls=controls
    ) == (
        "Token cosine similarity against Linear CKA to the baseline at block 5, a scatter chart. "
        "baseline: 0.360 at 1. a: 0.180 at 0.750. "
        "Noise, a control, runs from 0.360 at 1 to 0.144 at 0.640. deep: it is another model."
    )


def _two(*rows: list[float]) -> Measurement:
    return measurement({"token_cosine": list(rows)}, blocks=1, final_norm=False)


def test_a_curve_of_several_texts_tells_how_many_and_their_bands() -> None:
    assert alternatives.curve(_two([0.0, 0.2], [0.2, 0.6]), "token_cosine") == (
        "Token cosine similarity over depth, a line chart, mean of 2 texts with a 95 % band: "
        "0.100 (0.00 to 0.20) at the embedding, 0.400 (0.20 to 0.60) at block 0. "
        "Lowest 0.100 at the embedding, highest 0.400 at block 0."
    )


def test_a_comparison_of_several_texts_tells_how_many_each_side_has() -> None:
    sides = {"baseline": _two([0.0, 0.2], [0.2, 0.6]), "a": _two([0.1, 0.3], [0.3, 0.6]), "one": _two([0.1, 0.5])}
    comparison = Comparison(sides, {})
    said = alternatives.compared_curve(comparison, "token_cosine")
    assert "a: 0.20 → 0.45 from the embedding to block 0, mean of 2 texts, 95 % band at the end 0.30 to 0.60." in said
    assert said.endswith("one: 0.10 → 0.50 from the embedding to block 0.")
    told = alternatives.delta_curve(comparison, "token_cosine")
    # Both texts differ by 0.1 at the embedding: a band without width.
    assert (
        "a differs from the embedding on, by +0.100 at most, at the embedding, mean of 2 texts, "
        "95 % band 0.100 to 0.100."
    ) in told
    assert told.endswith("one: the difference of means over other texts, which has no band.")


def test_the_plane_of_several_texts_tells_how_many() -> None:
    rows = {"token_cosine": [[0.1, 0.2]] * 2, "cka_to_baseline": [[1.0, 0.9]] * 2}
    comparison = Comparison(
        {"baseline": _two(*rows["token_cosine"]), "a": measurement(rows, blocks=1, points=["embedding", "0"])}, {}
    )
    axes = {"diversity": "token_cosine", "fidelity": "cka_to_baseline"}
    assert "at block 0, a scatter chart, mean of 2 texts." in alternatives.fidelity_plane(
        comparison, "0", controls={}, **axes
    )
