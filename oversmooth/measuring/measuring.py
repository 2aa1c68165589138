"""Settings → Measurement: the one function that pages, command line and notebooks call."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise

import torch
from threadpoolctl import ThreadpoolController

from oversmooth.core.errors import ModelError
from oversmooth.core.progress import Report, silent
from oversmooth.measuring.analysis import Analysis
from oversmooth.measuring.explaining import Explainer
from oversmooth.measuring.fidelity import Fidelity, fidelity_of
from oversmooth.measuring.forward_passes import run_passes
from oversmooth.measuring.language_model import Outputs, score
from oversmooth.measuring.measured_rows import Arrived
from oversmooth.measuring.preparing import MEMORY, Memory, Prepared, acting, encoded, load_model, prepare
from oversmooth.measuring.provenance import environment_of, provenance
from oversmooth.metrics.numerics import on_host
from oversmooth.models.encodings import Encoded
from oversmooth.models.given import Precision, refuse_other_models
from oversmooth.models.loaded import LoadedModel, ModelRecord
from oversmooth.models.names import meaning
from oversmooth.results.explanation import Explanation
from oversmooth.results.labelled import Variables, array, dataset
from oversmooth.results.measurement import Measurement
from oversmooth.results.record import Environment, Record
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
        model = load_model(settings, report)
    else:
        _require_named(settings, model.record)
    _require_precision(settings.precision, model)
    clock["tokenise"] = time.perf_counter()
    with model.lock, one_blas_thread():
        texts = encoded(settings.texts, model, max_tokens=settings.max_tokens, special_tokens=settings.special_tokens)
        clock["measure"] = time.perf_counter()
        run, ran = _within_memory(settings, model, texts, report, clock)
    clock["end"] = time.perf_counter()
    seconds = {name: round(clock[after] - clock[name], 6) for name, after in pairwise(clock)}
    record = provenance(run, ran.analysis, ran.environment, ran.mitigations, seconds, ran.warnings)
    return _assemble(run, ran, record)


@dataclass(frozen=True)
class _Ran:
    """What the passes of a run gave."""

    analysis: Analysis
    outputs: Outputs
    explanation: Explanation | None
    environment: Environment
    mitigations: tuple[str, ...]
    """What acted on the model meanwhile."""
    warnings: tuple[str, ...]


def _within_memory(
    settings: Settings, model: LoadedModel, texts: Sequence[Encoded], report: Report, clock: dict[str, float]
) -> tuple[Prepared, _Ran]:
    """Run it; where a GPU runs out of memory, from the start with less of it at once."""
    for memory in MEMORY:
        run = prepare(settings, model, texts, memory)
        with suppress(torch.OutOfMemoryError):
            return run, _ran(run, report, clock, memory)
        torch.cuda.empty_cache()
    raise ModelError(
        f"The GPU has too little memory for “{model.record.name}” and these texts, even in small batches with the "
        "metrics on the CPU. Give shorter texts, fewer tokens (max_tokens) or a smaller model, or run on device cpu."
    )


def _ran(run: Prepared, report: Report, clock: dict[str, float], memory: Memory) -> _Ran:
    settings, model = run.settings, run.model
    explainer = Explainer(run) if settings.explanation else None
    fidelity = fidelity_of(run, report)
    with acting(run.intervention):
        analysis = _analyse(run, fidelity, explainer, report)
        environment, mitigations = environment_of(model), tuple(model.mitigated_by)
    if fidelity is not None and fidelity.own is not None:
        model.references.put(run.states_key, fidelity.own)
    if settings.language_model:
        clock["loss"] = time.perf_counter()
    outputs = score(run, report)
    explanation = None if explainer is None else explainer.explanation()
    told = (memory.told,) if memory.told else ()
    return _Ran(analysis, outputs, explanation, environment, mitigations, (*told, *outputs.warnings))


def _require_named(settings: Settings, record: ModelRecord) -> None:
    """Refuse another model than the one that the settings name; they name one where it was given."""
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


def _require_precision(asked: Precision, model: LoadedModel) -> None:
    if model.precision != asked:
        raise ModelError(
            f"The model was loaded in {model.precision}, and the settings ask for {asked}. Load it with "
            f'`precision="{asked}"`, or change the settings.'
        )


def _analyse(run: Prepared, fidelity: Fidelity | None, explainer: Explainer | None, report: Report) -> Analysis:
    """Run the texts through the model and take the numbers at every point."""
    settings, resolution = run.settings, run.resolution()
    analysis = Analysis(
        settings.metrics,
        run.points,
        run.rows,
        run.model.anatomy.hidden_size,
        resolution=resolution,
        similarity=settings.similarity,
        shown=settings.shown,
        centred=settings.centred_spectra,
        fidelity=fidelity,
    )
    if explainer is None:
        run_passes(run, resolution, analysis.take, report)
        return analysis

    def take(arrived: Sequence[Arrived]) -> None:
        analysis.take(arrived)
        for each in arrived:
            for number, states, rounding in zip(each.texts, on_host(each.states), each.roundings.tolist(), strict=True):
                explainer.take(number, each.point, states, rounding)

    run_passes(run, resolution, take, report, explainer.watch if explainer.observes else None)
    return analysis


@lru_cache(maxsize=1)
def _blas() -> ThreadpoolController:
    # NumPy's own team of threads fights torch's for the cores: four times slower at 128 tokens than a single thread.
    return ThreadpoolController().select(internal_api="openblas")


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep NumPy's products and decompositions in one thread; the whole process's, for as long as the block lasts."""
    with _blas().limit(limits=1):
        yield


def _assemble(run: Prepared, ran: _Ran, record: Record) -> Measurement:
    analysis, outputs = ran.analysis, ran.outputs
    dims, points = ("input", "point"), ("point", run.points)
    along = ("input", tuple(range(len(run.texts)))), points
    spectra: Variables = {name: ((*dims, "component"), values) for name, values in analysis.spectra.items()}
    components = [("component", tuple(range(1, each.shape[2] + 1))) for each in analysis.spectra.values()][:1]
    rows = tuple(run.texts[run.settings.shown].tokens.positions[:: analysis.factor])
    maps, of_maps = analysis.maps, (points, ("token", rows), ("other", rows))
    return Measurement(
        settings=run.settings,
        curves=partial(dataset, {name: (dims, values) for name, values in analysis.curves.items()}, along),
        spectra=partial(dataset, {**spectra, "floor": (dims, analysis.floor)}, (*along, *components)),
        similarity=None if maps is None else partial(array, ("point", "token", "other"), maps, of_maps),
        similarity_factor=analysis.factor,
        outputs=partial(dataset, {name: (("input",), values) for name, values in outputs.values.items()}, ()),
        tokens=tuple(text.tokens for text in run.texts),
        notes=(*analysis.ordered_notes(), *outputs.notes),
        record=record,
        explanation=ran.explanation,
        activation_ratios=partial(array, dims, analysis.activation_ratios, along),
    )
