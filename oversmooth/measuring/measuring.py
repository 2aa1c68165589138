"""Settings → Measurement: the one function that pages, command line and notebooks call."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from itertools import pairwise

import numpy as np
import xarray as xr
from threadpoolctl import ThreadpoolController

from oversmooth.core.errors import InputError, ModelError
from oversmooth.core.pairs import Input
from oversmooth.core.progress import Report, silent
from oversmooth.core.texts import place
from oversmooth.measuring.analysis import Analysis
from oversmooth.measuring.calibration import Sampler
from oversmooth.measuring.explaining import Explainer
from oversmooth.measuring.intervention import Intervention
from oversmooth.measuring.intervention.context import observable
from oversmooth.measuring.language_model import Outputs, score
from oversmooth.measuring.passes import analyse, batches
from oversmooth.measuring.provenance import Circumstances, environment, provenance
from oversmooth.measuring.rows import rows_of
from oversmooth.measuring.sides import sides_of
from oversmooth.models.encodings import Encoded
from oversmooth.models.given import refuse_other_models
from oversmooth.models.inputs import batch, encode_all
from oversmooth.models.loaded import LoadedModel
from oversmooth.models.loading import load
from oversmooth.models.names import meaning
from oversmooth.results.explanation import Explanation
from oversmooth.results.measurement import Measurement
from oversmooth.results.settings import Settings


def measure(settings: Settings, *, model: LoadedModel | None = None, report: Report = silent) -> Measurement:
    """Run the model once over each text and measure how alike its tokens are at every point.

    Args:
        settings: what to measure.
        model: already loaded; without it ``settings.model`` is loaded.
        report: receives the progress; may raise ``CancelledError`` to stop.

    Raises:
        ModelError: where the model cannot be loaded, what is given as one is none, or is another one, or in another
            precision, than the settings'.
        InputError: where a text cannot be measured.
    """
    refuse_other_models(model, LoadedModel)
    clock = {"load": time.perf_counter()}
    if model is None:
        model = load(
            settings.model,
            revision=settings.revision,
            device=settings.device,
            precision=settings.precision,
            report=report,
        )
    else:
        _require_named(settings, model)
    _require_precision(settings, model)
    clock["tokenise"] = time.perf_counter()
    with model.lock, one_blas_thread():
        texts = _encode(settings, model)
        clock["measure"] = time.perf_counter()
        intervention = _intervention(settings, model, texts)
        explainer = _explainer(settings, model, texts, intervention)
        with sides_of(settings, model, texts, report) as sides, _active(intervention):
            analysis = analyse(texts, model, settings, intervention, sides, report, explainer)
            here, mitigations = environment(model), tuple(model.mitigated_by)
        if settings.language_model:
            clock["loss"] = time.perf_counter()
        outputs = score(settings, model, texts, intervention, report)
        explanation = None if explainer is None else explainer.explanation()
    clock["end"] = time.perf_counter()
    circumstances = Circumstances(here, mitigations, _durations(clock))
    return _assemble(settings, model, texts, analysis, outputs, circumstances, explanation)


def _require_named(settings: Settings, model: LoadedModel) -> None:
    """Refuse another model than the one that the settings name; they name one where it was given."""
    record = model.record
    if record.source == "memory":
        return  # It has no name that settings could give.
    if "model" in settings.model_fields_set and not _same_model(settings.model, record.name):
        raise ModelError(
            f"The settings name the model “{settings.model}”, and the one that was given is “{record.name}”. Leave "
            "“model” out of the settings, or give the model that they name."
        )
    if settings.revision not in (None, record.revision, record.commit):
        raise ModelError(
            f"The settings name the revision “{settings.revision}”, and the model that was given was loaded at "
            f"“{record.revision or 'the newest one'}”. Load it at that revision, or leave it out of the settings."
        )


def _same_model(one: str, other: str) -> bool:
    if one == other:
        return True
    try:
        first, second = meaning(one), meaning(other)
    except ModelError:
        return False
    if first.folder is not None and second.folder is not None:
        return first.folder.resolve() == second.folder.resolve()
    return (first.kind, first.identifier) == (second.kind, second.identifier)


def _require_precision(settings: Settings, model: LoadedModel) -> None:
    if model.precision != settings.precision:
        raise ModelError(
            f"The model was loaded in {model.precision}, and the settings ask for {settings.precision}. Load it with "
            f'`precision="{settings.precision}"`, or change the settings.'
        )


def _explainer(
    settings: Settings, model: LoadedModel, texts: Sequence[Encoded], intervention: Intervention | None
) -> Explainer | None:
    if not settings.explanation or intervention is None:
        return None
    rows = [rows_of(text) for text in texts]
    return Explainer(model, texts, rows, shown=settings.shown, copied_by=intervention.copied_by)


def _intervention(settings: Settings, model: LoadedModel, texts: Sequence[Encoded]) -> Intervention | None:
    """The settings' mitigations; both sides of a comparison run with one kernel, so the baseline has an empty one."""
    if not settings.mitigations and not settings.fidelity and not settings.explanation:
        return None
    members = batches(texts, padded=model.anatomy.padding_is_safe)
    sampler = Sampler(model.anatomy, (batch([texts[number] for number in each], model) for each in members))
    watched = settings.explanation and observable(model)
    return Intervention(model, settings.methods, sampler, watched=watched)


def _active(intervention: Intervention | None) -> AbstractContextManager[object]:
    return nullcontext() if intervention is None else intervention.active()


def _encode(settings: Settings, model: LoadedModel) -> list[Encoded]:
    most, special = settings.max_tokens, settings.special_tokens
    found: dict[Input, Encoded] = {}
    unknown: list[Input] = []
    for text in dict.fromkeys(settings.texts):
        known = model.encoded.get((text, most, special))
        if known is None:
            unknown.append(text)
        else:
            found[text] = known
    made = encode_all(unknown, model, max_tokens=most, special_tokens=special)
    for text in unknown:
        try:
            found[text] = next(made)
        except InputError as error:
            raise InputError(place(settings.texts.index(text), settings.texts) + str(error)) from error
        model.encoded.put((text, most, special), found[text])
    return [found[text] for text in settings.texts]


@lru_cache(maxsize=1)
def _blas() -> ThreadpoolController:
    # NumPy's own team of threads fights torch's for the cores: four times slower at 128 tokens than a single thread.
    return ThreadpoolController().select(internal_api="openblas")


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep NumPy's products and decompositions in one thread; the whole process's, for as long as the block lasts."""
    with _blas().limit(limits=1):
        yield


def _durations(clock: dict[str, float]) -> dict[str, float]:
    names = list(clock)
    return {name: round(clock[after] - clock[name], 6) for name, after in pairwise(names)}


@lru_cache(maxsize=64)
def _coordinates(points: Sequence[str], texts: int | None = None, components: int | None = None) -> xr.Coordinates:
    # Kept for the next side of a comparison: making the indexes is most of the work.
    found: dict[str, object] = {} if texts is None else {"input": np.arange(texts)}
    found["point"] = list(points)
    if components is not None:
        found["component"] = np.arange(1, components + 1)
    return xr.Coordinates(found)


def _assemble(
    settings: Settings,
    model: LoadedModel,
    texts: Sequence[Encoded],
    analysis: Analysis,
    outputs: Outputs,
    circumstances: Circumstances,
    explanation: Explanation | None,
) -> Measurement:
    points, number = tuple(analysis.points), len(texts)
    dims = ("input", "point")
    curves = xr.Dataset(
        {name: (dims, values) for name, values in analysis.curves.items()}, _coordinates(points, number)
    )
    kept = {"raw": analysis.raw} if analysis.centred is None else {"raw": analysis.raw, "centred": analysis.centred}
    spectra = xr.Dataset(
        {name: ((*dims, "component"), values) for name, values in kept.items()} | {"floor": (dims, analysis.floor)},
        _coordinates(points, number, analysis.raw.shape[2]),
    )
    similarity = None
    if analysis.maps is not None:
        rows = list(texts[settings.shown].tokens.positions[:: analysis.factor])
        along = _coordinates(points).assign(token=rows, other=rows)
        similarity = xr.DataArray(analysis.maps, dims=("point", "token", "other"), coords=along)
    return Measurement(
        settings=settings,
        curves=curves,
        spectra=spectra,
        similarity=similarity,
        similarity_factor=analysis.factor,
        outputs=xr.Dataset({name: ("input", values) for name, values in outputs.values.items()}),
        tokens=tuple(text.tokens for text in texts),
        notes=(*analysis.ordered_notes(), *outputs.notes),
        record=provenance(settings, model, texts, analysis, circumstances, outputs.warnings),
        explanation=explanation,
        activation_ratios=xr.DataArray(analysis.activation_ratios, _coordinates(points, number), dims),
    )
