"""Spectra, similarity maps and the arrays of an explanation with their coordinates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from oversmooth.core.tokens import Tokens
from oversmooth.results.comparison import Comparison

if TYPE_CHECKING:
    from oversmooth.results.explanation import Explanation
    from oversmooth.results.measurement import Measurement


def arrays(result: Measurement | Comparison) -> dict[str, NDArray[Any]]:
    """Spectra and similarity maps with their coordinates.

    Of a measurement:

    * ``point``, ``component``: names of the points; numbers of the singular values, from 1.
    * ``spectra_raw``, ``spectra_centred`` (the latter where asked for): float64 (input, point, component), NaN beyond
      the last; ``spectra_floor``: float64 (input, point), what the pass resolves, below which
      singular values may be noise.
    * ``similarity``: float32 (point, token, other), of the text shown, where it was kept; ``similarity_factor``:
      neighbouring tokens that share one row.
    * ``token``, ``token_id``, ``token_position``: text, number in the vocabulary and position in the sequence (from 0,
      special tokens counted) of each measured token of the text shown; NumPy drops NUL characters at the end of a text.
    * with an explanation each of its arrays by part and name, ``attention_attention_entropy``, ``circuits_eigenvalues``
      (complex), with the axes of :class:`~oversmooth.results.explanation.Explanation`; ``corpus_form`` and
      ``corpus_point`` name those of ``corpus``.

    Of a comparison the same for each side, as ``0/point`` and so on, where 0 is the baseline; ``label`` names the
    sides in that order.
    """
    if not isinstance(result, Comparison):
        return _side(result)
    found: dict[str, NDArray[Any]] = {"label": np.array(list(result.measurements))}
    for place, each in enumerate(result.measurements.values()):
        found |= {f"{place}/{name}": values for name, values in _side(each).items()}
    return found


def _side(measurement: Measurement) -> dict[str, NDArray[Any]]:
    shown = measurement.shown if measurement.tokens else Tokens(())
    found: dict[str, NDArray[Any]] = {
        "point": np.array(measurement.points),
        "token": np.array([token.text for token in shown.measured], dtype=np.str_),
        "token_id": np.array([token.id for token in shown.measured], dtype=np.int64),
        "token_position": np.array(shown.positions, dtype=np.int64),
    }
    if "component" in measurement.spectra.coords:
        found["component"] = measurement.spectra["component"].values
    found |= {f"spectra_{name}": each.values for name, each in measurement.spectra.items()}
    if measurement.similarity is not None:
        found["similarity"] = measurement.similarity.values
        found["similarity_factor"] = np.array(measurement.similarity_factor)
    return found | (_explained(measurement.explanation) if measurement.explanation is not None else {})


def _explained(explanation: Explanation) -> dict[str, NDArray[Any]]:
    found: dict[str, NDArray[Any]] = {}
    for part, dataset in explanation.parts.items():
        found |= {f"{part}_{name}": _plain(values.values) for name, values in dataset.items()}
    names = ("form", "point")
    return found | {f"corpus_{n}": _plain(explanation.corpus[n].values) for n in names if n in explanation.corpus}


def _plain(values: NDArray[Any]) -> NDArray[Any]:
    """Without Python's objects, which only pickles could hold."""
    return values.astype(np.str_) if values.dtype == object else values
