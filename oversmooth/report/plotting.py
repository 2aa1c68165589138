"""What ``measurement.plot`` and ``comparison.plot`` give: figures of plotly, after a check of what is asked for.

Loaded by its name (:mod:`oversmooth.results.plotting`), so that results know no figures. Another backend has functions
of the same names, called as here: with the result and a metric or a layer, and by keyword with all other arguments of
:class:`oversmooth.results.measurement.MeasurementPlots` and :class:`oversmooth.results.comparison.ComparisonPlots`.
Each raises a :class:`~oversmooth.core.errors.SettingsError` where the result has no such point, metric or side, or
there is no such theme.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
from oversmooth.results.plotting import ThemeName

_Check = Callable[[Any, Any], object]


def _checked(build: Callable[..., go.Figure], **checks: _Check) -> Callable[..., go.Figure]:
    """A function that draws a figure of what passes the checks; the first is of what is given without its name."""

    def draw(result: object, what: object, *, theme: ThemeName, **how: object) -> go.Figure:
        asked = {next(iter(checks)): what, **how}
        found = {name: checks[name](result, each) if name in checks else each for name, each in asked.items()}
        return build(result, **found, theme=chosen_theme(theme))

    return draw


curve = _checked(curves.curve, metric=chosen_metric)
similarity = _checked(maps.similarity_map, point=chosen_point)
spectrum = _checked(spectrums.spectrum, point=chosen_point)
compared_curve = _checked(compared_curves.compared_curve, metric=chosen_metric)
deltas = _checked(delta_curves.delta_curve, metric=chosen_metric)
compared_similarity = _checked(compared_maps.compared_map, point=chosen_point, label=chosen_side)
difference = _checked(compared_maps.difference_map, point=chosen_point, label=chosen_variant)
spectra = _checked(compared_spectra.compared_spectra, point=chosen_point)
plane = _checked(planes.fidelity_plane, point=chosen_point, diversity=chosen_metric, fidelity=chosen_metric)
