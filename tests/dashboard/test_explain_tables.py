"""The tables behind the charts of an explanation: a row for each thing drawn, with its numbers."""

from __future__ import annotations

import pytest
from synthetic_explanation import explained

from oversmooth.dashboard.explain import tables as explain_tables
from oversmooth.results import waterfall
from oversmooth.results.measurement import Measurement


@pytest.fixture
def found() -> Measurement:
    return explained(blocks=3, heads=2, texts=4)


def test_each_part_has_a_row_for_each_thing_drawn(found: Measurement) -> None:
    assert len(explain_tables.gain_table(found)) == 3 * 2
    assert len(explain_tables.attention_table(found)) == 3 * 2
    assert explain_tables.adjacent_table(found)["block"].tolist() == [1, 2]
    assert len(explain_tables.norm_table(found)) == 3 * 2
    assert explain_tables.bound_table(found)["block"].tolist() == [0, 1, 2]
    assert len(explain_tables.head_table(found)) == 3 * 2
    assert len(explain_tables.offset_table(found)) == 3 * 4
    assert explain_tables.cka_table(found).shape == (4, 4)


def test_the_numbers_are_means_over_texts(found: Measurement) -> None:
    assert found.explanation is not None
    entropy = found.explanation.attention["attention_entropy"].values
    assert explain_tables.attention_table(found)["Attention entropy"].tolist() == pytest.approx(
        entropy.mean(axis=0).ravel().tolist()
    )
    smallest = found.explanation.norms["smallest_deviation"].values.min(axis=0)
    assert explain_tables.norm_table(found)["smallest deviation of any token"].tolist() == smallest.ravel().tolist()
    bound = found.explanation.bound["smoothing_bound"].values
    assert explain_tables.bound_table(found)["bound v"].tolist() == pytest.approx(bound.mean(axis=0).tolist())


def test_the_steps_lead_from_the_first_value_to_the_last(found: Measurement) -> None:
    table = explain_tables.step_table(waterfall.steps(found, "token_cosine"))
    assert table["change"].sum() == pytest.approx(table["to"].iloc[-1] - table["from"].iloc[0])
    assert table["block"].iloc[0] == "0"


@pytest.mark.parametrize("family", ["pre", "parallel", "plain"])
def test_what_is_missing_leaves_an_empty_table(family: str) -> None:
    found = explained(blocks=2, heads=2, texts=1, family=family)  # type: ignore[arg-type]
    assert explain_tables.offset_table(found).empty
    assert explain_tables.bound_table(found).empty or "bound v" not in explain_tables.bound_table(found)
    assert explain_tables.head_table(found).empty is (family == "plain")
