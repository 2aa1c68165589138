from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic import measurement
from synthetic_explanation import explained

from oversmooth.results.contraction import bound_of, contraction, vacuous
from oversmooth.results.measurement import Measurement


def _bounded(values: list[list[float]]) -> Measurement:
    result = explained(blocks=len(values[0]), texts=len(values))
    assert result.explanation is not None
    bound = result.explanation.bound.assign(smoothing_bound=(("input", "layer"), np.array(values)))
    return replace(result, explanation=replace(result.explanation, bound=bound))


def test_the_contraction_is_between_the_outputs_of_blocks() -> None:
    names = ["embedding", "0.attention", "0", "1.attention", "1", "final_norm"]
    result = measurement({"distance_to_mean": [2.0, 9.0, 3.0, 9.0, 1.5, 7.0]}, points=names, blocks=2)
    np.testing.assert_allclose(contraction(result), [[1.5, 0.5]])
    still = measurement({"distance_to_mean": [0.0, 9.0, 3.0, 9.0, 1.5, 7.0]}, points=names, blocks=2)
    assert np.isnan(contraction(still)[0, 0])
    assert np.isnan(contraction(measurement())).all()


def test_with_an_explanation_it_is_over_the_tokens_of_the_bound() -> None:
    result = explained(blocks=3)
    assert result.explanation is not None
    np.testing.assert_array_equal(contraction(result), result.explanation.bound["contraction"].values)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([[3.0, 1.0], [5.0, 1.0]], "vacuous in every block"),
        ([[0.5, 4.0, 0.2]], "vacuous in 1 of 3 blocks"),
        ([[0.5, 0.9]], "below 1 in every block"),
    ],
)
def test_a_bound_that_promises_nothing_is_called_so(values: list[list[float]], words: str) -> None:
    assert words in vacuous(_bounded(values))


def test_without_a_bound_nothing_is_said() -> None:
    assert bound_of(explained(family="pre")) is None
    assert vacuous(explained(family="pre")) == vacuous(measurement()) == ""
