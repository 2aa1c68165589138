"""What ``measurement.plot`` and ``comparison.plot`` give: figures of plotly, after a check of what is asked for.

Loaded by its name (:mod:`oversmooth.results.plotting`), so that results know no figures. Another backend has functions
of the same names and arguments. Each raises a :class:`~oversmooth.core.errors.SettingsError` where the result has no
such point, metric or side, or there is no such theme.
"""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from oversmooth.report.figures import compared_curves, compared_maps, compared_spectra, curves
from oversmooth.report.figures import deltas as delta_curves
from oversmooth.report.figures import plane as planes
from oversmooth.report.figures import similarity as maps
from oversmooth.report.figures import spectrum as spectrums
from oversmooth.report.figures.choosing import (
    chosen_metric,
    chosen_point,
    chosen_side,
    chosen_theme,
    chosen_variant,
)
from oversmooth.results.comparison import Comparison
from oversmooth.results.measurement import Measurement
from oversmooth.results.plotting import Layer, ThemeName


def curve(measurement: Measurement, metric: str, *, lines: bool, theme: ThemeName) -> go.Figure:
    """See :meth:`oversmooth.results.measurement.MeasurementPlots.__call__`."""
    return curves.curve(measurement, chosen_metric(measurement, metric), theme=chosen_theme(theme), lines=lines)


def similarity(measurement: Measurement, layer: Layer, *, theme: ThemeName) -> go.Figure:
    """See :meth:`oversmooth.results.measurement.MeasurementPlots.similarity`."""
    return maps.similarity_map(measurement, chosen_point(measurement, layer), theme=chosen_theme(theme))


def spectrum(
    measurement: Measurement, layer: Layer, *, centred: bool, logarithmic: bool, theme: ThemeName
) -> go.Figure:
    """See :meth:`oversmooth.results.measurement.MeasurementPlots.spectrum`."""
    point, colours = chosen_point(measurement, layer), chosen_theme(theme)
    return spectrums.spectrum(measurement, point, centred=centred, logarithmic=logarithmic, theme=colours)


def compared_curve(comparison: Comparison, metric: str, *, theme: ThemeName) -> go.Figure:
    """See :meth:`oversmooth.results.comparison.ComparisonPlots.__call__`."""
    return compared_curves.compared_curve(comparison, chosen_metric(comparison, metric), theme=chosen_theme(theme))


def deltas(comparison: Comparison, metric: str, *, theme: ThemeName) -> go.Figure:
    """See :meth:`oversmooth.results.comparison.ComparisonPlots.deltas`."""
    return delta_curves.delta_curve(comparison, chosen_metric(comparison, metric), theme=chosen_theme(theme))


def compared_similarity(comparison: Comparison, layer: Layer, *, label: str | None, theme: ThemeName) -> go.Figure:
    """See :meth:`oversmooth.results.comparison.ComparisonPlots.similarity`."""
    side, point = chosen_side(comparison, label), chosen_point(comparison, layer)
    return compared_maps.compared_map(comparison, side, point, theme=chosen_theme(theme))


def difference(comparison: Comparison, layer: Layer, *, label: str | None, theme: ThemeName) -> go.Figure:
    """See :meth:`oversmooth.results.comparison.ComparisonPlots.difference`."""
    variant, point = chosen_variant(comparison, label), chosen_point(comparison, layer)
    return compared_maps.difference_map(comparison, variant, point, theme=chosen_theme(theme))


def spectra(comparison: Comparison, layer: Layer, *, centred: bool, logarithmic: bool, theme: ThemeName) -> go.Figure:
    """See :meth:`oversmooth.results.comparison.ComparisonPlots.spectra`."""
    point, colours = chosen_point(comparison, layer), chosen_theme(theme)
    return compared_spectra.compared_spectra(comparison, point, centred=centred, logarithmic=logarithmic, theme=colours)


def plane(
    comparison: Comparison,
    layer: Layer,
    *,
    diversity: str,
    fidelity: str,
    controls: Mapping[str, Comparison],
    theme: ThemeName,
) -> go.Figure:
    """See :meth:`oversmooth.results.comparison.ComparisonPlots.plane`."""
    axes = {"diversity": diversity, "fidelity": fidelity}
    chosen = {axis: chosen_metric(comparison, name) for axis, name in axes.items()}
    point, colours = chosen_point(comparison, layer), chosen_theme(theme)
    return planes.fidelity_plane(comparison, point, **chosen, controls=controls, theme=colours)
