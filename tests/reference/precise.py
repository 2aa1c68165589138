"""The metrics in 60 decimal digits, for states that are nearly the same vector."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import mpmath  # type: ignore[import-untyped]
import numpy as np
from reference.sample import Matrix, Sample

mp = mpmath.mp.clone()
mp.dps = 60

Row = Sequence[Any]


def _rows(tokens: Matrix) -> list[list[Any]]:
    return [[mp.mpf(value) for value in row] for row in tokens.tolist()]


def _centred(rows: Sequence[Row]) -> list[list[Any]]:
    mean = [mp.fsum(column) / len(rows) for column in zip(*rows, strict=True)]
    return [[value - middle for value, middle in zip(row, mean, strict=True)] for row in rows]


def _norm(row: Row) -> Any:
    return mp.sqrt(mp.fdot(row, row))


def _cosine(first: Row, second: Row) -> Any:
    return mp.fdot(first, second) / (_norm(first) * _norm(second))


@lru_cache(maxsize=256)
def _spectrum(shape: tuple[int, int], content: bytes, centred: bool) -> list[Any]:
    rows = _rows(np.frombuffer(content).reshape(shape))
    matrix = mp.matrix(_centred(rows) if centred else rows)
    gram = matrix * matrix.T if shape[0] <= shape[1] else matrix.T * matrix
    squares = mp.eigsy(gram, eigvals_only=True)
    return sorted((mp.sqrt(abs(square)) for square in squares), reverse=True)


def _values(sample: Sample) -> list[Any]:
    tokens = np.ascontiguousarray(sample.tokens)
    return _spectrum(tokens.shape, tokens.tobytes(), False)


def singular_values(tokens: Matrix) -> Matrix:
    return np.array([float(value) for value in _spectrum(tokens.shape, np.ascontiguousarray(tokens).tobytes(), False)])


def centred_singular_values(tokens: Matrix) -> Matrix:
    values = _spectrum(tokens.shape, np.ascontiguousarray(tokens).tobytes(), True)
    return np.array([float(value) for value in values[: min(len(tokens) - 1, tokens.shape[1])]])


def cosine_gaps(tokens: Matrix) -> Matrix:
    """1 − cosine of every pair."""
    rows = _rows(tokens)
    return np.array([[float(1 - _cosine(first, second)) for second in rows] for first in rows])


def _mean(values: Sequence[Any]) -> Any:
    return mp.fsum(values) / len(values)


def _entropy(shares: Sequence[Any]) -> Any:
    return -mp.fsum(share * mp.log(share) for share in shares if share > 0)


def token_cosine(sample: Sample) -> float:
    return float(_mean([_cosine(*pair) for pair in itertools.combinations(_rows(sample.tokens), 2)]))


def token_cosine_centred(sample: Sample) -> float:
    return float(_mean([_cosine(*pair) for pair in itertools.combinations(_centred(_rows(sample.tokens)), 2)]))


def rbf_distance(sample: Sample) -> float:
    pairs = itertools.combinations(_rows(sample.tokens), 2)
    # ‖x̂ − ŷ‖² = 2 − 2 cos, in digits enough for the difference
    return float(mp.log(_mean([mp.exp((2 * _cosine(*pair) - 2) / mp.mpf("0.5")) for pair in pairs])))


def cls_uniformity(sample: Sample) -> float:
    anchor = [mp.mpf(value) for value in sample.classification.tolist()]
    rows = [row for i, row in enumerate(_rows(sample.tokens)) if i != sample.classification_row]
    return float(_mean([_cosine(anchor, row) for row in rows]))


def effective_rank(sample: Sample) -> float:
    values = _values(sample)
    return float(mp.exp(_entropy([value / mp.fsum(values) for value in values])))


def rankme(sample: Sample) -> float:
    values = _values(sample)
    return float(mp.exp(_entropy([value / mp.fsum(values) + mp.mpf("1e-7") for value in values])))


def _energy_shares(sample: Sample) -> list[Any]:
    squares = [value**2 for value in _values(sample)]
    return [square / mp.fsum(squares) for square in squares]


def stable_rank(sample: Sample) -> float:
    return float(1 / _energy_shares(sample)[0])


def participation_ratio(sample: Sample) -> float:
    return float(1 / mp.fsum(share**2 for share in _energy_shares(sample)))


def numerical_rank(sample: Sample) -> float:
    values = _values(sample)
    return float(sum(value > values[0] * max(sample.tokens.shape) / 2**23 for value in values))


def explained_variance_1(sample: Sample) -> float:
    return float(_energy_shares(sample)[0])


def spectrum_skewness(sample: Sample) -> float:
    values = _values(sample)
    middle = _mean(values)
    return float(_mean([(v - middle) ** 3 for v in values]) / _mean([(v - middle) ** 2 for v in values]) ** 1.5)


def spectrum_median(sample: Sample) -> float:
    values = _values(sample)
    return float((values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2 / values[0])


def matrix_entropy(sample: Sample) -> float:
    return float(_entropy(_energy_shares(sample)))


def prompt_entropy(sample: Sample) -> float:
    units = [[value / _norm(row) for value in row] for row in _centred(_rows(sample.tokens))]
    matrix = mp.matrix(units)
    products = matrix * matrix.T if matrix.rows <= matrix.cols else matrix.T * matrix
    clipped = products.apply(lambda product: max(product, mp.mpf(0)))
    values = [value for value in mp.eigsy(clipped, eigvals_only=True) if value > 0]
    return float(_entropy([value / mp.fsum(values) for value in values]))


def _residual_energy(sample: Sample) -> Any:
    return mp.fsum(mp.fdot(row, row) for row in _centred(_rows(sample.tokens)))


def distance_to_mean(sample: Sample) -> float:
    return float(mp.sqrt(_residual_energy(sample)))


def high_frequency_share(sample: Sample) -> float:
    return float(_residual_energy(sample) / mp.fsum(mp.fdot(row, row) for row in _rows(sample.tokens)))


def dirichlet_energy(sample: Sample) -> float:
    return float(len(sample.tokens) * _residual_energy(sample))


def mean_norm(sample: Sample) -> float:
    return float(_mean([_norm(row) for row in _rows(sample.tokens)]))


def mean_token_norm(sample: Sample) -> float:
    return float(_norm([_mean(list(column)) for column in zip(*_rows(sample.tokens), strict=True)]))


def max_activation_ratio(sample: Sample) -> float:
    sizes = sorted(abs(value) for row in _rows(sample.tokens) for value in row)
    return float(sizes[-1] / ((sizes[(len(sizes) - 1) // 2] + sizes[len(sizes) // 2]) / 2))
