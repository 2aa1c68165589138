"""Means over several texts, how many texts they are of, and their bootstrap bands, as numbers and in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import xarray as xr

from oversmooth.core.numerals import between
from oversmooth.core.resampling import LEVEL, RESAMPLES, band
from oversmooth.core.wording import count
from oversmooth.results.comparison import Comparison
from oversmooth.results.measurement import Measurement

BAND = f"{LEVEL} % band"
UNPAIRED = "the difference of means over other texts, which has no band"
"""What a variant's differences are where it read other texts than the baseline."""


@dataclass(frozen=True)
class Spread:
    """One mean over texts."""

    low: float
    """The lower end of its band; NaN where fewer than two texts have a value."""
    high: float
    """The upper end; NaN where fewer than two texts have a value."""
    count: int
    """Texts that have a value."""

    @property
    def defined(self) -> bool:
        """Whether it has a band."""
        return math.isfinite(self.low)

    @property
    def words(self) -> str:
        """``95 % band 0.31 to 0.41``; empty where it has none."""
        return f"{BAND} {between(self.low, self.high)}" if self.defined else ""


def spreads(measurement: Measurement, metric: str) -> dict[str, Spread]:
    """The spread of a metric at every main point; empty where there is one text."""
    return _spreads(measurement.curves[metric], measurement.main_points) if len(measurement.tokens) > 1 else {}


def delta_spreads(comparison: Comparison, metric: str, label: str) -> dict[str, Spread]:
    """The spread of a variant's differences to the baseline, text by text, at every main point of the variant.

    Empty where there is one text, or the two sides read different texts: their differences are not paired.
    """
    found = comparison.input_deltas(metric, label)
    if found is None or found.sizes["input"] < 2:
        return {}
    return _spreads(found, comparison.measurements[label].main_points)


def is_unpaired(comparison: Comparison, label: str) -> bool:
    """Whether a variant's differences are of means over several texts that are not the same on both sides."""
    sides = (comparison.baseline, comparison.measurements[label])
    return not comparison.same_texts(label) and any(len(each.tokens) > 1 for each in sides)


def _spreads(values: xr.DataArray, names: Sequence[str]) -> dict[str, Spread]:
    found = band(values.transpose("input", "point").sel(point=list(names)).values)
    ends = zip(found.low.tolist(), found.high.tolist(), found.count.tolist(), strict=True)
    return {name: Spread(*each) for name, each in zip(names, ends, strict=True)}


def at_the_end(texts: int, last: Spread | None) -> str:
    """``mean of 64 texts, 95 % band at the end 0.34 to 0.38``, of the spread of the last value; empty of one text."""
    if last is None:
        return ""
    band_of_it = f"{BAND} at the end {between(last.low, last.high)}" if last.defined else ""
    return ", ".join(filter(None, (mean_of(texts, last.count), band_of_it)))


def mean_of(texts: int, known: int | None = None) -> str:
    """``mean of 64 texts``, ``mean of 63 of 64 texts``; empty of one text.

    So many of them are ``known`` to have a value; all without it.
    """
    if texts < 2:
        return ""
    return f"mean of {'' if known in (None, texts) else f'{known:,} of '}{count(texts, 'text')}"


def shown_text(measurement: Measurement) -> str:
    """``Text 2 of 64 texts``: which one is drawn alone; empty of one text."""
    texts = len(measurement.tokens)
    return f"Text {measurement.settings.shown + 1} of {count(texts, 'text')}" if texts > 1 else ""


def band_caption(*measurements: Measurement, of: str = "over texts", lines: bool = False) -> str:
    """What is drawn of several texts in a curve, in sentences; empty where each side has one.

    ``of`` says what the means are of, ``lines`` whether each text has a thin line.
    """
    if all(len(each.tokens) == 1 for each in measurements):
        return ""
    found = f"A band holds the middle {LEVEL} % of {RESAMPLES:,} bootstrap means {of}."
    return f"{found} Thin lines are single texts." if lines else found
