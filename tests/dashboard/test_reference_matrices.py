"""The small matrices of the reference page: every number against one written out here, every slip in a sentence."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from oversmooth import metrics
from oversmooth.core.errors import InputError
from oversmooth.dashboard.reference import matrices as matrices
from oversmooth.dashboard.reference.matrices import ALIKE, MOST_TOKENS, PRESETS, SPREAD


def of(preset: str) -> dict[str, matrices.Value]:
    found = matrices.values(matrices.states_of(matrices.checked(matrices.table(preset))))
    return {each.name: each for each in found}


def beside(first: str, second: str) -> dict[str, matrices.Value]:
    sides = (matrices.checked(matrices.table(preset)) for preset in (first, second))
    return {each.name: each for each in matrices.values_beside(*sides)}


def cosine(first: np.ndarray, second: np.ndarray) -> float:
    return float(first @ second / np.sqrt((first @ first) * (second @ second)))


@pytest.mark.parametrize("preset", PRESETS)
def test_every_metric_of_every_preset_has_a_value_or_a_reason(preset: str) -> None:
    found = of(preset)
    assert tuple(found) == metrics.names()
    for each in found.values():
        assert np.isfinite(each.value) or each.note


def test_the_numbers_are_those_of_the_formulas() -> None:
    tokens = np.array(PRESETS[SPREAD])
    found = of(SPREAD)
    assert found["token_cosine"].value == pytest.approx(np.mean([cosine(a, b) for a, b in combinations(tokens, 2)]))
    assert found["cls_uniformity"].value == pytest.approx(np.mean([cosine(tokens[0], token) for token in tokens[1:]]))
    shares = np.linalg.svd(tokens, compute_uv=False)
    shares /= shares.sum()
    assert found["effective_rank"].value == pytest.approx(np.exp(-(shares * np.log(shares)).sum()))
    assert found["distance_to_mean"].value == pytest.approx(np.linalg.norm(tokens - tokens.mean(axis=0)))


def test_one_direction_has_cosine_one_and_rank_one_at_any_length() -> None:
    found = of("One direction")
    assert [str(found[name]) for name in ("token_cosine", "effective_rank", "numerical_rank")] == ["1", "1", "1"]
    assert found["distance_to_mean"].value > 1


def test_equal_tokens_leave_some_numbers_undefined_with_the_reason() -> None:
    found = of("All equal")
    assert str(found["token_cosine_centred"]) == "undefined"
    assert "not defined (4 of 4 tokens)" in found["token_cosine_centred"].note
    assert (str(found["distance_to_mean"]), found["token_cosine"].note) == ("0", "")
    assert "resolution" in found["distance_to_mean"].note


def test_a_turn_keeps_the_arrangement_and_not_the_mean() -> None:
    found = beside(SPREAD, "Spread, turned by 90°")
    assert (str(found["cka_to_baseline"]), str(found["lsds"])) == ("1", "1")
    means = [np.array(PRESETS[preset]).mean(axis=0) for preset in (SPREAD, "Spread, turned by 90°")]
    assert found["pooled_cosine_to_baseline"].value == pytest.approx(cosine(*means))
    assert found["pooled_cosine_to_baseline"].value < 0.1


def test_a_side_is_itself_and_its_tokens_are_found_again() -> None:
    found = beside(ALIKE, ALIKE)
    assert {str(each) for each in found.values()} == {"1"}
    assert set(found) == {"cka_to_baseline", "pooled_cosine_to_baseline", "lsds", "token_identity_retrieval"}
    assert "equal" in beside(SPREAD, "All equal")["cka_to_baseline"].note


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (np.empty((0, 3)), "empty"),
        (np.ones((MOST_TOKENS + 1, 3)), f"{MOST_TOKENS + 1} tokens"),
        ([[1, 2, 3], [1, None, 3]], "Token 2 has no number in dim. 2"),
        ([[1, 2, float("nan")]], "Token 1 has no number in dim. 3"),
        ([[float("inf"), 2, 3]], "Token 1 holds a number beyond"),
        ([[1, 2, 3], [1, 2, 3], [1, -1e300, 3]], "Token 3 holds a number beyond"),
    ],
)
def test_what_cannot_be_taken_is_one_sentence(cells: object, said: str) -> None:
    table = pd.DataFrame(cells, columns=matrices.table(SPREAD).columns)  # type: ignore[call-overload]
    with pytest.raises(InputError, match=said):
        matrices.checked(table)


def test_what_an_editor_gives_back_is_taken() -> None:
    # New rows come with an index of their own, and an emptied column as objects.
    table = pd.concat(
        [matrices.table(SPREAD), pd.DataFrame([[0, 0, 1]], index=[9], columns=matrices.table(SPREAD).columns)]
    )
    assert matrices.checked(table.astype(object)).shape == (5, 3)
    with pytest.raises(InputError, match="Token 1"):
        matrices.checked(pd.DataFrame([[None, None, None]], columns=table.columns))


def test_sides_of_other_lengths_are_refused() -> None:
    with pytest.raises(InputError, match="The baseline has 4 tokens, the variant 3"):
        matrices.values_beside(np.eye(4, 3), np.eye(3))


def test_single_and_zero_tokens_are_told_and_not_raised() -> None:
    one = {each.name: each for each in matrices.values(matrices.states_of(np.array([[1.0, 2.0, 2.0]])))}
    assert one["token_cosine"].note == "needs at least two tokens"
    assert str(one["mean_norm"]) == "3"
    zero = {each.name: each for each in matrices.values(matrices.states_of(np.zeros((3, 3))))}
    assert zero["effective_rank"].note == "every token is the zero vector"


def test_matrices_are_written_for_a_reader() -> None:
    written = matrices.latex(matrices.cleaned(np.array([[1.0, -0.25], [1e-17, 12345.0]])))
    assert written == r"\begin{bmatrix} 1 & −0.250 \\ 0 & 12{,}345 \end{bmatrix}"
