"""A whole result as one JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from oversmooth.core.documents import Frozen
from oversmooth.results.comparison import Comparison
from oversmooth.results.files.tables import sides_of
from oversmooth.results.record import Record
from oversmooth.results.settings import Settings

if TYPE_CHECKING:
    from oversmooth.core.tokens import Token
    from oversmooth.results.explanation import Explanation
    from oversmooth.results.measurement import Measurement

Number = float | None
"""None, in JSON null, for a missing value."""


class TokenEntry(Frozen):
    """One token as the model sees it."""

    position: int
    """In the sequence, from 0; special tokens have one too, padding has none."""
    id: int
    text: str
    kind: Literal["content", "special", "unknown"]
    start: int | None
    """First character of the text that it covers, of a pair in its own half; null where the tokenizer does not tell."""
    end: int | None
    """The character behind the last."""
    measured: bool
    """Whether it counts in the metrics."""
    segment: int | None
    """Which text of a pair it is of, from 0; 0 without a pair. Null for a special token that the tokenizer added."""


class NoteEntry(Frozen):
    """Why one number is missing, or lies below the resolution of the pass."""

    kind: Literal["missing", "unresolved"]
    input: int
    point: str
    metric: str
    reason: str


class Similarity(Frozen):
    """Cosine of every pair of measured tokens of the text number ``settings.shown``."""

    factor: int
    """Neighbouring tokens that share one row; 1 where each has its own."""
    positions: list[int]
    """Of each row: the position in the sequence of its first token."""
    values: list[list[list[Number]]]
    """By point, token and other token; float32."""


class Labelled(Frozen):
    """An array with names."""

    dims: list[str]
    """Of its axes, the outermost first."""
    coordinates: dict[str, list[str | int]]
    """What stands along each axis that is not merely counted from 0."""
    values: list[Any]
    """Lists as deep as there are axes; a complex number is the pair of its real and its imaginary part."""


class ExplanationEntry(Frozen):
    """Mechanisms beside the curves; a part that is missing is empty."""

    attention: dict[str, Labelled]
    norms: dict[str, Labelled]
    bound: dict[str, Labelled]
    circuits: dict[str, Labelled]
    dominance: dict[str, Labelled]
    corpus: dict[str, Labelled]
    texts: int
    """How many of the texts ``corpus`` is over: the first that fit."""
    reasons: dict[str, str]
    """Why a part is missing, or what it leaves out, in a sentence."""


class Side(Frozen):
    """One measurement: the whole of it, or one side of a comparison."""

    label: str
    settings: Settings
    record: Record
    points: list[str]
    """In the order of the data's way through the model."""
    curves: dict[str, list[list[Number]]]
    """Metric → by input and point."""
    outputs: dict[str, list[Number]]
    """Metric of the language-model head → by input; empty where it was not asked for."""
    spectra: dict[str, list[list[list[Number]]]]
    """``raw`` and, where asked for, ``centred`` → singular values by input, point and component, the largest first."""
    activation_ratios: list[list[Number]] | None
    """By input and point: the largest over the median activation. From about 1,000 on, cosines, ranks and spectra
    describe that outlier. Null where it is not known."""
    floor: list[list[Number]]
    """By input and point: singular values below are rounding of the states."""
    similarity: Similarity | None
    tokens: list[list[TokenEntry]]
    """By input."""
    notes: list[NoteEntry]
    explanation: ExplanationEntry | None
    """Where it was asked for."""


class Document(Frozen):
    """A measurement or a comparison, with everything that belongs to it."""

    schema_version: Literal[1] = 1
    kind: Literal["measurement", "comparison"]
    sides: list[Side]
    """The baseline first; one of a measurement."""
    deltas: dict[str, dict[str, list[list[Number]]]]
    """Of a comparison: variant → metric → variant less baseline, by input and point of the variant."""
    failures: dict[str, str]
    """Of a comparison: the reason, in a sentence, of each variant that could not be measured."""

    @classmethod
    def of(cls, result: Measurement | Comparison) -> Self:
        """Everything that a result holds."""
        sides = [_side(label, each) for label, each in sides_of(result).items()]
        if not isinstance(result, Comparison):
            return cls.model_construct(kind="measurement", sides=sides, deltas={}, failures={})
        deltas = {
            label: {
                metric: _listed(found)
                for metric in each.metrics
                if (found := result.input_deltas(metric, label)) is not None
            }
            for label, each in result.variants.items()
        }
        return cls.model_construct(kind="comparison", sides=sides, deltas=deltas, failures=dict(result.failures))

    def to_json(self) -> bytes:
        """UTF-8 in one line; numbers with the fewest digits that read back to the same float."""
        return self.model_dump_json().encode() + b"\n"


def _side(label: str, measurement: Measurement) -> Side:
    spectra = measurement.spectra
    maps, ratios = measurement.similarity, measurement.activation_ratios
    return Side.model_construct(
        label=label,
        settings=measurement.settings,
        record=measurement.record,
        points=list(measurement.points),
        curves={name: _listed(measurement.curves[name]) for name in measurement.metrics},
        outputs={str(name): _listed(values) for name, values in measurement.outputs.items()},
        spectra={str(name): _listed(values) for name, values in spectra.items() if name != "floor"},
        activation_ratios=None if ratios is None else _listed(ratios),
        floor=_listed(spectra["floor"]),
        similarity=None if maps is None else _similarity(measurement, maps),
        tokens=[[_entry(*each) for each in enumerate(tokens.items)] for tokens in measurement.tokens],
        notes=[NoteEntry.model_construct(**vars(note)) for note in measurement.notes],
        explanation=None if measurement.explanation is None else _explanation(measurement.explanation),
    )


def _entry(position: int, token: Token) -> TokenEntry:
    known = {name: getattr(token, name) for name in TokenEntry.model_fields if name != "position"}
    return TokenEntry.model_construct(position=position, **known)


def _similarity(measurement: Measurement, maps: xr.DataArray) -> Similarity:
    factor = measurement.similarity_factor
    positions = list(measurement.shown.positions[::factor])
    return Similarity.model_construct(factor=factor, positions=positions, values=_shortest(maps.values).tolist())


def _explanation(explanation: Explanation) -> ExplanationEntry:
    parts: dict[str, Any] = {
        part: {str(name): _labelled(values) for name, values in found.items()}
        for part, found in explanation.parts.items()
    }
    return ExplanationEntry.model_construct(**parts, texts=explanation.texts, reasons=dict(explanation.reasons))


def _labelled(array: xr.DataArray) -> Labelled:
    values = array.values
    if np.iscomplexobj(values):
        values = np.stack([values.real, values.imag], axis=-1)
    along = {str(name): each.values.tolist() for name, each in array.coords.items() if name in array.dims}
    named = {name: each for name, each in along.items() if each != list(range(len(each)))}
    return Labelled.model_construct(dims=[str(name) for name in array.dims], coordinates=named, values=values.tolist())


def _listed(array: xr.DataArray) -> Any:  # noqa: ANN401  lists as deep as the array
    axes = [name for name in ("input", "point", "component") if name in array.dims]
    return array.transpose(*axes).values.tolist()


def _shortest(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """The decimal number with the fewest digits that is the same float32, as float64."""
    return values.astype(np.str_).astype(np.float64)
