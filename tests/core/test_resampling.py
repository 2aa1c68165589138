"""The bootstrap band against every resample there is, and against what it is said to cover."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from oversmooth.core.resampling import band

NAN = math.nan


def every_mean(values: list[float]) -> np.ndarray:
    """The mean of each of the n to the power of n resamples that can be drawn, in order; NaN where it has no value."""
    with np.errstate(invalid="ignore"):
        drawn = np.array(list(itertools.product(values, repeat=len(values))))
        known = np.isfinite(drawn)
        return np.sort(np.where(known, drawn, 0).sum(axis=1) / known.sum(axis=1))


@pytest.mark.parametrize(
    "values",
    [
        [0.1, 0.2, 0.7],
        [-3.0, 0.0, 1.0, 5.0],
        [0.0, 0.1, 0.4, 0.9, 1.6],
        # Two of four have a value: the other two are drawn, and weigh nothing.
        [0.2, NAN, 0.8, NAN],
    ],
)
def test_the_ends_are_those_of_all_resamples(values: list[float]) -> None:
    found = band(np.array(values)[:, np.newaxis])
    means = every_mean(values)
    means = means[np.isfinite(means)]
    # 2,000 of them are drawn: the share below an end errs by some 0.35 %.
    around = [np.quantile(means, share, method="inverted_cdf") for share in (0.015, 0.035, 0.965, 0.985)]
    assert around[0] - 1e-12 <= found.low[0] <= around[1] + 1e-12
    assert around[2] - 1e-12 <= found.high[0] <= around[3] + 1e-12


def test_mean_and_count_are_over_the_texts_with_a_value() -> None:
    values = np.array([[1.0, NAN, NAN, 4.0], [2.0, 5.0, NAN, 4.0], [6.0, NAN, NAN, 4.0]])
    found = band(values)
    np.testing.assert_allclose(found.mean, [3.0, 5.0, NAN, 4.0])
    assert found.count.tolist() == [3, 1, 0, 3]
    # One text or none gives no band; equal texts give one without width.
    assert np.isnan([found.low[1:3], found.high[1:3]]).all()
    assert (found.low[3], found.high[3]) == (4.0, 4.0)


def test_one_text_has_no_band() -> None:
    found = band(np.array([[0.3, NAN]]))
    assert found.count.tolist() == [1, 0]
    assert found.mean[0] == 0.3
    assert np.isnan([found.low, found.high]).all()


def test_two_texts_have_a_band_from_one_to_the_other() -> None:
    found = band(np.array([[0.1, 3.0], [0.3, -1.0]]))
    np.testing.assert_allclose([found.low, found.high], [[0.1, -1.0], [0.3, 3.0]])


def test_the_band_covers_the_mean_of_normal_texts_about_as_often_as_it_says() -> None:
    # 1,000 sets of 40 texts with the mean 0; the percentile bootstrap falls a little short of 95 %.
    found = band(np.random.default_rng(1).normal(size=(40, 1000)))
    covered = ((found.low < 0) & (found.high > 0)).mean()
    assert 0.915 < covered < 0.965
    # Its half width is 1.96 standard errors.
    assert np.mean(found.high - found.low) / 2 == pytest.approx(1.96 / math.sqrt(40), rel=0.04)


def test_pairs_are_kept_where_differences_are_given() -> None:
    random = np.random.default_rng(2)
    texts = random.normal(size=50)
    after = texts + 0.1 + 0.01 * random.normal(size=50)
    paired = band((after - texts)[:, np.newaxis])
    assert 0.09 < paired.low[0] < 0.1 < paired.high[0] < 0.11
    assert band(after[:, np.newaxis]).low[0] < 0


def test_equal_values_give_an_equal_band_wherever_they_stand() -> None:
    values = np.random.default_rng(3).random((30, 2, 3))
    first, again = band(values), band(values.copy())
    assert first.low.shape == (2, 3)
    for one, other in zip(vars(first).values(), vars(again).values(), strict=True):
        np.testing.assert_array_equal(one, other)
    alone = band(values[:, 1, 2][:, np.newaxis])
    np.testing.assert_allclose([alone.low[0], alone.high[0]], [first.low[1, 2], first.high[1, 2]], rtol=1e-12)


@given(
    arrays(
        np.float64,
        array_shapes(min_dims=2, max_dims=2, max_side=5),
        elements=st.floats(-1e6, 1e6) | st.just(NAN),
    )
)
def test_a_band_lies_within_its_texts(values: np.ndarray) -> None:
    found = band(values)
    for column, low, high, count in zip(values.T, found.low, found.high, found.count, strict=True):
        known = column[np.isfinite(column)]
        assert count == len(known)
        assert np.isfinite(low) == np.isfinite(high) == (len(known) > 1)
        if len(known) > 1:
            slack = 1e-9 * np.abs(known).max()
            assert known.min() - slack <= low <= high <= known.max() + slack
