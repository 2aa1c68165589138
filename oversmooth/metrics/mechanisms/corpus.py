"""Over-smoothing or anisotropy: tokens of one text against tokens of different texts, and layers against layers."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, combinations_with_replacement
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from oversmooth.core.wording import count
from oversmooth.metrics.numerics import Float64, arithmetic_of

Form = Literal["raw", "centred", "standardised"]
FORMS: Final[tuple[Form, ...]] = get_args(Form)

BYTES: Final = 2**27
"""Most memory of states that wait, at all points together, for those of the other texts."""
CKA_TOKENS: Final = 2000
"""Most tokens that layers are compared over: the work grows with their square."""
_ROWS: Final = 256
"""Rows of a Gram matrix that are held at a time."""


@dataclass(frozen=True, eq=False)
class WithinBetween:
    """How alike tokens are inside a text, and how alike they are anyway."""

    within: float
    """Mean over texts of the mean cosine over pairs of different tokens of the text, in [−1, 1]; NaN if undefined."""
    between: float
    """Mean cosine of tokens of different texts, equal weight to each pair of texts, in [−1, 1]; NaN if undefined."""
    within_each: Float64
    """Of each text (text); NaN where it has one token only, or a token without direction."""
    reason: str = ""
    """Why something is NaN, in a sentence."""

    @property
    def difference(self) -> float:
        """What is alike inside a text beyond what all texts share."""
        return self.within - self.between


def within_between(texts: Sequence[NDArray[np.floating]], rounding: float | None = None) -> dict[Form, WithinBetween]:
    """Within-text and between-text cosine, raw, centred and standardised (Ethayarajh 2019).

    within_a = (n‖m_a‖² − 1)/(n − 1) and between = mean_{a≠b} m_aᵀ m_b, with m_a the mean of the unit tokens of text a:
    no pair is formed. "centred" removes the corpus mean first, "standardised" then divides by the corpus' standard
    deviation of each dimension, leaving out constant ones; each text has equal weight in both.

    Args:
        texts: finite states of each text's tokens (token, dim), at least one token each.
        rounding: resolution floor over the size of the states; without it, the relative rounding of the stored values.
    """
    rounding = _rounding(texts[0]) if rounding is None else rounding
    lengths = np.array([len(text) for text in texts])
    raw = np.concatenate(texts).astype(np.float64)
    found: dict[Form, WithinBetween] = {"raw": _cosines(raw, lengths)}
    starts = _starts(lengths)
    moved = raw - raw[0]  # by way of one token: alike tokens have exact differences
    centred = moved - _text_means(moved, lengths, starts).mean(axis=0)
    if _energy(centred) <= rounding**2 * _energy(raw):
        why = "the tokens of all texts are the same vector, up to what the states resolve"
        return found | {"centred": _undefined(lengths, why), "standardised": _undefined(lengths, why)}
    found["centred"] = _cosines(centred, lengths)
    deviations = np.sqrt(_text_means(np.square(centred), lengths, starts).mean(axis=0))
    varied = deviations > rounding * np.abs(raw).max(axis=0)
    found["standardised"] = _cosines(centred[:, varied] / deviations[varied], lengths)
    return found


def _cosines(tokens: Float64, lengths: NDArray[np.intp]) -> WithinBetween:
    norms = np.sqrt(np.einsum("ij,ij->i", tokens, tokens))
    with np.errstate(divide="ignore", invalid="ignore"):
        means = _text_means(tokens / norms[:, None], lengths, _starts(lengths))  # NaN for a text with a zero vector
        within = (lengths * np.einsum("ij,ij->i", means, means) - 1.0) / (lengths - 1.0)
        within[lengths < 2] = np.nan
    directed = ~np.isnan(means).any(axis=1)
    known = means[directed]
    total, size = known.sum(axis=0), len(known)
    between = math.nan
    if size > 1:
        between = float((total @ total - np.vdot(known, known)) / (size * (size - 1)))
    several = within[~np.isnan(within)]
    mean = float(several.mean()) if several.size else math.nan
    return WithinBetween(mean, between, within, _reason(lengths, int((~directed).sum())))


def _reason(lengths: NDArray[np.intp], undirected: int) -> str:
    """Why texts or means are missing."""
    said = []
    if undirected:
        said.append(f"{count(undirected, 'text')} with a zero vector, which has no direction, left out")
    single = int((lengths < 2).sum())
    if single:
        said.append(f"{count(single, 'text')} of one token without a pair inside")
    if len(lengths) - undirected < 2:
        said.append("tokens of different texts need at least two texts")
    return "; ".join(said)


def _undefined(lengths: NDArray[np.intp], why: str) -> WithinBetween:
    return WithinBetween(math.nan, math.nan, np.full(len(lengths), np.nan), why)


def _starts(lengths: NDArray[np.intp]) -> NDArray[np.intp]:
    return np.concatenate(([0], np.cumsum(lengths)[:-1]))


def _text_means(rows: Float64, lengths: NDArray[np.intp], starts: NDArray[np.intp]) -> Float64:
    """Mean row of each text (text, dim)."""
    means: Float64 = np.add.reduceat(rows, starts, axis=0) / lengths[:, None]
    return means


def _energy(rows: Float64) -> float:
    return float(np.vdot(rows, rows))


def linear_cka(states: Mapping[str, NDArray[np.floating]], roundings: Mapping[str, float] | None = None) -> Float64:
    """Linear CKA of each pair of points over the same tokens, in [0, 1] (point, point); Kornblith et al. 2019.

    ‖Y_cᵀX_c‖_F² / (‖X_cᵀX_c‖_F ‖Y_cᵀY_c‖_F) = ⟨K, L⟩_F / (‖K‖_F‖L‖_F) with the Gram matrices K = X_cX_cᵀ, L = Y_cY_cᵀ:
    whichever takes less work. The diagonal is 1; NaN where all tokens of a point are the same vector, up to the floor.

    Args:
        states: finite states (token, dim) by point, the same tokens in the same order.
        roundings: resolution floors over the sizes of the states, by point; without them, the relative rounding of the
            stored values.
    """
    floors = roundings or {point: _rounding(each) for point, each in states.items()}
    centred = [_unit(each, floors[point]) for point, each in states.items()]
    known = [place for place, each in enumerate(centred) if each is not None]
    cka = np.full((len(centred), len(centred)), np.nan)
    if known:
        products = _products([each for each in centred if each is not None])
        sizes = np.sqrt(products.diagonal())
        cka[np.ix_(known, known)] = np.clip(products / np.outer(sizes, sizes), 0.0, 1.0)
        cka[known, known] = 1.0
    return cka


def _rounding(stored: NDArray[np.floating]) -> float:
    return arithmetic_of(stored.dtype).rounding


def _unit(stored: NDArray[np.floating], rounding: float) -> Float64 | None:
    """Centred tokens, of Frobenius norm 1; None where they do not differ by more than this share of their norm."""
    values = stored.astype(np.float64)
    centred = values - values[0]
    centred -= centred.mean(axis=0)
    size = math.sqrt(_energy(centred))
    if size <= rounding * math.sqrt(_energy(values)):
        return None
    unit: Float64 = centred / size
    return unit


def _products(centred: Sequence[Float64]) -> Float64:
    """⟨K, L⟩_F (point, point), from whichever of the two forms takes less work."""
    points, (tokens, dimension) = len(centred), centred[0].shape
    by_features = (points + 1) * dimension**2 < tokens * (dimension + points)
    return _feature_products(centred) if by_features else _gram_products(centred)


def _gram_products(centred: Sequence[Float64]) -> Float64:
    """⟨K, L⟩_F of the Gram matrices (point, point), a band of rows at a time and without their lower triangles."""
    points, tokens = len(centred), len(centred[0])
    products = np.zeros((points, points))
    for start in range(0, tokens, _ROWS):
        end = min(start + _ROWS, tokens)
        square = np.stack([(each[start:end] @ each[start:end].T).ravel() for each in centred])
        products += square @ square.T
        if end < tokens:
            beyond = np.stack([(each[start:end] @ each[end:].T).ravel() for each in centred])
            products += 2.0 * (beyond @ beyond.T)
    return products


def _feature_products(centred: Sequence[Float64]) -> Float64:
    """‖Y_cᵀX_c‖_F² (point, point)."""
    products = np.empty((len(centred), len(centred)))
    for one, other in combinations_with_replacement(range(len(centred)), 2):
        products[one, other] = products[other, one] = _energy(centred[one].T @ centred[other])
    return products


@dataclass(frozen=True, eq=False)
class CorpusReading:
    """All that several texts tell together."""

    points: tuple[str, ...]
    forms: dict[str, dict[Form, WithinBetween]]
    """By point. ``within_each`` has one entry for each of the first ``texts`` texts."""
    layer_cka: Float64
    """(point, point)."""
    texts: int
    """How many of the texts it is over: the first that fit."""
    remarks: tuple[str, ...]
    """What was left out, in sentences."""


class Corpus:
    """States of several texts at all points, held until the last of them is there. Safe between threads.

    Args:
        lengths: number of measured tokens of each text.
        points: names of the points.
        dimension: of the hidden states.
        itemsize: bytes of one of their numbers.
    """

    def __init__(self, lengths: Sequence[int], points: Sequence[str], dimension: int, itemsize: int = 4) -> None:
        self._lengths = tuple(lengths)
        self._points = tuple(points)
        self._dimension = dimension
        limit = BYTES // (itemsize * len(self._points) * dimension)
        self.texts = sum(total <= limit for total in accumulate(self._lengths))
        """How many of the texts are kept: the first that fit."""
        self._kept: dict[str, dict[int, NDArray[np.floating] | None]] = {point: {} for point in self._points}
        self._roundings = dict.fromkeys(self._points, 0.0)
        self._lock = threading.Lock()

    def take(self, number: int, point: str, states: NDArray[np.floating] | None, rounding: float) -> None:
        """Add the measured tokens (token, dim) of one text at one point; None where they are not finite.

        ``rounding`` is their resolution floor over ‖X‖_F; what all texts make together has the highest.
        """
        if number < self.texts:
            with self._lock:
                self._kept[point][number] = states
                self._roundings[point] = max(self._roundings[point], rounding)

    def reading(self) -> CorpusReading:
        """Everything, once all texts are there."""
        forms = {point: self._within_between(point) for point in self._points}
        cka, tokens = self._cka()
        return CorpusReading(self._points, forms, cka, self.texts, tuple(self._remarks(tokens)))

    def _within_between(self, point: str) -> dict[Form, WithinBetween]:
        finite = self._finite(point)
        if not finite:
            why = "no text has finite states here" if self.texts else "no text fits into the memory for it"
            return {form: WithinBetween(math.nan, math.nan, np.full(self.texts, np.nan), why) for form in FORMS}
        found = within_between([*finite.values()], self._roundings[point])
        return {form: self._spread(each, list(finite)) for form, each in found.items()}

    def _spread(self, found: WithinBetween, numbers: Sequence[int]) -> WithinBetween:
        """The same with a place for every kept text."""
        each = np.full(self.texts, np.nan)
        each[list(numbers)] = found.within_each
        left = self.texts - len(numbers)
        said = [f"{count(left, 'text')} without finite states left out"] if left else []
        said += [found.reason] if found.reason else []
        return WithinBetween(found.within, found.between, each, "; ".join(said))

    def _cka(self) -> tuple[Float64, int]:
        """Of the texts that are finite everywhere, and the number of their tokens."""
        everywhere = set(range(self.texts)).intersection(*(self._finite(point) for point in self._points))
        if not everywhere:
            return np.full((len(self._points), len(self._points)), np.nan), 0
        states = {
            point: np.concatenate([finite[each] for each in sorted(everywhere)])[:CKA_TOKENS]
            for point in self._points
            if (finite := self._finite(point))
        }
        return linear_cka(states, self._roundings), sum(self._lengths[each] for each in everywhere)

    def _remarks(self, tokens: int) -> Iterator[str]:
        if self.texts == 0:
            yield "The first text alone does not fit into the memory for readings over several texts."
        elif self.texts < len(self._lengths):
            yield f"Over the first {self.texts:,} of {count(len(self._lengths), 'text')}: more do not fit into memory."
        if tokens > CKA_TOKENS:
            yield f"Layers are compared over the first {CKA_TOKENS:,} of {count(tokens, 'token')}."

    def _finite(self, point: str) -> dict[int, NDArray[np.floating]]:
        return {number: states for number, states in sorted(self._kept[point].items()) if states is not None}
