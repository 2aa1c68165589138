"""Low and high frequency by least squares, by Fourier transform and pair by pair."""

from __future__ import annotations

import itertools
import math

import numpy as np
from reference.sample import Sample


def distance_to_mean(sample: Sample) -> float:
    # min over c of ‖X − 1cᵀ‖, solved as the least-squares problem that it is.
    ones = np.ones((len(sample.tokens), 1))
    nearest, *_ = np.linalg.lstsq(ones, sample.tokens)
    return math.hypot(*(sample.tokens - ones @ nearest).ravel().tolist())


def high_frequency_share(sample: Sample) -> float:
    # Parseval: the energy at every frequency but 0 of the tokens as a signal over positions.
    power = np.abs(np.fft.fft(sample.tokens, axis=0)) ** 2
    return float(power[1:].sum() / power.sum())


def dirichlet_energy(sample: Sample) -> float:
    rows = sample.tokens.tolist()
    return math.fsum(math.dist(first, second) ** 2 for first, second in itertools.product(rows, rows)) / 2
