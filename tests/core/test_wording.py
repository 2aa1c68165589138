from __future__ import annotations

import pytest

from oversmooth.core.wording import bytes_in_words, count, did_you_mean


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 tokens"), (1, "1 token"), (2, "2 tokens"), (1832, "1,832 tokens")]
)
def test_counts(number: int, words: str) -> None:
    assert count(number, "token") == words


def test_counts_of_irregular_nouns() -> None:
    assert count(1, "matrix", "matrices") == "1 matrix"
    assert count(3, "matrix", "matrices") == "3 matrices"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_960, "1.0 MB"),
        (90_868_376, "90.9 MB"),
        (2_471_645_608, "2.5 GB"),
        (3.2e12, "3.2 TB"),
        (5e15, "5000.0 TB"),
    ],
)
def test_bytes(number: float, words: str) -> None:
    assert bytes_in_words(number) == words


def test_the_nearest_word_is_offered_and_a_far_one_is_not() -> None:
    assert did_you_mean("token_cosin", ["rankme", "token_cosine"]) == " (did you mean “token_cosine”?)"
    assert did_you_mean("zzz", ["rankme", "token_cosine"]) == ""
    assert did_you_mean("x", []) == ""
