"""Pairwise similarities, one pair after the other."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from reference.sample import Sample


def cosine(first: Sequence[float], second: Sequence[float]) -> float:
    product = math.fsum(a * b for a, b in zip(first, second, strict=True))
    return product / math.hypot(*first) / math.hypot(*second)


def token_cosine(sample: Sample) -> float:
    rows = sample.tokens.tolist()
    values = [cosine(rows[i], rows[j]) for i in range(len(rows)) for j in range(len(rows)) if i != j]
    return math.fsum(values) / len(values)


def token_cosine_centred(sample: Sample) -> float:
    rows = sample.tokens.tolist()
    mean = [math.fsum(column) / len(rows) for column in zip(*rows, strict=True)]
    residuals = [[value - middle for value, middle in zip(row, mean, strict=True)] for row in rows]
    values = [cosine(first, second) for first, second in itertools.combinations(residuals, 2)]
    return math.fsum(values) / len(values)


def rbf_distance(sample: Sample) -> float:
    units = [[value / math.hypot(*row) for value in row] for row in sample.tokens.tolist()]
    kernels = [math.exp(-(math.dist(first, second) ** 2) / 0.5) for first, second in itertools.permutations(units, 2)]
    return math.log(math.fsum(kernels) / len(kernels))


def cls_uniformity(sample: Sample) -> float:
    anchor = sample.classification.tolist()
    others = [row for i, row in enumerate(sample.tokens.tolist()) if i != sample.classification_row]
    return math.fsum(cosine(anchor, row) for row in others) / len(others)
