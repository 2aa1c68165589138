"""The result: numbers with names, the tokens they belong to, and a record of how they came about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from oversmooth.core import points
from oversmooth.core.tokens import Tokens
from oversmooth.results.labelled import Labelled
from oversmooth.results.plotting import Also, Layer, ThemeName, draw
from oversmooth.results.record import Record

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go
    import xarray as xr

    from oversmooth.results.explanation import Explanation
    from oversmooth.results.settings import Settings

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Note:
    """Why one number is missing, or what to know before it is read."""

    kind: Literal["missing", "unresolved"]
    input: int
    point: str
    metric: str
    reason: str


@dataclass(frozen=True)
class MeasurementPlots:
    """What can be drawn of a measurement (:mod:`oversmooth.results.plotting`)."""

    measurement: Measurement

    def __call__(self, metric: str, *, lines: bool = False, theme: ThemeName = "light") -> go.Figure:
        """One metric over depth, of several texts as their mean with its bootstrap band.

        Args:
            metric: one that was measured.
            lines: whether each of several texts has a thin line of its own.
            theme: colours.

        Raises:
            SettingsError: where it was not measured.
        """
        return draw("curve", self.measurement, metric, lines=lines, theme=theme)

    def similarity(self, layer: Layer = -1, *, theme: ThemeName = "light") -> go.Figure:
        """Cosine of every pair of tokens of the text number ``settings.shown``.

        Args:
            layer: the number of a block, from the end where negative, or the name of a point.
            theme: colours.

        Raises:
            SettingsError: where there is no such point.
        """
        return draw("similarity", self.measurement, layer, theme=theme)

    def spectrum(
        self, layer: Layer = -1, *, centred: bool = False, logarithmic: bool = True, theme: ThemeName = "light"
    ) -> go.Figure:
        """Singular values of the tokens of the text number ``settings.shown``, and the share of energy in the first k.

        Args:
            layer: the number of a block, from the end where negative, or the name of a point.
            centred: whether the mean token is removed first; needs ``centred_spectra`` in the settings.
            logarithmic: whether the value axis is; values of exactly 0 are then left out.
            theme: colours.

        Raises:
            SettingsError: where there is no such point.
        """
        return draw("spectrum", self.measurement, layer, centred=centred, logarithmic=logarithmic, theme=theme)


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Smoothing of one or several texts through one model."""

    settings: Settings
    curves: Labelled[xr.Dataset] = Labelled()
    """One variable per metric, dims (input, point); NaN where the value is missing, with a note that says why."""
    spectra: Labelled[xr.Dataset] = Labelled()
    """``raw``, where a metric is made of them, and, where asked for, ``centred``: singular values (input, point,
    component), descending, NaN beyond the last; ``floor`` (input, point), always: what does not rise above it may be
    noise of the pass."""
    similarity: Labelled[xr.DataArray | None] = Labelled()
    """Cosine of every pair of measured tokens of the text number ``settings.shown``: dims (point, token, other),
    float32; ``token`` and ``other`` are positions in the sequence, of the first token of each row."""
    similarity_factor: int
    """Neighbouring tokens averaged into one row of ``similarity``; 1 when every token has its own."""
    outputs: Labelled[xr.Dataset] = Labelled()
    """``language_model_loss`` and, beside a baseline, ``output_kl``, in nats a token: dims (input,). Empty where they
    were not asked for; NaN where they are not defined, with a note at the point ``output``."""
    tokens: tuple[Tokens, ...]
    notes: tuple[Note, ...]
    record: Record
    explanation: Explanation | None = None
    """Mechanisms, where they were asked for."""
    activation_ratios: Labelled[xr.DataArray | None] = Labelled(None)
    """Largest over median activation, dims (input, point), whatever ``settings.metrics`` asks for: findings are told
    beside it. NaN where the median is zero."""
    schema_version: int = SCHEMA_VERSION

    @cached_property
    def points(self) -> tuple[str, ...]:
        """All points, in the order of the data's way through the model."""
        return tuple(str(point) for point in self.curves.coords["point"].values)

    @cached_property
    def main_points(self) -> tuple[str, ...]:
        """The points without those inside a block: what curves draw by default."""
        return tuple(point for point in self.points if not points.is_sub_layer(point))

    @property
    def shown(self) -> Tokens:
        """The tokens of the text that the similarity maps are of."""
        return self.tokens[self.settings.shown]

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics measured."""
        return tuple(str(name) for name in self.curves.data_vars)

    def curve(self, metric: str) -> Mapping[str, float]:
        """The metric at every main point, as the mean over inputs that have a value there; NaN where none has."""
        return self._means[metric]

    @cached_property
    def _means(self) -> Mapping[str, Mapping[str, float]]:
        # Of all metrics at once and kept: a page asks for each many times, and indexing labels takes a millisecond.
        shown = self.main_points
        means = self.curves.mean("input").sel(point=list(shown))
        return {str(name): dict(zip(shown, map(float, values.values), strict=True)) for name, values in means.items()}

    def resolved(self, metric: str) -> xr.DataArray:
        """The metric without the values that are not resolved: dims (input, point), NaN in their places."""
        places = self._unresolved.get(metric)
        if not places:
            return self.curves[metric]
        found = self.curves[metric].transpose("input", "point").copy()
        for number, point in places:
            found.values[number, self.points.index(point)] = float("nan")
        return found

    @cached_property
    def _unresolved(self) -> Mapping[str, list[tuple[int, str]]]:
        found: dict[str, list[tuple[int, str]]] = {}
        for note in self.notes:
            if note.kind == "unresolved":
                found.setdefault(note.metric, []).append((note.input, note.point))
        return found

    def missing(self, metric: str, point: str, kind: str = "missing") -> tuple[Note, ...]:
        """The notes on one number."""
        return tuple(note for note in self.notes if (note.metric, note.point, note.kind) == (metric, point, kind))

    def reason(self, metric: str, point: str, kind: Literal["missing", "unresolved"] = "missing") -> str:
        """Why a value is missing, or what to know before it is read; empty for an unresolved value that is not one."""
        notes = self.missing(metric, point, kind)
        if not notes:
            return "no reason was recorded" if kind == "missing" else ""
        texts = len(self.tokens)
        return notes[0].reason if texts == 1 else f"{notes[0].reason} (in {len(notes)} of {texts} texts)"

    @property
    def plot(self) -> MeasurementPlots:
        """Figures: ``plot("token_cosine")`` of a metric over depth, ``plot.similarity()``, ``plot.spectrum()``."""
        return MeasurementPlots(self)

    plot_similarity = Also(MeasurementPlots.similarity)
    plot_spectrum = Also(MeasurementPlots.spectrum)

    def to_frame(self, label: str = "") -> pd.DataFrame:
        """Every metric at every point of every text.

        Args:
            label: what the rows are called where several measurements meet in one table; without it, the model's name.

        Returns:
            A table with the columns ``label,input,point,metric,value``, as in ``curves.csv``; inputs are counted from
            0, points are in the order of the data's way through the model, a missing value is NaN.
        """
        array = self.curves.to_dataarray("metric").transpose("input", "point", "metric")
        rows = array.to_series().rename("value").reset_index().assign(label=label or self.settings.model)
        return rows[["label", "input", "point", "metric", "value"]]
