"""Whether the tokens of a text collapse into one vector, and massive activations: one outlier that looks the same."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from oversmooth.core import points
from oversmooth.core.numerals import number
from oversmooth.core.wording import count, enumerated
from oversmooth.metrics.scale import MASSIVE, TOLD_MASSIVE
from oversmooth.results.comparison import Comparison
from oversmooth.results.measurement import Measurement

_RATIO: Final = "max_activation_ratio"
_DESCRIBED: Final = "cosines, ranks and spectra there describe that outlier, not smoothing"
COLLAPSED_SHARE: Final = 1e-4
"""High-frequency share at which tokens have collapsed: their distances to the mean token are 1 % of their lengths, in
the root mean square. A cosine of 0.99 is a hundred times as much, which models with a strong common offset reach."""
BESIDE_LARGEST: Final = 1e-2
"""The share that all dimensions but the one of the largest activation may have, for a collapse to be the tokens' own;
beside a massive activation it is ``COLLAPSED_SHARE``."""
KEPT: Final = 0.5
"""Of the distance to the mean token: what collapses with more of it left was outgrown rather than drawn together."""
State = Literal["apart", "collapsed", "outlier"]


def activation_ratios(measurement: Measurement) -> NDArray[np.float64]:
    """Largest over median activation, (input, point); NaN where it is not known."""
    if measurement.activation_ratios is not None:
        values: NDArray[np.float64] = measurement.activation_ratios.transpose("input", "point").values
        return values
    if _RATIO in measurement.metrics:
        values = measurement.curves[_RATIO].transpose("input", "point").values
        return values
    return np.full((len(measurement.tokens), len(measurement.points)), np.nan)


def massive(measurement: Measurement) -> dict[str, float]:
    """The main points at which a text has a massive activation, each with the largest ratio of any text."""
    reached = np.nan_to_num(activation_ratios(measurement)).max(axis=0, initial=0.0)
    found = dict(zip(measurement.points, reached.tolist(), strict=True))
    return {point: found[point] for point in measurement.main_points if found[point] >= MASSIVE}


def outlier_sentence(measurement: Measurement, at: Sequence[str] | None = None) -> str:
    """That an outlier makes other numbers, in a sentence; empty where there is none.

    It speaks of the points ``at``; of all main points without them.
    """
    found = {point: ratio for point, ratio in massive(measurement).items() if at is None or point in at}
    if not found:
        return ""
    worst = max(found, key=lambda point: found[point])
    texts, most = len(measurement.tokens), f"{number(found[worst], 3)} times the median"
    ratios = activation_ratios(measurement)[:, measurement.points.index(worst)]
    some = int((np.nan_to_num(ratios) >= MASSIVE).sum())
    of_texts = f" in {some} of {count(texts, 'text')}" if texts > 1 else ""
    if len(found) == 1:
        return f"A massive activation, {most} at {points.title(worst)}{of_texts}: {_DESCRIBED}."
    where = f"{points.places(list(found))}, up to {most} at {points.title(worst)}{of_texts}"
    return f"Massive activations at {where}: {_DESCRIBED}."


def warnings_beside(measurement: Measurement) -> tuple[str, ...]:
    """What the record warns of, less the massive activations that every headline tells."""
    told = bool(massive(measurement))
    return tuple(each for each in measurement.record.warnings if not (told and each.startswith(TOLD_MASSIVE)))


def compared_outliers(comparison: Comparison) -> str:
    """Which sides have massive activations, in a sentence; empty where none has."""
    found = {label: massive(each) for label, each in comparison.measurements.items()}
    found = {label: ratios for label, ratios in found.items() if ratios}
    if not found:
        return ""
    worst = max(found, key=lambda label: max(found[label].values()))
    point = max(found[worst], key=lambda each: found[worst][each])
    who = "every side" if len(found) == len(comparison.measurements) > 1 else _few(found)
    most = f"{number(found[worst][point], 3)} times the median"
    whose = f" of {worst}" if len(found) > 1 else ""
    return f"Massive activations in {who}, up to {most} at {points.title(point)}{whose}: {_DESCRIBED}."


def _few(labels: Mapping[str, object]) -> str:
    return enumerated(list(labels)) if len(labels) <= 3 else count(len(labels), "side")


def collapsed_by(measurement: Measurement) -> str | None:
    """The first block from which, up to the last with a value, tokens are one vector but for 1 %; None without one.

    Read from the mean high-frequency share over texts, where it was measured: at most ``COLLAPSED_SHARE``, and not for
    an outlier alone (:func:`states`).
    """
    first = None
    for point, state in states(measurement).items():
        first = (first or point) if state == "collapsed" else None
    return first


def collapses(measurement: Measurement) -> tuple[str, ...]:
    """The blocks at which tokens are one vector but for 1 %, whatever comes later."""
    return tuple(point for point, state in states(measurement).items() if state == "collapsed")


def states(measurement: Measurement) -> dict[str, State]:
    """Whether tokens are collapsed at each block that has a high-frequency share h.

    ``outlier`` where h is small enough and may be so for one dimension alone. With the largest over the median
    activation r of d dimensions, half of the activations hold at least nd/2 medians squared and one dimension at most
    n r² of them, so that the share of all other dimensions is at most h (1 + 2r²/(d − 2)): a collapse is told where
    that is small, too.
    """
    shares, others, outliers = _shares(measurement), _shares_beside_largest(measurement), massive(measurement)
    found: dict[str, State] = {}
    for point, share in shares.items():
        most = COLLAPSED_SHARE if point in outliers else BESIDE_LARGEST
        found[point] = "apart" if share > COLLAPSED_SHARE else "outlier" if others[point] > most else "collapsed"
    return found


def _shares(measurement: Measurement) -> dict[str, float]:
    if "high_frequency_share" not in measurement.metrics:
        return {}
    shares = measurement.curve("high_frequency_share")
    known = {point: share for point, share in shares.items() if points.is_block(point) and math.isfinite(share)}
    # Noise of a number that is not resolved may have the size of all that was found of it, or else be far below the
    # limit: what is well below it stays below, and anything else may be noise that has grown.
    return {
        point: share
        for point, share in known.items()
        if share <= COLLAPSED_SHARE / 10 or not _noise(measurement, point)
    }


def _noise(measurement: Measurement, point: str) -> bool:
    return bool(measurement.missing("high_frequency_share", point, "unresolved"))


def _told(measurement: Measurement, point: str, share: float) -> str:
    """A share in words; no digits where noise may have made them in every text."""
    known = measurement.resolved("high_frequency_share").sel(point=point).notnull().any()
    return number(share, 2) if known else "below what the pass resolves"


def _shares_beside_largest(measurement: Measurement) -> dict[str, float]:
    """The most that the share of all dimensions but the largest may be, by point; 0 where that is not known."""
    if "high_frequency_share" not in measurement.metrics:
        return {}
    shares = measurement.curves["high_frequency_share"].transpose("input", "point").values
    others = max(measurement.record.model.hidden_size - 2, 1)
    most = shares * (1 + 2 * activation_ratios(measurement) ** 2 / others)
    return dict(zip(measurement.points, np.nan_to_num(most).max(axis=0).tolist(), strict=True))


def shrinkage(measurement: Measurement, block: str) -> tuple[float, float]:
    """What became of the distance to the mean token and of its norm: those at a block over those at the embedding.

    As geometric means over texts; NaN where they were not measured or not resolved.
    """
    ratios = []
    for metric in ("distance_to_mean", "mean_token_norm"):
        if metric not in measurement.metrics or points.EMBEDDING not in measurement.points:
            return math.nan, math.nan
        values = measurement.resolved(metric)
        before, after = (values.sel(point=point).values for point in (points.EMBEDDING, block))
        with np.errstate(divide="ignore", invalid="ignore"):
            logarithms = np.log(after) - np.log(before)
        known = logarithms[np.isfinite(logarithms)]
        ratios.append(float(np.exp(known.mean())) if known.size else math.nan)
    return ratios[0], ratios[1]


def collapse_sentence(measurement: Measurement) -> str:
    """Whether and where tokens collapse, in a sentence; empty where the share was not measured."""
    shares, found = _shares(measurement), states(measurement)
    if not shares:
        return ""
    block = collapsed_by(measurement)
    if block is not None:
        return _collapsed(measurement, block, shares)
    if "collapsed" in found.values():
        return _recovered(measurement, found, shares)
    if "outlier" in found.values():
        return f"No collapse is told: {_beside_outlier(measurement, found, shares)}."
    lowest = min(shares, key=lambda point: shares[point])
    return (
        f"No collapse: the high-frequency share is {number(shares[lowest], 2)} at its lowest ({points.title(lowest)}), "
        f"and tokens count as collapsed from {COLLAPSED_SHARE:g} down."
    )


def _collapsed(measurement: Measurement, block: str, shares: Mapping[str, float]) -> str:
    last = list(shares)[-1]
    blocks = [point for point in measurement.main_points if points.is_block(point)]
    value = "resolved value" if _noise(measurement, blocks[-1]) else "value"
    until = "" if last == blocks[-1] else f" to {points.title(last)}, the last with a {value},"
    return (
        f"Tokens collapse by {points.title(block)}: from there on{until} they differ from their mean by at most 1 % of "
        f"their length (high-frequency share {_told(measurement, block, shares[block])}, limit {COLLAPSED_SHARE:g})."
    )


def _recovered(measurement: Measurement, found: Mapping[str, State], shares: Mapping[str, float]) -> str:
    collapsed = [point for point, state in found.items() if state == "collapsed"]
    lowest = min(collapsed, key=lambda point: shares[point])
    last = list(shares)[-1]
    where = points.places(collapsed, "block")
    told = f"the high-frequency share is {_told(measurement, lowest, shares[lowest])} at {points.title(lowest)}"
    if found[last] == "outlier":
        outlier = _beside_outlier(measurement, found, shares)
        return f"Tokens collapse at {where}: {told} (limit {COLLAPSED_SHARE:g}). Later {outlier}."
    return (
        f"Tokens collapse at {where} and recover: {told} and {number(shares[last], 2)} at "
        f"{points.title(last)} (limit {COLLAPSED_SHARE:g})."
    )


def _beside_outlier(measurement: Measurement, found: Mapping[str, State], shares: Mapping[str, float]) -> str:
    """What looks like a collapse, and is that of an outlier or cannot be told from it, in a clause."""
    alike = [point for point, state in found.items() if state == "outlier"]
    point = alike[-1]
    ratios = activation_ratios(measurement)[:, measurement.points.index(point)]
    return (
        f"the high-frequency share is {number(shares[point], 2)} at {points.title(point)}, but one activation there is "
        f"{number(float(np.nanmax(ratios)), 3)} times the median, and that outlier alone may bring the share below "
        f"{COLLAPSED_SHARE:g}"
    )


def shrinkage_sentence(measurement: Measurement) -> str:
    """What became of tokens that collapsed, in a sentence; empty where they did not, or it was not measured."""
    block = collapsed_by(measurement)
    away, mean = (math.nan, math.nan) if block is None else shrinkage(measurement, block)
    if not math.isfinite(away + mean):
        return ""
    how = " An offset outgrew their differences." if away >= KEPT and mean > 1 / KEPT else ""
    return (
        f"Up to there the distance to the mean token became {number(away, 2)} times what it was, and the mean "
        f"token {number(mean, 2)} times as long.{how}"
    )
