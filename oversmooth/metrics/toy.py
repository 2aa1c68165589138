"""The linear recurrence of Dovonon et al.: attention and one weight matrix alone, whose eigenvalues decide the limit.

Three things that are often called the same come apart in it: *input convergence* (the tokens become one vector),
*angle convergence* (they lie on one line, with whatever lengths and signs) and *rank collapse*.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from oversmooth.core.errors import SettingsError
from oversmooth.core.numerals import fixed, number
from oversmooth.core.wording import count
from oversmooth.metrics.numerics import EPSILON, Float64
from oversmooth.metrics.rank import effective_rank
from oversmooth.metrics.similarity import token_cosine
from oversmooth.metrics.states import TokenStates

TOKENS: Final = 16
DIMENSIONS: Final = 8
WIDEST: Final = 3.0
"""Largest size of an eigenvalue of H."""
DEEPEST: Final = 2000
"""Most steps."""

FLOOR: Final = EPSILON
"""Ratio of high to low frequencies below which stored tokens would be equal in float64."""
_SHOWN: Final = 80
"""Steps that are kept, evenly many per decade."""
_CONVERGED_RATIO: Final = 1e-6
_CONVERGED_COSINE: Final = 0.99
_COLLAPSED_RANK: Final = 1.05


@dataclass(frozen=True)
class ToySettings:
    """What the recurrence X_{l+1} = [X_l +] A X_l H runs with.

    Raises:
        SettingsError: for a value out of its range, or where nothing would be left of the tokens.
    """

    low: float = 0.0
    """Smallest eigenvalue of H, from −3."""
    high: float = 1.0
    """Largest eigenvalue of H, up to 3."""
    residual: bool = True
    """Whether X_l is added."""
    depth: int = 200
    """Steps, from 1 to 2,000."""
    seed: int = 0
    """Of the attention matrix, the inner eigenvalues of H and the first tokens."""

    def __post_init__(self) -> None:
        if not -WIDEST <= self.low <= self.high <= WIDEST:
            raise SettingsError(
                f"The eigenvalues cannot reach from {self.low:g} to {self.high:g}: "
                f"choose a range within −{WIDEST:g} and {WIDEST:g}, the smaller end first."
            )
        if not 1 <= self.depth <= DEEPEST:
            raise SettingsError(f"The recurrence cannot run {self.depth:,} steps: choose from 1 to {DEEPEST:,}.")
        if self.seed < 0:
            raise SettingsError(f"{self.seed} is not a seed: choose an integer from 0 on.")
        if not self.residual and self.low == self.high == 0:
            raise SettingsError("With eigenvalues of 0 and no residual connection no token is left: widen the range.")


@dataclass(frozen=True, eq=False)
class Mode:
    """A pair of eigenvalues, and what one step multiplies it by."""

    weight: float
    """λ of H."""
    attention: float
    """λ of A; 1 is the mode in which all tokens are the same vector."""
    gain: float
    """[1 +] λᴴλᴬ."""
    uniform: bool
    """Whether it is the mode of equal tokens, that of A's eigenvalue 1."""


@dataclass(frozen=True, eq=False)
class Toy:
    """What became of the tokens, at log-spaced steps. Step 0 is the random beginning."""

    settings: ToySettings
    steps: NDArray[np.intp]
    """From 0 to the depth (step)."""
    ratio: Float64
    """‖HFC‖_F/‖LFC‖_F (step), exact far below the rounding of the tokens; it shrinks to 0 with input convergence."""
    cosine: Float64
    """Mean cosine over pairs of tokens (step), in [−1, 1]."""
    absolute_cosine: Float64
    """Mean |cosine| over pairs of tokens (step), in [0, 1]; 1 with angle convergence."""
    effective_rank: Float64
    """Of X (step), in [1, 8]; 1 with rank collapse."""
    weight_eigenvalues: Float64
    """Of H, ascending (8)."""
    attention_eigenvalues: Float64
    """Of A, ascending, the last one 1 (16)."""
    dominating: Mode | None
    """The pair whose gain is largest in size: what decides the limit. None where all gains are 1: nothing changes."""

    @property
    def input_converged(self) -> bool:
        """Whether all tokens became one vector."""
        return bool(self.ratio[-1] < _CONVERGED_RATIO)

    @property
    def angles_converged(self) -> bool:
        """Whether all tokens came to lie on one line through 0."""
        return bool(self.absolute_cosine[-1] > _CONVERGED_COSINE)

    @property
    def rank_collapsed(self) -> bool:
        """Whether one direction is left."""
        return bool(self.effective_rank[-1] < _COLLAPSED_RANK)


def run(settings: ToySettings) -> Toy:
    """Run X_{l+1} = [X_l +] A X_l H of Dovonon et al. on 16 random tokens of 8 dimensions.

    A = softmax(S) of symmetric random scores S is positive, row-stochastic and, being similar to a symmetric matrix,
    has real eigenvalues. H is symmetric and written in its own basis, which changes no length and no angle; both ends
    of its range of eigenvalues are attained. All is rescaled at each step: what is measured is free of scale.
    """
    random = np.random.default_rng(settings.seed)
    attention, attention_eigenvalues = _attention(random)
    inner = random.uniform(settings.low, settings.high, DIMENSIONS - 2)
    weight_eigenvalues = np.sort(np.concatenate(([settings.low, settings.high], inner)))
    tokens = random.normal(size=(TOKENS, DIMENSIONS))
    mean = tokens.mean(axis=0)
    parts = np.vstack((mean, tokens - mean))
    mixing = _mixing(attention)
    steps = np.unique(np.round(np.geomspace(1, settings.depth, _SHOWN)).astype(np.intp))
    rows = [_measured(parts)]
    for before, step in pairwise([0, *steps]):
        for _ in range(step - before):
            moved = mixing @ parts * weight_eigenvalues
            parts = parts + moved if settings.residual else moved
            parts /= math.sqrt(np.vdot(parts, parts))
        rows.append(_measured(parts))
    ratio, cosine, absolute, rank = np.array(rows).T
    return Toy(
        settings=settings,
        steps=np.array([0, *steps]),
        ratio=ratio,
        cosine=cosine,
        absolute_cosine=absolute,
        effective_rank=rank,
        weight_eigenvalues=weight_eigenvalues,
        attention_eigenvalues=attention_eigenvalues,
        dominating=_dominating(weight_eigenvalues, attention_eigenvalues, settings.residual),
    )


def verdict(toy: Toy) -> str:
    """Which of the three happened, and which pair of eigenvalues decides it, in two sentences."""
    return f"{_happened(toy)} {_because(toy)}"


def _happened(toy: Toy) -> str:
    after = f"after {count(toy.settings.depth, 'step')}"
    cosine, ratio = fixed(float(toy.cosine[-1]), 2), number(float(toy.ratio[-1]), 2)
    if toy.input_converged:
        small = "below the floor of float64" if toy.ratio[-1] < FLOOR else ratio
        return (
            f"Input convergence {after}: all tokens are one vector (HFC/LFC {small}, mean cosine {cosine}), "
            "so angles and rank have collapsed too."
        )
    if toy.angles_converged and toy.rank_collapsed:
        return (
            f"Rank collapse without input convergence {after}: all tokens lie on one line, with lengths and signs of "
            f"their own (mean |cosine| {fixed(float(toy.absolute_cosine[-1]), 2)}, mean cosine {cosine}, "
            f"HFC/LFC {ratio})."
        )
    return (
        f"No limit is reached {after}: effective rank {number(float(toy.effective_rank[-1]), 2)}, "
        f"mean |cosine| {fixed(float(toy.absolute_cosine[-1]), 2)}, HFC/LFC {ratio}."
    )


def _because(toy: Toy) -> str:
    mode = toy.dominating
    if mode is None:
        return "With all eigenvalues of H at 0 every gain is 1, so the tokens stay as they are."
    formula = "|1 + λᴴλᴬ|" if toy.settings.residual else "|λᴴλᴬ|"
    pair = (
        f"{formula} is largest at λᴴ = {number(mode.weight)}, λᴬ = {number(mode.attention)} ({number(abs(mode.gain))})"
    )
    if not mode.uniform:
        return f"{pair}, a mode in which tokens differ."
    alternates = ", its sign alternating" if mode.gain < 0 else ""
    return f"{pair}, the mode in which all tokens are equal{alternates}."


def _attention(random: np.random.Generator) -> tuple[Float64, Float64]:
    """A (token, token) and its eigenvalues, ascending."""
    scores = random.normal(size=(TOKENS, TOKENS))
    weights = np.exp((scores + scores.T) / math.sqrt(2))
    degrees = weights.sum(axis=1)
    # D⁻¹W has the eigenvalues of the symmetric D^−½ W D^−½.
    roots = np.sqrt(degrees)
    eigenvalues = np.linalg.eigvalsh(weights / np.outer(roots, roots)).astype(np.float64)
    eigenvalues[-1] = 1.0  # of a row-stochastic matrix, without the last rounding
    return weights / degrees[:, None], eigenvalues


def _mixing(attention: Float64) -> Float64:
    """A on the mean token, in the first row, and on what differs from it, kept apart: (1 + token, 1 + token).

    A leaves a constant alone, so the residual feeds only on itself (RA = RAR): carried on its own, it keeps its digits
    however small it becomes.
    """
    mean = attention.mean(axis=0)
    mixing = np.zeros((TOKENS + 1, TOKENS + 1))
    mixing[0, 0] = 1.0
    mixing[0, 1:] = mean
    mixing[1:, 1:] = attention - mean
    return mixing


def _measured(parts: Float64) -> tuple[float, float, float, float]:
    """HFC/LFC, mean cosine, mean |cosine|, effective rank, of the mean token and what differs from it."""
    mean, residual = parts[0], parts[1:]
    ratio = float(np.linalg.norm(residual) / (math.sqrt(TOKENS) * np.linalg.norm(mean)))
    states = TokenStates(mean + residual)
    # The diagonal of ones does not count.
    absolute = (np.abs(1.0 - states.cosine_gaps).sum() - TOKENS) / (TOKENS * (TOKENS - 1))
    return ratio, float(token_cosine(states)[0]), float(absolute), float(effective_rank(states)[0])


def _dominating(weight: Float64, attention: Float64, residual: bool) -> Mode | None:
    if not weight.any():
        return None
    gains = np.outer(weight, attention) + (1.0 if residual else 0.0)
    row, column = np.unravel_index(np.argmax(np.abs(gains)), gains.shape)
    uniform = int(column) == len(attention) - 1
    return Mode(float(weight[row]), float(attention[column]), float(gains[row, column]), uniform)
