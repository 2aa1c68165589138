"""How far a mean over texts would move with other texts of the same kind: the percentile bootstrap."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

RESAMPLES: Final = 2000
LEVEL: Final = 95
"""Per cent of the resampled means between the ends of a band."""
_ENDS: Final = (0.5 - LEVEL / 200, 0.5 + LEVEL / 200)
_SEED: Final = 20790
_KEPT: Final = 4
"""Tables of draws that are kept, one for each number of texts: a chart takes the same for every metric."""


@dataclass(frozen=True)
class Band:
    """Means over texts with their bootstrap band; every array has the shape of the values of one text."""

    mean: NDArray[np.float64]
    """Over the texts that have a value, with equal weight; NaN where none has."""
    low: NDArray[np.float64]
    """The lower end; NaN where fewer than two texts have a value."""
    high: NDArray[np.float64]
    """The upper end; NaN where fewer than two texts have a value."""
    count: NDArray[np.int64]
    """Texts that have a value."""

    @property
    def rows(self) -> list[tuple[float, float, float]]:
        """Mean, lower and upper end of each value."""
        return list(zip(self.mean.tolist(), self.low.tolist(), self.high.tolist(), strict=True))


def band(values: NDArray[np.float64]) -> Band:
    r"""Mean over texts and the ends of its 95 % percentile bootstrap band.

    .. math:: [q_{2.5}, q_{97.5}]\ \text{of}\ \bar x^{*b} = \frac{\sum_i n_i^{b} x_i}{\sum_i n_i^{b}},\quad
        n^{b} \sim \mathrm{Multinomial}(T; 1/T, …, 1/T),\ b = 1 … 2000

    A resample draws T of the T texts with replacement, the same draws at all points: each has the weights n of its
    texts, where a text without a value weighs nothing. The seed is fixed, so that equal values give an equal band. Of
    few texts the band is too narrow (of two, it reaches from one to the other): it knows no texts but these.

    Source: Efron 1979, Bootstrap methods: another look at the jackknife (doi:10.1214/aos/1176344552).

    Args:
        values: shape (texts, …), one text or more, NaN where a text has no value. For differences of two measurements
            of the same texts give those of each text, which pairs them.
    """
    texts = len(values)
    flat = np.asarray(values, dtype=np.float64).reshape(texts, -1)
    known = np.isfinite(flat)
    count = known.sum(axis=0)
    mean = _shares(np.where(known, flat, 0.0).sum(axis=0), count)
    # Around the mean, so that texts that are all alike give a band without width.
    apart = np.where(known, flat - mean, 0.0)
    ends = np.full((2, flat.shape[1]), np.nan)
    every, some = count == texts, (count > 1) & (count < texts)
    if texts > 1:
        draws = _draws(texts).astype(np.float64)
        ends[:, every] = mean[every] + np.quantile(draws @ apart[:, every] / texts, _ENDS, axis=0)
        # A resample that draws no text with a value says nothing.
        means = _shares(draws @ apart[:, some], draws @ known[:, some])
        ends[:, some] = mean[some] + np.nanquantile(means, _ENDS, axis=0)
    shape = np.shape(values)[1:]
    low, high = ends.reshape(2, *shape)
    return Band(mean.reshape(shape), low, high, count.astype(np.int64).reshape(shape))


@lru_cache(maxsize=_KEPT)
def _draws(texts: int) -> NDArray[np.int16]:
    """How often each resample draws each text: shape (resamples, texts), rows summing to their number."""
    drawn = np.random.default_rng(_SEED).integers(texts, size=(RESAMPLES, texts))
    places = drawn + texts * np.arange(RESAMPLES)[:, np.newaxis]
    return np.bincount(places.ravel(), minlength=RESAMPLES * texts).reshape(RESAMPLES, texts).astype(np.int16)


def _shares(sums: NDArray[np.float64], weights: NDArray[np.float64] | NDArray[np.int64]) -> NDArray[np.float64]:
    """Weighted means; NaN where nothing weighs anything."""
    means: NDArray[np.float64] = np.divide(sums, weights, out=np.full(np.shape(sums), np.nan), where=weights > 0)
    return means
