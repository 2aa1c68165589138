"""What is said of a comparison: the sentence for every kind of variant, and the rows of the table."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import xarray as xr
from synthetic import broken_variant, comparison_of, deep_variant, fused_variant, measurement, variant

from oversmooth.report.findings import comparison_headline, differences
from oversmooth.report.findings.spread import delta_spreads
from oversmooth.results.comparison import BASELINE, Comparison
from oversmooth.results.measurement import Measurement, Note

NAN = math.nan
JUDGING = ("better", "worse", "improve", "good", "bad")


def side(*cosines: float, kept: float | None = None, notes: tuple[Note, ...] = ()) -> Measurement:
    """A mean cosine over two blocks."""
    curves = {"token_cosine": list(cosines)}
    if kept is not None:
        curves["cka_to_baseline"] = [1.0, 1.0, kept]
    return measurement(curves, blocks=2, final_norm=False, notes=notes)


def of(**variants: Measurement) -> Comparison:
    return Comparison({BASELINE: side(0.1, 0.2, 0.4), **variants}, {})


class TestHeadline:
    def test_of_one_variant_says_from_where_to_where_and_what_is_left(self) -> None:
        assert comparison_headline(of(sharp=side(0.1, 0.3, 0.52, kept=0.921))) == (
            "Mean cosine at block 1: sharp raises it from 0.40 to 0.52; linear CKA to the baseline 0.921."
        )

    def test_of_several_names_the_one_that_differs_most(self) -> None:
        found = of(a=side(0.1, 0.2, 0.45), b=side(0.1, 0.2, 0.15, kept=0.7), c=side(0.1, 0.2, 0.6))
        assert comparison_headline(found) == (
            "Mean cosine at block 1: b lowers it from 0.40 to 0.15, the largest difference of 3 variants; "
            "linear CKA to the baseline 0.700."
        )

    def test_small_differences_keep_their_digits(self) -> None:
        assert "from 0.4000 to 0.4003" in comparison_headline(of(a=side(0.1, 0.2, 0.4003)))

    def test_a_variant_that_changes_nothing(self) -> None:
        assert comparison_headline(of(same=side(0.1, 0.2, 0.4, kept=1.0))) == (
            "Mean cosine at block 1: same leaves it at 0.400; linear CKA to the baseline 1."
        )

    def test_of_another_model_speaks_of_no_change(self) -> None:
        assert comparison_headline(comparison_of({"deep": deep_variant()})) == (
            "Mean cosine: deep has 0.47 at block 11, the baseline 0.36 at block 5."
        )

    def test_of_another_text_speaks_of_no_change(self) -> None:
        other = side(0.1, 0.2, 0.5)
        other = replace(other, settings=other.settings.model_copy(update={"texts": ("another",)}))
        assert comparison_headline(of(other=other)) == "Mean cosine at block 1: other has 0.50, the baseline 0.40."

    def test_of_a_fusion_names_both_places(self) -> None:
        assert comparison_headline(comparison_of({"fusion": fused_variant()})) == (
            "Mean cosine: fusion lowers it from 0.36 at block 5 to 0.20 at the fusion of all blocks."
        )

    def test_without_a_variant_gives_the_baseline(self) -> None:
        assert comparison_headline(of()) == "Mean cosine at block 1: 0.400 in the baseline, with no variant beside it."

    def test_a_variant_without_a_value_is_told_and_not_counted(self) -> None:
        why = Note("missing", 0, "1", "token_cosine", "3 activations of 528 are infinite or not a number")
        found = of(a=side(0.1, 0.2, 0.5), b=side(0.1, 0.2, NAN, notes=(why,)))
        assert comparison_headline(found) == (
            "Mean cosine at block 1: a raises it from 0.40 to 0.50. "
            "No value for b: 3 activations of 528 are infinite or not a number."
        )
        assert comparison_headline(of(b=side(0.1, 0.2, NAN, notes=(why,)))) == (
            "Mean cosine at block 1: 0.400 in the baseline. "
            "No value for b: 3 activations of 528 are infinite or not a number."
        )

    def test_a_baseline_without_a_value(self) -> None:
        why = tuple(Note("missing", 0, point, "token_cosine", "needs at least two tokens") for point in ("0", "1"))
        found = Comparison({BASELINE: side(NAN, NAN, NAN, notes=why), "a": side(0.1, 0.2, 0.3)}, {})
        assert comparison_headline(found) == (
            "Mean cosine at block 1: no value. No value for baseline: needs at least two tokens."
        )

    def test_another_metric_goes_by_its_title(self) -> None:
        ranks = [measurement({"effective_rank": [9.0, last]}, blocks=1, final_norm=False) for last in (7.0, 8.5)]
        assert comparison_headline(Comparison({BASELINE: ranks[0], "a": ranks[1]}, {})) == (
            "Effective rank at block 0: a raises it from 7.00 to 8.50."
        )

    def test_several_texts_speak_as_their_mean(self) -> None:
        two = [measurement({"token_cosine": [[0, 0.2], [0, end]]}, blocks=1, final_norm=False) for end in (0.4, 0.6)]
        assert comparison_headline(Comparison({BASELINE: two[0], "a": two[1]}, {})) == (
            "Mean cosine (mean of 2 texts) at block 0: a raises it from 0.30 to 0.40 "
            "(95 % band of the difference 0.00 to 0.20)."
        )

    def test_a_difference_is_of_the_texts_that_both_have(self) -> None:
        # Over all its texts the variant's mean is above the baseline's; of the same text it is below.
        rows = ([[0, 0.2], [0, 0.9]], [[0, NAN], [0, 0.7]])
        two = [measurement({"token_cosine": each}, blocks=1, final_norm=False) for each in rows]
        assert comparison_headline(Comparison({BASELINE: two[0], "a": two[1]}, {})) == (
            "Mean cosine (mean of 1 of 2 texts) at block 0: a lowers it from 0.90 to 0.70."
        )
        assert comparison_headline(Comparison({BASELINE: two[1], "a": two[0]}, {})) == (
            "Mean cosine (mean of 1 of 2 texts) at block 0: a raises it from 0.70 to 0.90."
        )

    def test_sides_without_a_common_text_are_not_set_against_each_other(self) -> None:
        rows = ([[0, 0.2], [0, NAN]], [[0, NAN], [0, 0.7]])
        two = [measurement({"token_cosine": each}, blocks=1, final_norm=False) for each in rows]
        assert comparison_headline(Comparison({BASELINE: two[0], "a": two[1]}, {})) == (
            "Mean cosine (mean of 2 texts) at block 0: 0.200 in the baseline. "
            "No text has a value both in the baseline and in a."
        )

    def test_a_difference_too_small_for_the_decimals_is_a_number_of_its_own(self) -> None:
        assert comparison_headline(of(a=side(0.1, 0.2, 0.4 + 3e-7))) == (
            "Mean cosine at block 1: a raises it by 3×10⁻⁷ from 0.400."
        )

    def test_of_equal_differences_none_is_the_largest(self) -> None:
        said = comparison_headline(of(a=side(0.1, 0.2, 0.5), b=side(0.1, 0.2, 0.3), c=side(0.1, 0.2, 0.35)))
        assert said == (
            "Mean cosine at block 1: a raises it from 0.40 to 0.50, the largest difference of 3 variants "
            "(1 other as large)."
        )

    def test_the_largest_is_that_of_the_differences(self) -> None:
        rows = {"baseline": [[0, 0.2], [0, 0.9]], "gap": [[0, NAN], [0, 0.8]], "a": [[0, 0.4], [0, 1.1]]}
        sides = {label: measurement({"token_cosine": each}, blocks=1, final_norm=False) for label, each in rows.items()}
        # The mean of “gap” lies 0.25 above the baseline's, for want of the first text.
        assert "at block 0: a raises it from 0.55 to 0.75 (95 % band" in comparison_headline(Comparison(sides, {}))

    def test_other_texts_have_no_band(self) -> None:
        rows = ([[0, 0.2], [0, 0.4]], [[0, 0.5], [0, 0.6], [0, 0.7]])
        two = [measurement({"token_cosine": each}, blocks=1, final_norm=False) for each in rows]
        assert comparison_headline(Comparison({BASELINE: two[0], "a": two[1]}, {})) == (
            "Mean cosine (mean of 2 texts) at block 0: a has 0.60, the baseline 0.30."
        )

    def test_a_variant_without_the_metric_is_told(self) -> None:
        other = measurement({"effective_rank": [3.0, 2.0, 1.0]}, blocks=2, final_norm=False)
        assert comparison_headline(of(a=other)) == (
            "Mean cosine at block 1: 0.400 in the baseline. a was not measured with it."
        )

    @pytest.mark.parametrize("number", [1, 2, 6])
    def test_never_judges(self, number: int) -> None:
        said = comparison_headline(comparison_of(number, failures={"gone": "It is gone."})).lower()
        assert not any(word in said for word in JUDGING)


class TestDifferences:
    def test_a_row_for_each_side_in_order(self) -> None:
        rows = differences(comparison_of({"half": variant(-0.5), "deep": deep_variant()}), ["token_cosine"])
        assert [row.label for row in rows] == [BASELINE, "half", "deep"]
        assert [row.point for row in rows] == ["5", "5", "11"]
        assert [row.incomparable for row in rows] == ["", "", "it has 12 blocks, the baseline 6"]

    def test_the_baseline_has_values_and_no_differences(self) -> None:
        found = differences(comparison_of(1), ["token_cosine"])[0].differences["token_cosine"]
        assert found.last == 0.36
        assert math.isnan(found.delta)
        assert math.isnan(found.largest)
        assert found.parting is None
        assert found.largest_point is None

    def test_a_variant_has_value_delta_parting_and_largest(self) -> None:
        # The final norm is shown, and is not the end.
        peak = measurement({"token_cosine": [0.06, 0.08, 0.5, 0.12, 0.14, 0.16, 0.30, 0.35]})
        found = differences(comparison_of({"peak": peak}), ["token_cosine"])[1].differences["token_cosine"]
        assert (found.last, found.parting, found.largest_point) == (0.30, "1", "1")
        assert found.delta == pytest.approx(-0.06)
        assert found.largest == pytest.approx(0.40)

    def test_what_cannot_be_compared_keeps_its_value(self) -> None:
        found = differences(comparison_of({"deep": deep_variant()}), ["token_cosine"])[1].differences["token_cosine"]
        assert found.last == pytest.approx(0.1 + 0.4 * 12 / 13)
        assert math.isnan(found.delta)
        assert (found.parting, found.largest_point) == (None, None)

    def test_a_metric_that_a_side_lacks_has_no_value(self) -> None:
        rows = differences(comparison_of(1), ["effective_rank"])
        assert all(math.isnan(row.differences["effective_rank"].last) for row in rows)

    def test_missing_values_in_between_do_not_hide_the_end(self) -> None:
        found = differences(comparison_of({"broken": broken_variant()}), ["token_cosine"])[1].differences
        assert found["token_cosine"].last == 0.5
        assert found["token_cosine"].largest == pytest.approx(0.14)

    def test_fidelity_is_read_at_the_end_and_the_output_as_the_mean_over_texts(self) -> None:
        loss = xr.Dataset({"language_model_loss": ("input", [2.0, 4.0]), "output_kl": ("input", [NAN, NAN])})
        measured = replace(variant(-0.5), outputs=loss)
        rows = differences(comparison_of({"half": measured}), ["token_cosine"])
        assert rows[0].fidelity == {}
        assert list(rows[1].fidelity) == ["cka_to_baseline", "language_model_loss", "output_kl"]
        assert rows[1].fidelity["cka_to_baseline"] == pytest.approx(0.75)
        assert rows[1].fidelity["language_model_loss"] == 3.0
        assert math.isnan(rows[1].fidelity["output_kl"])


def test_one_text_has_no_spread_of_its_differences() -> None:
    assert delta_spreads(of(a=side(0.1, 0.3, 0.5)), "token_cosine", "a") == {}
