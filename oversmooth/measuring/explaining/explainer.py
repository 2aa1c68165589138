"""All that an explanation gathers from one run over the texts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from oversmooth.core import points
from oversmooth.core.wording import blocks_in_words
from oversmooth.measuring.explaining.attention import EIGENVALUE_TOKENS, AttentionGatherer
from oversmooth.measuring.explaining.norms import NormGatherer
from oversmooth.measuring.intervention.context import observable
from oversmooth.measuring.intervention.observing import See
from oversmooth.measuring.preparing import Prepared
from oversmooth.metrics import UndefinedError
from oversmooth.metrics.mechanisms.bound import WeightNorms, contraction, smoothing_bound, weight_norms
from oversmooth.metrics.mechanisms.circuits import Complex128, circuit_eigenvalues
from oversmooth.metrics.mechanisms.corpus import FORMS, Corpus
from oversmooth.results.explanation import Explanation, Reading

UNRESOLVED: Final = (
    "What a block did to the distance to the mean token is left out where tokens are alike to what the pass resolves{}."
)


class Explainer:
    """Gathers during the passes; safe between the threads that analyse.

    Args:
        run: with an intervention.
    """

    def __init__(self, run: Prepared) -> None:
        self._anatomy = anatomy = run.model.anatomy
        self._precision = run.model.precision
        self._rows = run.rows
        self._shown = shown = run.settings.shown
        self._layers = len(anatomy.blocks)
        self.reasons: dict[Reading, str] = {}
        self._lengths = lengths = [len(text.ids) for text in run.texts]
        self._eigenvalues: Complex128 | None = None
        with self._reason_for("circuits"):
            self._eigenvalues = circuit_eigenvalues(anatomy)
        self._attention = AttentionGatherer(
            lengths, self._layers, anatomy.heads, causal=anatomy.causal, shown=shown, circuits=self._eigenvalues
        )
        self.observes = observable(run.model)
        """Whether attention matrices can be seen."""
        self._norms: NormGatherer | None = None
        with self._reason_for("norms"):
            if run.intervention is not None and run.intervention.copied_by:
                raise UndefinedError(
                    f"under “{run.intervention.copied_by}” norms read a changed copy of the stream, which no point "
                    "shows, so the deviations of what they read are not known"
                )
            self._norms = NormGatherer(anatomy, lengths, shown=shown)
        self._points = run.main_points
        size = anatomy.network.dtype.itemsize
        self._corpus = Corpus([len(row.measured) for row in run.rows], self._points, anatomy.hidden_size, size)
        # At the embedding and the outputs of blocks: d_M of all tokens that are no padding, as √λ is.
        self._streams = [point for point in self._points if point != points.FINAL_NORM]
        self._distances = np.full((len(run.texts), len(self._streams)), np.nan)
        self._unresolved = False
        """Whether a distance lies below what the pass resolves."""

    @contextmanager
    def _reason_for(self, part: Reading) -> Iterator[None]:
        """Keeps why a part is missing where what makes it in the block says so."""
        try:
            yield
        except UndefinedError as error:
            self.reasons[part] = _sentence(str(error))

    def watch(self, members: Sequence[int]) -> See:
        """What is shown the attention matrices of the one pass whose batch has these texts as its rows."""
        return self._attention.of_pass(members)

    def take(self, number: int, point: str, states: NDArray[np.floating], rounding: float) -> None:
        """The states (token, dim) of one text at one point, padding among them, and their floor over ‖X‖_F."""
        finite = np.isfinite(states[: self._lengths[number]]).all()
        if point in self._points:
            kept = states[self._rows[number].measured] if finite else None
            self._corpus.take(number, point, kept, rounding)
        if not finite:
            return
        if point in self._streams:
            self._distances[number, self._streams.index(point)] = self._distance(
                states[: self._lengths[number]], rounding
            )
        if self._norms is not None:
            self._norms.take(number, point, states)

    def _distance(self, states: NDArray[np.floating], rounding: float) -> float:
        """d_M = ‖RX‖_F (Shi et al. 2022, Definition 1); NaN where it is not resolved."""
        moved = states.astype(np.float64) - states[0]  # by way of one token: alike tokens have exact differences
        moved -= moved.mean(axis=0)
        distance = float(np.linalg.norm(moved))
        if distance > rounding * float(np.linalg.norm(states.astype(np.float64))):
            return distance
        self._unresolved = True
        return math.nan

    def explanation(self) -> Explanation:
        """Everything, after the last pass."""
        attention = self._attention.dataset()
        if len(self._attention.layers) < self._layers:
            self.reasons["attention"] = self._unseen()
        circuits = xr.Dataset()
        if self._eigenvalues is not None:
            of_heads = {"layer": np.arange(self._layers), "head": np.arange(self._anatomy.heads)}
            circuits = xr.Dataset({"eigenvalues": (("layer", "head", "component"), self._eigenvalues)}, of_heads)
        corpus, texts = self._several()
        bound = self._bound(attention)
        if self._unresolved:
            why = UNRESOLVED.format("; run with precision float64" if self._precision == "float32" else "")
            self.reasons["bound"] = " ".join(filter(None, (self.reasons.get("bound", ""), why)))
        return Explanation(
            attention=attention,
            norms=xr.Dataset() if self._norms is None else self._norms.dataset(),
            bound=bound,
            circuits=circuits,
            dominance=self._dominance(circuits),
            corpus=corpus,
            texts=texts,
            reasons=dict(self.reasons),
        )

    def _unseen(self) -> str:
        family, seen = f"the family “{self._anatomy.family}”", sorted(self._attention.layers)
        if seen:
            return (
                f"Attention of {family} is met in {blocks_in_words(seen)} alone; of the others nothing is known of it."
            )
        if not self.observes:
            return f"What can be seen of the attention of {family} is not what it computes, so it is left out."
        return f"The attention matrices of {family} cannot be reached, so nothing is known of them."

    def _bound(self, attention: xr.Dataset) -> xr.Dataset:
        coordinates = {"input": np.arange(len(self._lengths)), "layer": np.arange(self._layers)}
        dims = ("input", "layer")
        found = xr.Dataset({"contraction": (dims, contraction(self._distances))}, coordinates)
        weights: WeightNorms | None = None
        with self._reason_for("bound"):
            weights = weight_norms(self._anatomy)
        if weights is None:
            return found
        if len(self._attention.layers) < self._layers or self._norms is None:
            self.reasons["bound"] = "The bound needs √λ of the attention matrices, which are missing."
            return found
        broken = [layer for layer in range(self._layers) if not np.isfinite(weights.largest[layer])]
        if broken:
            where = blocks_in_words(broken)
            self.reasons["bound"] = f"The weights of {where} are not all finite numbers, so it has no bound there."
        norms = self._norms.dataset()
        roots = attention["attention_root_lambda"].max("head").values
        v = smoothing_bound(
            weights, self._anatomy.heads, roots, norms["smallest_deviation"].values, norms["largest_gain"].values
        )
        return found.assign(smoothing_bound=(dims, v), weight_norm=("layer", weights.largest))

    def _dominance(self, circuits: xr.Dataset) -> xr.Dataset:
        """Of every layer, where both kinds of eigenvalues are there."""
        by_layer = self._attention.dominance
        if len(by_layer) < self._layers:
            self.reasons["dominance"] = self._no_pairs(circuits)
            return xr.Dataset()
        found = [by_layer[layer] for layer in range(self._layers)]
        parts: dict[str, list[NDArray[Any]]] = {
            "dominant_gain": [each.gain for each in found],
            "dominant_kind": [each.reading for each in found],
            "circuit_eigenvalue": [each.circuit_eigenvalue for each in found],
            "attention_eigenvalue": [each.attention_eigenvalue for each in found],
        }
        return xr.Dataset({name: (("layer", "head"), np.stack(each)) for name, each in parts.items()}, circuits.coords)

    def _no_pairs(self, circuits: xr.Dataset) -> str:
        length = self._lengths[self._shown]
        if circuits and self._attention.layers and length > EIGENVALUE_TOKENS:
            return (
                f"The eigenvalues of attention are computed of at most {EIGENVALUE_TOKENS} tokens, and this text has "
                f"{length:,}."
            )
        return "Pairs of eigenvalues need those of the circuits and of the attention matrices, and one kind is missing."

    def _several(self) -> tuple[xr.Dataset, int]:
        reading = self._corpus.reading()
        each = {
            name: np.array([[getattr(reading.forms[point][form], name) for point in reading.points] for form in FORMS])
            for name in ("within", "between", "within_each")
        }
        said = list(reading.remarks)
        said += dict.fromkeys(
            _sentence(found.reason) for at in reading.forms.values() for found in at.values() if found.reason
        )
        if said:
            self.reasons["corpus"] = " ".join(said)
        dims = ("form", "point")
        coordinates = {"form": list(FORMS), "point": list(reading.points), "input": np.arange(reading.texts)}
        found = xr.Dataset(
            {
                "within": (dims, each["within"]),
                "between": (dims, each["between"]),
                "within_each": ((*dims, "input"), each["within_each"]),
                "layer_cka": (("point", "other"), reading.layer_cka),
            },
            coordinates,
        )
        return found, reading.texts


def _sentence(clause: str) -> str:
    return f"{clause[0].upper()}{clause[1:].removesuffix('.')}."
