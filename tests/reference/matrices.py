"""Token matrices with a chosen spectrum, made from a seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from reference.sample import Matrix, Sample


def orthogonal(size: int, rng: np.random.Generator) -> Matrix:
    """A random rotation (Haar, up to signs)."""
    rotation: Matrix = np.linalg.qr(rng.standard_normal((size, size)))[0]
    return rotation


def with_spectrum(values: Matrix, count: int, dimension: int, rng: np.random.Generator) -> Matrix:
    """A count × dimension matrix with these singular values, in random directions."""
    left = orthogonal(count, rng)[:, : len(values)]
    right = orthogonal(dimension, rng)[:, : len(values)]
    return (left * values) @ right.T


def plain(count: int, dimension: int, seed: int) -> Matrix:
    """Gaussian tokens with a common offset, as ordinary hidden states are."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, dimension)) + rng.standard_normal(dimension)


def over_smoothed(count: int, dimension: int, ratio: float, seed: int) -> Matrix:
    """X = 1mᵀ + noise, with σ₂/σ₁ near the given ratio."""
    rng = np.random.default_rng(seed)
    mean = rng.standard_normal(dimension)
    mean *= np.sqrt(dimension) / np.linalg.norm(mean)
    noise = rng.standard_normal((count, dimension))
    noise -= noise.mean(axis=0)
    noise *= ratio * np.sqrt(count * dimension) / np.linalg.norm(noise, 2)
    tokens: Matrix = mean + noise
    return tokens


def sample(tokens: Matrix, seed: int = 0) -> Sample:
    """The tokens beside a [CLS] token that is none of them."""
    return Sample(tokens, np.random.default_rng(seed + 1).standard_normal(tokens.shape[1]) + tokens[0])


@dataclass(frozen=True)
class Recipe:
    """How hypothesis made a matrix: printed when a test fails."""

    count: int
    dimension: int
    rank: int
    condition: float
    duplicates: int
    scale: float
    seed: int

    def matrix(self) -> Matrix:
        """The matrix, the same each time."""
        rng = np.random.default_rng(self.seed)
        values = self.scale * np.logspace(0, -np.log10(self.condition), self.rank)
        tokens = with_spectrum(values, self.count, self.dimension, rng)
        for _ in range(self.duplicates):
            kept, lost = rng.integers(self.count, size=2)
            tokens[lost] = tokens[kept]
        return tokens


@st.composite
def recipes(
    draw: st.DrawFn,
    *,
    least: int = 1,
    largest: int = 12,
    conditions: float = 12,
    scales: tuple[float, ...] = (1.0,),
    full_rank: bool = False,
) -> Recipe:
    """Of any shape, rank and condition number up to 10^conditions, with or without duplicate tokens."""
    count = draw(st.integers(least, largest), "count")
    dimension = draw(st.integers(1, largest), "dimension")
    bound = min(count, dimension)
    return Recipe(
        count=count,
        dimension=dimension,
        rank=bound if full_rank else draw(st.integers(1, bound), "rank"),
        condition=10.0 ** draw(st.floats(0, conditions), "condition"),
        duplicates=0 if full_rank else draw(st.integers(0, 3), "duplicates"),
        scale=draw(st.sampled_from(scales), "scale"),
        seed=draw(st.integers(0, 2**32 - 1), "seed"),
    )
