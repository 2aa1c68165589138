"""The bound of the norms beside what the blocks did."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from oversmooth.core.numerals import number, pair
from oversmooth.core.wording import count, enumerated
from oversmooth.report.findings.absences import explained
from oversmooth.results.measurement import Measurement


@dataclass(frozen=True)
class Extremes:
    """The smallest and the largest of one number over blocks, and where they are."""

    low: float
    high: float
    low_layer: int
    high_layer: int
    layers: int
    """How many have a value."""

    def in_words(self, *numbers: str) -> str:
        """``0.66 (block 5) to 1.21 (block 0)``; other ``numbers``, low and high, in the place of its own."""
        low, high = numbers or span(self.low, self.high)
        if self.low == self.high:
            return f"{low} in every block" if self.layers > 1 else f"{low} (block {self.low_layer})"
        return f"{low} (block {self.low_layer}) to {high} (block {self.high_layer})"


def span(low: float, high: float) -> tuple[str, str]:
    """Two numbers with the decimals that their difference needs, or each with its own where that would hide the low."""
    words = pair(low, high)
    return words if low == 0 or abs(low) >= 0.01 * abs(high) else (number(low, 2), number(high, 2))


def over_layers(values: xr.DataArray) -> Extremes | None:
    """Extremes over layers of the mean over all other dimensions; None where no layer has a finite value."""
    others = [dim for dim in values.dims if dim != "layer"]
    means = values.mean(others).values.astype(float)
    known = np.flatnonzero(np.isfinite(means))
    if not known.size:
        return None
    low, high = known[np.argmin(means[known])], known[np.argmax(means[known])]
    return Extremes(float(means[low]), float(means[high]), int(low), int(high), known.size)


def bounds(measurement: Measurement) -> Extremes | None:
    """v, of the block with the smallest and with the largest: the most that each can multiply d_M by."""
    return _of_bound(measurement, "smoothing_bound")


def contractions(measurement: Measurement) -> Extremes | None:
    """d_M(X_{l+1})/d_M(X_l) as measured, of the block that contracts most and of the one that widens most."""
    return _of_bound(measurement, "contraction")


def _of_bound(measurement: Measurement, name: str) -> Extremes | None:
    found = explained(measurement, "bound", name)
    return None if found is None else over_layers(found[name])


def is_vacuous(measurement: Measurement) -> bool:
    """Whether v is nowhere below 1, so that the bound says nothing of this model and text."""
    found = bounds(measurement)
    return found is not None and found.low >= 1


def bound_sentence(measurement: Measurement) -> str:
    """What v says, in a sentence; empty where there is none."""
    found = bounds(measurement)
    if found is None:
        return ""
    # Two digits of what is large; below 10, as near to 1 as it is.
    low, high = (number(float(f"{value:.2g}") if value >= 10 else value, 2) for value in (found.low, found.high))
    span = f"v is {found.in_words(low, high)}"
    if is_vacuous(measurement):
        return f"{span}, so the bound is vacuous here: v ≥ 1 says nothing."
    return f"{span}: where it is below 1, the block must smooth, and elsewhere it says nothing."


def contraction_sentence(measurement: Measurement) -> str:
    """What the blocks did to the distance to the mean token, in a sentence; empty where there is nothing."""
    found = contractions(measurement)
    if found is None:
        return ""
    return f"A block multiplies the distance to the mean token by {found.in_words()}."


def norms_sentence(measurement: Measurement) -> str:
    """The smallest deviation inside a norm and the signs of the gains, in a sentence; empty where norms are unknown."""
    norms = explained(measurement, "norms", "smallest_deviation")
    if norms is None:
        return ""
    smallest = norms["smallest_deviation"].min("input")
    if not np.isfinite(smallest.values).any():
        return ""
    layer, norm = np.unravel_index(int(np.nanargmin(smallest.values)), smallest.shape)
    names = {"attention": "attention", "mlp": "MLP"}
    place = f"block {layer}'s {names[str(smallest.coords['norm'].values[norm])]} norm"
    value = number(float(np.nanmin(smallest.values)), 2)
    size = "root mean square" if "RMSNorm" in norms["kind"].values else "deviation"
    return f"The smallest {size} of a token is {value}, in {place}; {_signs(norms)}."


def _signs(norms: xr.Dataset) -> str:
    negative = norms["negative_gains"]
    some = (negative > 0).any("norm")
    blocks = [f"block {layer}" for layer in negative.coords["layer"].values[some.values].tolist()]
    if not blocks:
        return "no gain γ is negative"
    most = float(negative.max())
    where = enumerated(blocks) if len(blocks) <= 3 else count(len(blocks), "block")
    return f"at most {100 * most:.2g} % of the gains γ of a norm are negative, in {where}"
