"""Sizes, one token or activation after the other."""

from __future__ import annotations

import math
import statistics

from reference.sample import Sample


def mean_norm(sample: Sample) -> float:
    return statistics.fmean(math.hypot(*row) for row in sample.tokens.tolist())


def mean_token_norm(sample: Sample) -> float:
    return math.hypot(*(statistics.fmean(column) for column in zip(*sample.tokens.tolist(), strict=True)))


def max_activation_ratio(sample: Sample) -> float:
    sizes: list[float] = [abs(value) for row in sample.tokens.tolist() for value in row]
    return max(sizes) / statistics.median(sizes)
