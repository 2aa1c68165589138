"""Ranks and shapes of the spectrum, from a singular value decomposition of the tokens themselves."""

from __future__ import annotations

import math
import statistics

import numpy as np
from reference.sample import Sample


def singular_values(sample: Sample) -> list[float]:
    _, values, _ = np.linalg.svd(sample.tokens, full_matrices=False)
    return [float(value) for value in values]


def effective_rank(sample: Sample) -> float:
    values = singular_values(sample)
    total = math.fsum(values)
    # exp(−Σ p ln p) as a product of powers
    return math.prod(math.pow(value / total, -value / total) for value in values if value > 0)


def rankme(sample: Sample) -> float:
    values = singular_values(sample)
    shares = [value / math.fsum(values) + 1e-7 for value in values]
    return math.exp(-math.fsum(share * math.log(share) for share in shares))


def stable_rank(sample: Sample) -> float:
    return float((np.linalg.norm(sample.tokens, "fro") / np.linalg.norm(sample.tokens, 2)) ** 2)


def participation_ratio(sample: Sample) -> float:
    scatter = sample.tokens.T @ sample.tokens / np.sum(sample.tokens**2)
    return float(1 / np.trace(scatter @ scatter))


def numerical_rank(sample: Sample) -> float:
    values = singular_values(sample)
    return float(sum(value > 2**-23 * max(sample.tokens.shape) * values[0] for value in values))


def explained_variance_1(sample: Sample) -> float:
    # The share of the energy that remains when the tokens are projected on their first right singular vector.
    _, _, directions = np.linalg.svd(sample.tokens)
    return float(np.sum((sample.tokens @ directions[0]) ** 2) / np.sum(sample.tokens**2))


def spectrum_skewness(sample: Sample) -> float:
    values = [value / singular_values(sample)[0] for value in singular_values(sample)]
    middle, spread = statistics.fmean(values), statistics.pstdev(values)
    return statistics.fmean(((value - middle) / spread) ** 3 for value in values)


def spectrum_median(sample: Sample) -> float:
    values = singular_values(sample)
    return statistics.median(values) / max(values)


def matrix_entropy(sample: Sample) -> float:
    # The von Neumann entropy −tr ρ ln ρ of ρ = XXᵀ / tr XXᵀ, whose eigenvalues are those of XᵀX / tr XᵀX.
    values = singular_values(sample)
    energy = math.fsum(value**2 for value in values)
    return -math.fsum(value**2 / energy * math.log(value**2 / energy) for value in values if value > 0)


def prompt_entropy(sample: Sample) -> float:
    rows = sample.tokens.tolist()
    mean = [math.fsum(column) / len(rows) for column in zip(*rows, strict=True)]
    residuals = [[value - middle for value, middle in zip(row, mean, strict=True)] for row in rows]
    units = [[value / math.hypot(*row) for value in row] for row in residuals]
    vectors = units if len(rows) <= len(mean) else list(zip(*units, strict=True))
    products = [[math.fsum(x * y for x, y in zip(a, b, strict=True)) for b in vectors] for a in vectors]
    # Of a matrix that is not taken to be symmetric.
    found = np.linalg.eigvals([[max(product, 0.0) for product in row] for row in products]).real
    positive = [float(value) for value in found if value > 0]
    shares = [value / math.fsum(positive) for value in positive]
    return -math.fsum(share * math.log(share) for share in shares)
