"""The singular values of one point, as charts and their descriptions read them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oversmooth.results.measurement import Measurement

Float64 = NDArray[np.float64]


def singular_values(measurement: Measurement, point: str, *, centred: bool) -> Float64:
    """Singular values of the text shown, at a point, descending; empty where it has none."""
    name = "centred" if centred else "raw"
    if name not in measurement.spectra:
        return np.empty(0)
    values = measurement.spectra[name].sel(point=point).values[measurement.settings.shown]
    kept: Float64 = values[np.isfinite(values)]
    return kept


def cumulative_shares(values: Float64) -> Float64:
    """Share of the energy Σσ² in the first k directions, rising to 1."""
    energy = np.cumsum(values**2)
    shares: Float64 = energy / energy[-1]
    return shares


def spectrum_reason(measurement: Measurement, point: str, *, centred: bool) -> str:
    """Why a point has no singular values."""
    if not centred and "raw" not in measurement.spectra:
        return "no metric that is made of singular values was asked for"
    if centred and "centred" not in measurement.spectra:
        return "the spectra of the centred tokens were not asked for"
    if centred and singular_values(measurement, point, centred=False).size == 1:
        return "one token less its mean leaves nothing"
    place = measurement.settings.shown, point, "missing"
    notes = [note for note in measurement.notes if (note.input, note.point, note.kind) == place]
    return notes[0].reason if notes else "no reason was recorded"
