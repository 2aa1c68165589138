"""Every kind of figure in every state that draws something of its own: gaps, several texts, other depths, nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import plotly.graph_objects as go
from synthetic import broken_variant, comparison_of, deep_variant, fused_variant, measurement, variant

from oversmooth.report.export.images import image
from oversmooth.report.figures import curves, similarity, spectrum
from oversmooth.report.figures.canvas import Canvas
from oversmooth.report.figures.compared_curves import compared_curve
from oversmooth.report.figures.compared_maps import compared_map, difference_map
from oversmooth.report.figures.compared_spectra import compared_spectra
from oversmooth.report.figures.deltas import delta_curve
from oversmooth.report.figures.plane import fidelity_plane
from oversmooth.report.figures.theme import LIGHT
from oversmooth.report.paper import PRESETS
from oversmooth.results.comparison import Comparison
from oversmooth.results.measurement import Measurement, Note

COSINE = "token_cosine"
LONG_NAMES = {f"contranorm:scale={n / 10:.1f}+layernorm_scaling:form=sqrt": variant(-0.1 * n) for n in range(1, 9)}


def _gaps() -> Measurement:
    rising = np.linspace(0.1, 0.6, 8)
    rising[3:5] = np.nan
    notes = [Note("missing", 0, point, COSINE, "3 activations are infinite") for point in ("2", "3")]
    notes.append(Note("unresolved", 0, "5", COSINE, "below the resolution"))
    return measurement({COSINE: rising.tolist()}, notes=notes)


def _texts() -> Measurement:
    """Three, with a gap at block 9."""
    rows = np.array([np.linspace(0.05 * n, 0.5 + 0.1 * n, 26) for n in range(3)])
    rows[:, 10] = np.nan
    return measurement({COSINE: rows.tolist()}, blocks=24)


def _scripts() -> Measurement:
    words = ("the", "猫", "坐在", "مرحبا", "हिन्दी", "Ġrain", "$x^2$", "<b>", "a&b", "café", "supercalifragilistic")
    return measurement(words=words)


def _several() -> Comparison:
    variants = {
        "gfsa:weight=-0.1": variant(-0.1),
        "a twelve-block model": deep_variant(),
        "fusion": fused_variant(),
        "overflows": broken_variant(),
    }
    return comparison_of(variants)


def _floored() -> Measurement:
    """With a resolution of 4, in the midst of the singular values."""
    measured = measurement()
    floor = measured.spectra["floor"] * 0 + 4.0
    return replace(measured, spectra=measured.spectra.assign(floor=floor))


def _longer() -> Comparison:
    words = [f"t{n}" for n in range(60)]
    return comparison_of({f"longer {n}": variant(-0.1 * n, words=words) for n in (1, 2, 3)})


def _spectrum(measured: Measurement, **choices: bool) -> go.Figure:
    choices = {"centred": False, "logarithmic": True} | choices
    return spectrum.spectrum(measured, "3", theme=LIGHT, **choices)


def _compared_spectra(comparison: Comparison, **choices: bool) -> go.Figure:
    choices = {"centred": False, "logarithmic": True} | choices
    return compared_spectra(comparison, "3", theme=LIGHT, **choices)


def _plane(comparison: Comparison) -> go.Figure:
    return fidelity_plane(comparison, "5", theme=LIGHT, controls={"noise of equal size": comparison_of(5)})


def _empty() -> go.Figure:
    return similarity.similarity_map(measurement(similarity=False), "3", theme=LIGHT)


def _map(measured: Measurement) -> go.Figure:
    return similarity.similarity_map(measured, "5", theme=LIGHT)


@cache
def _builders() -> dict[str, Callable[[], go.Figure]]:
    light: dict[str, Any] = {"theme": LIGHT}
    return {
        "curve": lambda: curves.curve(measurement(), COSINE, selected="5", **light),
        "curve_gaps": lambda: curves.curve(_gaps(), COSINE, **light),
        "curve_texts": lambda: curves.curve(_texts(), COSINE, selected="final_norm", lines=True, **light),
        "curve_fused": lambda: curves.curve(fused_variant(), COSINE, **light),
        "small_curve": lambda: curves.small_curve(measurement(), COSINE, selected="5", **light),
        "map": lambda: _map(measurement()),
        "map_scripts": lambda: _map(_scripts()),
        "map_long": lambda: _map(measurement(words=[f"token{n}" for n in range(60)])),
        "map_factor": lambda: _map(measurement(words=[f"t{n}" for n in range(60)], similarity_factor=2)),
        "spectrum": lambda: _spectrum(measurement()),
        "spectrum_linear": lambda: _spectrum(measurement(), logarithmic=False, centred=True),
        "spectrum_long": lambda: _spectrum(measurement(words=[f"t{n}" for n in range(80)]), centred=True),
        "spectrum_floor": lambda: _spectrum(_floored()),
        "compared_curve": lambda: compared_curve(comparison_of(3), COSINE, selected="3", **light),
        "compared_curve_several": lambda: compared_curve(_several(), COSINE, selected="5", **light),
        "compared_curve_legend": lambda: compared_curve(comparison_of(LONG_NAMES), COSINE, **light),
        "delta_curve": lambda: delta_curve(comparison_of(3), COSINE, **light),
        "delta_curve_several": lambda: delta_curve(_several(), COSINE, selected="3", **light),
        "compared_map": lambda: compared_map(comparison_of(2), "gfsa:weight=-0.1", "5", **light),
        "difference_map": lambda: difference_map(comparison_of(2), "gfsa:weight=-0.1", "5", **light),
        "compared_spectra": lambda: _compared_spectra(comparison_of(3)),
        "compared_spectra_several": lambda: _compared_spectra(_several(), logarithmic=False, centred=True),
        "compared_spectra_long": lambda: _compared_spectra(comparison_of(LONG_NAMES)),
        "compared_spectra_thinned": lambda: _compared_spectra(_longer()),
        "plane": lambda: _plane(comparison_of(3)),
        "plane_legend": lambda: _plane(comparison_of(LONG_NAMES)),
        "empty": _empty,
    }


NAMES = tuple(_builders())


@cache
def pdf(name: str, preset: str = "single") -> bytes:
    """The figure of that name on paper."""
    return image(chart(name), "pdf", PRESETS[preset])


@cache
def chart(name: str) -> go.Figure:
    """A figure of the light theme by its name in ``NAMES``."""
    return _builders()[name]()


def redrawn(figure: go.Figure, change: Callable[[Canvas], object]) -> go.Figure:
    """The same figure drawn from a canvas that tells something else."""
    canvas: Canvas = copy.deepcopy(figure.canvas)
    change(canvas)
    return canvas.figure(canvas.height - canvas.above)


def saying(name: str, words: str) -> go.Figure:
    """A chart whose first words are these."""
    return redrawn(chart(name), lambda canvas: canvas.annotations[0].update(text=words))
