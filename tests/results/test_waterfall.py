from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from synthetic import measurement
from synthetic_explanation import Family, explained, points_inside

from oversmooth.results.measurement import Measurement, Note
from oversmooth.results.waterfall import Detail, changes, finest, largest_steps, steps, whole_blocks

COSINE = "token_cosine"


def _of(names: Sequence[str], values: Sequence[Sequence[float]], notes: Sequence[Note] = ()) -> Measurement:
    return measurement({COSINE: values}, points=names, blocks=sum(name.isdecimal() for name in names), notes=notes)


def _kinds(names: Sequence[str], detail: Detail = "parts") -> list[str]:
    return [step.kind for step in steps(_of(names, [np.linspace(0, 1, len(names)).tolist()]), COSINE, detail)]


@pytest.mark.parametrize("detail", ["parts", "stream", "blocks"])
@pytest.mark.parametrize("family", ["post", "pre", "parallel", "plain"])
def test_the_steps_of_every_text_sum_to_its_total_change(family: Family, detail: Detail) -> None:
    result = explained(family=family)
    for metric in result.metrics:
        whole = result.curves[metric].transpose("input", "point").values
        found = changes(result, metric, detail)
        np.testing.assert_allclose(found.sum("step").values, whole[:, -1] - whole[:, 0], atol=1e-12)
        means = [step.change for step in steps(result, metric, detail)]
        np.testing.assert_allclose(found.mean("input").values, means, atol=1e-12)


def test_parts_are_named_after_the_family() -> None:
    assert _kinds(points_inside(1, "post")) == [
        "attention branch",
        "residual add",
        "attention output norm",
        "MLP branch",
        "residual add",
        "MLP output norm",
    ]
    assert _kinds(points_inside(1, "pre")) == [
        "norm before attention",
        "attention branch",
        "residual add",
        "norm before MLP",
        "MLP branch",
        "residual add",
        "final norm",
    ]


def test_steps_of_the_stream_hold_the_branch_and_its_residual_add_together() -> None:
    post, pre = points_inside(1, "post"), points_inside(1, "pre")
    assert _kinds(post, "stream") == [
        "attention branch and residual add",
        "attention output norm",
        "MLP branch and residual add",
        "MLP output norm",
    ]
    assert _kinds(pre, "stream") == ["attention branch and residual add", "MLP branch and residual add", "final norm"]
    assert _kinds(pre, "blocks") == ["whole block", "final norm"]


def test_a_step_reaches_over_a_point_that_a_family_lacks() -> None:
    without_branches = ["embedding", "0.attention", "0.attention_norm", "0"]
    assert _kinds(without_branches) == [
        "attention branch and residual add",
        "norm before MLP",
        "MLP branch and residual add",
    ]
    without_attention_branch = ["embedding", "0.attention", "0.attention_norm", "0.mlp_branch", "0.mlp", "0"]
    assert _kinds(without_attention_branch)[:2] == ["attention branch and residual add", "attention output norm"]


def test_whole_blocks_are_explained() -> None:
    assert whole_blocks(explained(family="post")) == whole_blocks(explained(family="pre")) == ""
    assert "read the same stream" in whole_blocks(explained(family="parallel"))
    assert "were not measured" in whole_blocks(explained(family="plain"))
    unknown = explained(family="plain")
    unknown = replace(unknown, settings=unknown.settings.model_copy(update={"points": "branches"}))
    assert "not known for the family “bert”" in whole_blocks(unknown)
    assert {step.kind for step in steps(explained(family="parallel"), COSINE)} == {"whole block", "final norm"}


def test_means_are_over_texts_with_both_ends_and_carry_a_band() -> None:
    result = _of(["embedding", "0", "1"], [[0.0, 0.2, 0.3], [0.1, np.nan, 0.7], [0.2, 0.6, 0.8]])
    first, second = steps(result, COSINE)
    assert [first.change, first.start, first.end] == pytest.approx([0.3, 0.1, 0.4])
    assert first.count == 2
    assert second.change == pytest.approx(0.15)
    assert first.low <= first.change <= first.high
    assert np.isnan(changes(result, COSINE).values[1]).all()


def test_a_missing_end_has_its_reason() -> None:
    notes = [Note("missing", 0, "0", COSINE, "2 activations are infinite")]
    first, second, last = steps(_of(["embedding", "0", "1", "2"], [[0.1, np.nan, 0.2, 0.3]], notes), COSINE)
    assert first.reason == second.reason == "no value at block 0: 2 activations are infinite"
    assert np.isnan(first.change)
    assert last.reason == ""


def test_the_largest_steps_are_those_of_the_stream_up_or_down() -> None:
    names = points_inside(1, "post")
    result = _of(names, [[0.1, 0.9, 0.35, 0.05, 0.5, 0.25, 0.2]])
    largest = largest_steps(result, COSINE, 2)
    assert [step.title for step in largest] == [
        "block 0's attention output norm",
        "block 0's attention branch and residual add",
    ]
    assert [step.change for step in largest] == pytest.approx([-0.3, 0.25])
    assert largest_steps(result, COSINE, 1, "parts")[0].change == pytest.approx(0.8)


@pytest.mark.parametrize(("blocks", "detail"), [(12, "parts"), (24, "stream"), (48, "blocks")])
def test_deep_models_are_drawn_in_coarser_steps(blocks: int, detail: Detail) -> None:
    assert finest(_of(points_inside(blocks, "pre"), [[0.0] * len(points_inside(blocks, "pre"))])) == detail
