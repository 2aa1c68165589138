"""Several measurements in the same axes: a baseline and its variants."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from oversmooth.core import points
from oversmooth.core.errors import SettingsError
from oversmooth.core.wording import count
from oversmooth.results.plotting import Also, Layer, ThemeName, draw
from oversmooth.results.record import ComparisonRecord

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go
    import xarray as xr

    from oversmooth.results.measurement import Measurement

BASELINE = "baseline"
MOST_VARIANTS = 6
"""Beside the baseline: more lines cannot be told apart."""
SAME = 1e-9
"""Relative difference below which two values are the same: both sides run the same kernel on the same weights."""


@dataclass(frozen=True)
class ComparisonPlots:
    """What can be drawn of a comparison (:mod:`oversmooth.results.plotting`)."""

    comparison: Comparison

    def __call__(self, metric: str, *, theme: ThemeName = "light") -> go.Figure:
        """One metric of every side over depth.

        Raises:
            SettingsError: where no side was measured with it.
        """
        return draw("compared_curve", self.comparison, metric, theme=theme)

    def deltas(self, metric: str, *, theme: ThemeName = "light") -> go.Figure:
        """What each variant changes of a metric over depth: variant minus baseline.

        Raises:
            SettingsError: where no side was measured with it.
        """
        return draw("deltas", self.comparison, metric, theme=theme)

    def similarity(self, layer: Layer = -1, *, label: str | None = None, theme: ThemeName = "light") -> go.Figure:
        """Cosine of every pair of tokens of one side's text shown, on the colour scale of all sides.

        Args:
            layer: the number of a block, from the baseline's end where negative, or the name of a point.
            label: of the side; None for the baseline.
            theme: colours.

        Raises:
            SettingsError: where there is no such point or side.
        """
        return draw("compared_similarity", self.comparison, layer, label=label, theme=theme)

    def difference(self, layer: Layer = -1, *, label: str | None = None, theme: ThemeName = "light") -> go.Figure:
        """What a variant changes of the cosine of every pair of tokens: variant minus baseline.

        Args:
            layer: the number of a block, from the baseline's end where negative, or the name of a point.
            label: of the variant; None for the first.
            theme: colours.

        Raises:
            SettingsError: where there is no such point or variant.
        """
        return draw("difference", self.comparison, layer, label=label, theme=theme)

    def spectra(
        self, layer: Layer = -1, *, centred: bool = False, logarithmic: bool = True, theme: ThemeName = "light"
    ) -> go.Figure:
        """Singular values of each side's text shown, and the share of the energy in the first k.

        Args:
            layer: the number of a block, from the baseline's end where negative, or the name of a point.
            centred: whether the mean token is removed first; needs ``centred_spectra`` in the settings.
            logarithmic: whether the value axis is; values of exactly 0 are then left out.
            theme: colours.

        Raises:
            SettingsError: where there is no such point.
        """
        return draw("spectra", self.comparison, layer, centred=centred, logarithmic=logarithmic, theme=theme)

    def plane(
        self,
        layer: Layer = -1,
        *,
        diversity: str = "token_cosine",
        fidelity: str = "cka_to_baseline",
        controls: Mapping[str, Comparison] | None = None,
        theme: ThemeName = "light",
    ) -> go.Figure:
        """What each variant leaves of the baseline's states across, how alike its tokens are upwards.

        Args:
            layer: a block or point of the baseline; at its last block, each side is read at its own end.
            diversity: a metric.
            fidelity: a metric that is measured beside a baseline.
            controls: sweeps to draw as lines, by title, such as
                :func:`oversmooth.measuring.comparing.control_settings` names.
            theme: colours.

        Raises:
            SettingsError: where there is no such point or metric.
        """
        axes = {"diversity": diversity, "fidelity": fidelity}
        return draw("plane", self.comparison, layer, **axes, controls=controls or {}, theme=theme)


@dataclass(frozen=True)
class Comparison:
    """A baseline and what was measured beside it."""

    measurements: Mapping[str, Measurement]
    """By label, in order; the first is the baseline."""
    failures: Mapping[str, str]
    """The reason, in a sentence, of each variant that could not be measured."""
    places: Mapping[str, int] = field(default_factory=dict)
    """By label, 0 for the baseline, no two alike; empty for the order of the measurements."""

    def position(self, label: str) -> int:
        """Place of a side, which gives it its looks: they stay where another side fails or is removed."""
        return self.places[label] if self.places else list(self.measurements).index(label)

    @property
    def baseline(self) -> Measurement:
        """What the others are set against."""
        return next(iter(self.measurements.values()))

    @property
    def baseline_label(self) -> str:
        """Its label."""
        return next(iter(self.measurements))

    @property
    def variants(self) -> dict[str, Measurement]:
        """All but the baseline, by label."""
        return {label: each for label, each in self.measurements.items() if label != self.baseline_label}

    @property
    def record(self) -> ComparisonRecord:
        """How it came about: the records of all sides, and why the others are left out."""
        records = {label: each.record for label, each in self.measurements.items()}
        return ComparisonRecord(measurements=records, failures=dict(self.failures))

    def end(self, label: str) -> str:
        """The main point at which a side is read: the fusion of all blocks, or the output of the last one."""
        found = self.measurements[label].main_points
        return points.FUSION if points.FUSION in found else [point for point in found if points.is_block(point)][-1]

    def incomparable(self, label: str) -> str:
        """Why a variant has no differences to the baseline, in a clause; empty where it has."""
        depths = [sum(map(points.is_block, each.main_points)) for each in (self.baseline, self.measurements[label])]
        if depths[0] != depths[1]:
            return f"it has {count(depths[1], 'block')}, the baseline {depths[0]}"
        return ""

    def same_texts(self, label: str) -> bool:
        """Whether a variant read the baseline's texts, so that each has a difference of its own."""
        return self.measurements[label].settings.texts == self.baseline.settings.texts

    def input_deltas(self, metric: str, label: str) -> xr.DataArray | None:
        """Variant minus baseline at every point of the variant, dims (input, point); NaN where undefined.

        Where the texts are not the same, there is one input: the difference of the means over texts. None where one
        side was not measured with the metric. The fusion of all blocks is set against the baseline's last block.
        """
        if metric not in self.baseline.metrics or metric not in self.measurements[label].metrics:
            return None
        theirs, ours = self.baseline.curves[metric], self.measurements[label].curves[metric]
        if not self.same_texts(label):
            theirs, ours = (each.mean("input").expand_dims("input") for each in (theirs, ours))
        if self.incomparable(label):
            return ours * math.nan
        beside = [self.end(self.baseline_label) if point == points.FUSION else point for point in ours["point"].values]
        return ours - theirs.reindex(point=beside).values

    def deltas(self, metric: str, label: str) -> Mapping[str, float]:
        """Variant minus baseline at every main point of the variant, as the mean over the texts that have a difference.

        Empty where one side was not measured with the metric; NaN where no text has a difference.
        """
        # Kept, since a page asks for each several times.
        if (metric, label) not in self._deltas:
            self._deltas[metric, label] = self._mean_deltas(metric, label)
        return self._deltas[metric, label]

    @cached_property
    def _deltas(self) -> dict[tuple[str, str], Mapping[str, float]]:
        return {}

    def _mean_deltas(self, metric: str, label: str) -> Mapping[str, float]:
        found = self.input_deltas(metric, label)
        if found is None:
            return {}
        shown = self.measurements[label].main_points
        return dict(zip(shown, map(float, found.mean("input").sel(point=list(shown)).values), strict=True))

    def parting(self, metric: str, label: str) -> str | None:
        """The first main point at which a variant differs from the baseline; None where it nowhere does.

        A value that only one side has is a difference too.
        """
        deltas = self.deltas(metric, label)
        if not deltas or self.incomparable(label):
            return None
        theirs, ours = self.baseline.curve(metric), self.measurements[label].curve(metric)
        for point, delta in deltas.items():
            if point in theirs and math.isfinite(theirs[point]) != math.isfinite(ours[point]):
                return point
            if _differs(delta, theirs.get(point, 0.0)) and not self._unresolved(metric, label, point):
                return point
        return None

    def largest(self, metric: str, label: str) -> tuple[str, float] | None:
        """The main point with the largest resolved difference to the baseline, and it; None where there is none."""
        deltas = self.deltas(metric, label)
        theirs = self.baseline.curve(metric) if deltas else {}
        found = {
            point: delta
            for point, delta in deltas.items()
            if _differs(delta, theirs.get(point, 0.0)) and not self._unresolved(metric, label, point)
        }
        return max(found.items(), key=lambda item: abs(item[1]), default=None)

    def _unresolved(self, metric: str, label: str, point: str) -> bool:
        """Whether noise may have a part in the difference at a point of a variant."""
        theirs = self.end(self.baseline_label) if point == points.FUSION else point
        sides = ((self.baseline, theirs), (self.measurements[label], point))
        return any(side.missing(metric, at, "unresolved") for side, at in sides)

    @property
    def plot(self) -> ComparisonPlots:
        """Figures: ``plot("token_cosine")`` of every side over depth, ``plot.deltas("token_cosine")`` and others."""
        return ComparisonPlots(self)

    plot_deltas = Also(ComparisonPlots.deltas)
    plot_similarity = Also(ComparisonPlots.similarity)
    plot_difference = Also(ComparisonPlots.difference)
    plot_spectra = Also(ComparisonPlots.spectra)
    plot_plane = Also(ComparisonPlots.plane)

    def to_frame(self) -> pd.DataFrame:
        """Every metric of every side: ``label,input,point,metric,value``, as in ``curves.csv``."""
        import pandas as pd

        return pd.concat([each.to_frame(label) for label, each in self.measurements.items()], ignore_index=True)


def _differs(delta: float, value: float) -> bool:
    return abs(delta) > SAME * abs(value)


def check_labels(labels: Iterable[str]) -> None:
    """Refuse labels that would not tell the sides of a comparison apart.

    Raises:
        SettingsError: where a label is empty, given twice, the baseline's, or holds half a character.
    """
    for label, number in Counter(list(labels)).items():
        if number > 1:
            raise SettingsError(f"The variant “{label}” is given {number} times: give it once.")
        if label == BASELINE:
            raise SettingsError(f"A variant cannot be called “{BASELINE}”: that is what the others are set against.")
        if not label.strip():
            raise SettingsError("A variant needs a label that is not empty.")
        if not label.isprintable():
            raise SettingsError(f"The label {label!r} holds characters that cannot be shown.")
