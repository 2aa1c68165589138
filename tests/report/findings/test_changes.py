from __future__ import annotations

import math

import pytest
from synthetic import measurement

from oversmooth.report.findings import changes, headline
from oversmooth.results.measurement import Note

NAN = math.nan
NOT_FINITE = "3 activations of 528 are infinite or not a number"


def _cosine(*values: float, final_norm: float | None = None, notes: tuple[Note, ...] = ()) -> str:
    every = [*values, *([] if final_norm is None else [final_norm])]
    return headline(
        measurement({"token_cosine": every}, blocks=len(values) - 1, final_norm=final_norm is not None, notes=notes)
    )


def test_rising_says_where() -> None:
    assert _cosine(0.06, 0.08, 0.10, 0.12, 0.14, 0.16, 0.36) == (
        "Tokens grow alike: mean cosine 0.06 → 0.36 over 6 blocks, most of it in block 5, the last."
    )


def test_the_final_norm_is_not_a_block() -> None:
    assert _cosine(0.06, 0.10, 0.20, final_norm=0.95).startswith("Tokens grow alike: mean cosine 0.06 → 0.20")


def test_falling() -> None:
    assert _cosine(0.8, 0.3, 0.25) == (
        "Tokens grow apart: mean cosine 0.80 → 0.25 over 2 blocks, most of it in block 0, the first."
    )


def test_no_block_takes_most() -> None:
    assert _cosine(0.1, 0.2, 0.32, 0.4) == (
        "Tokens grow alike: mean cosine 0.10 → 0.40 over 3 blocks, the largest step (+0.12) in block 1."
    )


def test_a_step_against_the_trend_is_not_most_of_it() -> None:
    assert _cosine(0.5, 0.1, 0.3, 0.5, 0.7) == (
        "Tokens grow alike: mean cosine 0.50 → 0.70 over 4 blocks, the largest step (−0.40) in block 0, the first, "
        "reaching 0.10 at block 0 in between."
    )


def test_flat_says_what_flat_means() -> None:
    assert _cosine(0.30, 0.31, 0.30, 0.31) == (
        "Tokens stay as alike as they were: mean cosine 0.30 → 0.31 over 3 blocks, a change of less than 0.02."
    )


def test_flat_ends_do_not_hide_what_lies_between() -> None:
    sentence = _cosine(0.30, 0.90, 0.31)
    assert "a change of less than 0.02, reaching 0.90 at block 0 in between" in sentence


def test_a_single_block_has_no_where() -> None:
    assert _cosine(0.1, 0.5) == "Tokens grow alike: mean cosine 0.10 → 0.50 over 1 block."


def test_another_metric_speaks_for_itself() -> None:
    sentence = headline(measurement({"effective_rank": [26.3, 25.0, 19.4]}, blocks=2, final_norm=False))
    assert sentence == "Effective rank falls: 26.3 → 19.4 over 2 blocks, most of it in block 1, the last."


def test_another_metric_that_hardly_changes() -> None:
    sentence = headline(measurement({"matrix_entropy": [3.0, 3.01, 3.02]}, blocks=2, final_norm=False))
    assert sentence == "Matrix entropy hardly changes: 3.00 → 3.02 nats over 2 blocks, a change of less than 2 %."


def test_the_mean_cosine_leads_wherever_it_stands() -> None:
    curves = {"effective_rank": [5.0, 4.0], "token_cosine": [0.1, 0.5]}
    assert headline(measurement(curves, blocks=1, final_norm=False)).startswith("Tokens grow alike")


def test_one_token_says_why_there_is_nothing() -> None:
    names = ("embedding", "0", "1")
    notes = [Note("missing", 0, point, "token_cosine", "needs at least two tokens") for point in names]
    result = measurement({"token_cosine": [NAN] * 3}, words=["cat"], blocks=2, final_norm=False, notes=notes)
    assert headline(result) == "Token cosine similarity has no value: needs at least two tokens."
    assert math.isnan(changes(result, ["token_cosine"])[0].first)


def test_a_broken_layer_is_named_and_the_others_are_told() -> None:
    notes = tuple(Note("missing", 0, point, "token_cosine", NOT_FINITE) for point in ("2", "3"))
    assert _cosine(0.1, 0.2, 0.5, NAN, NAN, notes=notes) == (
        "Tokens grow alike: mean cosine 0.10 → 0.50 from the embedding to block 1, most of it in block 1. "
        f"No value at block 2 and block 3: {NOT_FINITE}."
    )


def test_many_broken_layers_are_counted() -> None:
    notes = tuple(Note("missing", 0, str(block), "token_cosine", NOT_FINITE) for block in range(1, 6))
    sentence = _cosine(0.1, 0.2, *[NAN] * 5, notes=notes)
    assert f"No value at 5 points from block 1 to block 5: {NOT_FINITE}." in sentence


def test_only_the_embedding_is_left() -> None:
    notes = (Note("missing", 0, "0", "token_cosine", NOT_FINITE),)
    assert _cosine(0.25, NAN, notes=notes) == (
        f"Token cosine similarity is 0.250 at the embedding. No value at block 0: {NOT_FINITE}."
    )


def test_unresolved_values_are_told() -> None:
    why = "the tokens are equal to within the rounding of their float32 states"
    note = Note("unresolved", 0, "1", "high_frequency_share", why)
    sentence = headline(
        measurement({"high_frequency_share": [0.5, 0.1, 1e-16]}, blocks=2, final_norm=False, notes=[note])
    )
    assert sentence.startswith("High-frequency share falls:")
    assert sentence.endswith(f"Below resolution at block 1: {why}.")


def test_several_texts_speak_as_their_mean() -> None:
    result = measurement({"token_cosine": [[0.0, 0.2], [0.2, 0.6]]}, blocks=1, final_norm=False)
    assert headline(result) == (
        "Tokens grow alike: mean cosine 0.10 → 0.40 over 1 block (mean of 2 texts, 95 % band at the end 0.20 to 0.60)."
    )


def test_both_ends_are_of_the_same_texts() -> None:
    rows = [[0.0, 0.2, 0.6], [0.2, 0.2, NAN]]
    sentence = headline(measurement({"token_cosine": rows}, blocks=2, final_norm=False))
    assert sentence.startswith("Tokens grow alike: mean cosine 0.00 → 0.60 over 2 blocks (mean of 1 of 2 texts), most")


def test_a_text_that_ends_early_does_not_turn_a_rise_into_a_fall() -> None:
    rows = [[0.1, 0.15, 0.2], [0.9, 0.9, NAN]]
    result = measurement({"token_cosine": rows}, blocks=2, final_norm=False)
    # The means over all texts with a value are 0.50 and 0.20.
    assert list(result.curve("token_cosine").values())[::2] == [0.5, 0.2]
    assert headline(result).startswith(
        "Tokens grow alike: mean cosine 0.10 → 0.20 over 2 blocks (mean of 1 of 2 texts)"
    )
    (change,) = changes(result, ["token_cosine"])
    assert (change.first, change.last) == (0.1, 0.2)
    assert change.size == pytest.approx(0.05)


def test_texts_that_never_meet_are_told_by_the_one_that_reaches_furthest() -> None:
    rows = [[0.1, 0.3, 0.4, NAN], [NAN, NAN, 0.9, 0.95]]
    result = measurement({"token_cosine": rows}, blocks=3, final_norm=False)
    assert headline(result).startswith(
        "Tokens grow alike: mean cosine 0.10 → 0.40 from the embedding to block 1 (mean of 1 of 2 texts)"
    )


def test_changes_hold_the_numbers_of_the_summary() -> None:
    result = measurement({"token_cosine": [0.1, 0.2, 0.7, 0.6, 0.9], "effective_rank": [9.0, 8, 7, 2, 1]}, blocks=3)
    cosine, rank = changes(result, ["token_cosine", "effective_rank"])
    assert (cosine.metric, cosine.first, cosine.last, cosine.block) == ("token_cosine", 0.1, 0.6, "1")
    assert cosine.size == pytest.approx(0.5)
    assert (rank.first, rank.last, rank.block, rank.size) == (9.0, 2.0, "2", -5.0)


def test_points_inside_blocks_are_no_steps() -> None:
    points = ["embedding", "0.attention", "0", "1.attention", "1"]
    result = measurement({"token_cosine": [0.1, 0.9, 0.2, 0.9, 0.5]}, points=points)
    (change,) = changes(result, ["token_cosine"])
    assert change.block == "1"
    assert change.size == pytest.approx(0.3)


def test_a_reason_tells_how_many_texts_it_holds_for() -> None:
    notes = [Note("missing", 1, "0", "token_cosine", "needs at least two tokens")]
    result = measurement({"token_cosine": [[0.1, 0.2], [0.1, NAN]]}, blocks=1, final_norm=False, notes=notes)
    assert result.reason("token_cosine", "0") == "needs at least two tokens (in 1 of 2 texts)"


def test_a_step_that_is_taken_back_is_not_most_of_it() -> None:
    assert _cosine(0.1, 0.5, 0.4) == (
        "Tokens grow alike: mean cosine 0.10 → 0.40 over 2 blocks, the largest step (+0.40) in block 0, the first, "
        "reaching 0.50 at block 0 in between."
    )


class TestNearOne:
    """A cosine near 1 is read by its distance to 1."""

    def test_a_small_rise_is_none_where_the_distance_falls_twenty_fold(self) -> None:
        assert _cosine(0.98, 0.985, 0.999) == (
            "Tokens grow alike: mean cosine 0.980 → 0.999 over 2 blocks, 1 − cosine 20 times as small, most of it in "
            "block 1, the last."
        )

    def test_a_small_fall_likewise(self) -> None:
        assert _cosine(0.999, 0.985).startswith(
            "Tokens grow apart: mean cosine 0.999 → 0.985 over 1 block, 1 − cosine 15 times as large"
        )

    def test_less_than_twice_is_no_change(self) -> None:
        assert _cosine(0.96, 0.979) == (
            "Tokens stay as alike as they were: mean cosine 0.96 → 0.98 over 1 block, a change of less than 0.02."
        )

    def test_what_float32_does_not_tell_from_one_is_no_change(self) -> None:
        assert _cosine(1.0, 0.99999999999996) == (
            "Tokens stay as alike as they were: mean cosine 1 → 1 − 4×10⁻¹⁴ over 1 block, a change of less than 0.02."
        )

    def test_to_one_itself_has_no_ratio(self) -> None:
        assert _cosine(0.99, 1.0).startswith(
            "Tokens grow alike: mean cosine 0.99 → 1.00 over 1 block, 1 − cosine to less than 1×10⁻¹²"
        )

    def test_on_the_way_too(self) -> None:
        assert _cosine(0.985, 0.9995, 0.986) == (
            "Tokens end as alike as they began: mean cosine 0.985 → 0.986 over 2 blocks, a change of less than 0.02, "
            "reaching 0.9995 at block 0 in between."
        )

    def test_a_way_there_and_back_is_no_staying(self) -> None:
        assert _cosine(0.1, 0.95, 0.11).startswith("Tokens end as alike as they began: mean cosine 0.10 → 0.11")
        there = headline(measurement({"matrix_entropy": [3.0, 1.0, 3.0]}, blocks=2, final_norm=False))
        assert there.startswith("Matrix entropy comes back: 3 → 3 nats over 2 blocks")

    def test_of_another_metric_that_ends_at_one(self) -> None:
        sentence = headline(measurement({"explained_variance_1": [0.985, 0.9999]}, blocks=1, final_norm=False))
        assert sentence.startswith(
            "Explained variance EV₁ rises: 0.9850 → 0.9999 over 1 block, its distance to 1 150 times as small"
        )

    def test_a_metric_without_that_end_has_no_such_reading(self) -> None:
        sentence = headline(measurement({"matrix_entropy": [0.985, 0.9999]}, blocks=1, final_norm=False))
        assert sentence.startswith("Matrix entropy hardly changes")


def test_equal_steps_are_all_named() -> None:
    assert _cosine(0.0, 0.25, 0.5, 0.75, 1.0).endswith(
        "over 4 blocks, the largest steps (+0.25) in 4 blocks from block 0 to block 3."
    )
    assert _cosine(0.5, 0.75, 0.5, 0.6).endswith(
        "the largest steps (±0.25) in block 0 and block 1, reaching 0.75 at block 0 in between."
    )
