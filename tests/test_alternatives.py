from __future__ import annotations

import math

import numpy as np
from synthetic import measurement

from oversmooth import alternatives
from oversmooth.measurement import Note

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
        "from −0.250 (“a” and “</s>”) to 0.900 (“b” and “</s>”)."
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
        "The first carries 82 % of the energy; 90 % take 2 of 4. 1 of them lie below the resolution of the states."
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
