"""Alternative text of every chart: its finding with numbers, for readers who do not see it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from oversmooth import metrics as metric_registry
from oversmooth import points
from oversmooth.findings import caveats, number, reason
from oversmooth.findings.spectra import cumulative_shares, singular_values, spectrum_reason
from oversmooth.tokens import visible
from oversmooth.wording import count

if TYPE_CHECKING:
    from oversmooth.measurement import Measurement


def curve(measurement: Measurement, metric: str) -> str:
    """Of :func:`oversmooth.figures.curves.curve`."""
    declared = metric_registry.get(metric)
    values = {point: value for point, value in measurement.curve(metric).items() if math.isfinite(value)}
    opening = f"{declared.title} over depth, a line chart"
    if not values:
        return f"{opening}, empty. {' '.join(caveats(measurement, metric))}"
    unit = f" {declared.unit}" if declared.unit else ""
    course = ", ".join(
        f"{number(values[point])}{unit} at {points.title(point)}"
        for point in dict.fromkeys([*_ends(values), *([points.FINAL_NORM] if points.FINAL_NORM in values else [])])
    )
    low, high = min(values, key=lambda point: values[point]), max(values, key=lambda point: values[point])
    lowest = f"Lowest {number(values[low])} at {points.title(low)}"
    highest = f"highest {number(values[high])} at {points.title(high)}"
    return " ".join([f"{opening}: {course}.", f"{lowest}, {highest}.", *caveats(measurement, metric)])


def similarity(measurement: Measurement, point: str) -> str:
    """Of :func:`oversmooth.figures.similarity.similarity_map`."""
    place = points.title(point)
    if measurement.similarity is None:
        return f"No similarity map at {place}: none was kept."
    cosines = measurement.similarity.sel(point=point).values
    if not np.isfinite(cosines).all():
        return f"No similarity map at {place}: {reason(measurement, 'similarity', point)}."
    tokens = measurement.tokens[0].measured
    opening = f"Heat map of the cosine between {count(len(tokens), 'token')} at {place}"
    if len(cosines) < 2:
        return f"{opening}: there is no pair to compare."
    pairs = np.ma.masked_array(cosines, mask=np.eye(len(cosines), dtype=bool))

    def extreme(flat: int) -> str:
        row, column = divmod(flat, len(cosines))
        factor = measurement.similarity_factor
        first, second = (visible(tokens[index * factor].text) for index in (row, column))
        return f"{number(float(cosines[row, column]))} (“{first}” and “{second}”)"

    mean = number(float(pairs.mean()))
    return f"{opening}: mean {mean} over pairs, from {extreme(int(pairs.argmin()))} to {extreme(int(pairs.argmax()))}."


def spectrum(measurement: Measurement, point: str, *, centred: bool) -> str:
    """Of :func:`oversmooth.figures.spectrum.spectrum`."""
    place = points.title(point)
    values = singular_values(measurement, point, centred=centred)
    kind = "centred tokens" if centred else "tokens"
    if values.size == 0:
        return f"No spectrum of the {kind} at {place}: {spectrum_reason(measurement, point, centred=centred)}."
    opening = f"Singular values of the {kind} at {place}: {count(values.size, 'value')}"
    if values[0] == 0:
        return f"{opening}, all 0."
    shares = cumulative_shares(values)
    enough = int(np.searchsorted(shares, 0.9)) + 1
    floor = float(measurement.spectra["floor"].sel(point=point).values[0])
    below = int(np.count_nonzero(values <= floor))
    sentences = [
        f"{opening} from {number(float(values[0]))} to {number(float(values[-1]))}.",
        f"The first carries {100 * shares[0]:.0f} % of the energy; 90 % take {enough} of {values.size}.",
    ]
    if below:
        sentences.append(f"{below} of them lie below the resolution of the states.")
    return " ".join(sentences)


def _ends(values: dict[str, float]) -> tuple[str, str]:
    path = [point for point in values if point != points.FINAL_NORM] or list(values)
    return path[0], path[-1]
