"""Settings → Measurement: the one function that pages, command line and notebooks call."""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from itertools import pairwise

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

import oversmooth
from oversmooth.analysis import Analysis, Rows
from oversmooth.errors import InputError
from oversmooth.inputs import Encoded, batch, encode
from oversmooth.measurement import Measurement
from oversmooth.models.loaded import LoadedModel
from oversmooth.models.loading import load
from oversmooth.points import title
from oversmooth.progress import Progress, Report, silent
from oversmooth.record import Environment, InputRecord, Record
from oversmooth.recording import expected_points, record
from oversmooth.settings import Settings
from oversmooth.wording import count

BATCH_TOKENS = 4096
"""Padded tokens in one forward pass: bounds the memory of activations, not the number of texts."""

WAITING_BYTES = 2**21
"""States that wait for their analysis: a bound that does not grow with depth."""

PARALLEL_TOKENS = 256
"""From here on two points are analysed at once: of fewer tokens, the threads cost more than they save."""

ANALYSIS_THREADS = 2

MASSIVE = 1000.0
"""Massive-activation ratio from which spectra describe an outlier (Sun et al. 2024)."""

LIBRARIES = ("torch", "transformers", "tokenizers", "safetensors", "numpy")


def measure(settings: Settings, *, model: LoadedModel | None = None, report: Report = silent) -> Measurement:
    """Run the model once over each text and measure how alike its tokens are at every point.

    Args:
        settings: what to measure.
        model: already loaded; without it ``settings.model`` is loaded.
        report: receives the progress; may raise ``CancelledError`` to stop.

    Raises:
        ModelError: where the model cannot be loaded.
        InputError: where a text cannot be measured.
    """
    clock = {"load": time.perf_counter()}
    if model is None:
        model = load(settings.model, revision=settings.revision, device=settings.device, report=report)
    clock["tokenise"] = time.perf_counter()
    with model.lock, _one_blas_thread():
        texts = [_encode(settings, number, model) for number in range(len(settings.texts))]
        clock["measure"] = time.perf_counter()
        analysis = _analyse(texts, model, settings, report)
    clock["end"] = time.perf_counter()
    return _assemble(settings, model, texts, analysis, _durations(clock))


def _encode(settings: Settings, number: int, model: LoadedModel) -> Encoded:
    try:
        return encode(
            settings.texts[number], model, max_tokens=settings.max_tokens, special_tokens=settings.special_tokens
        )
    except InputError as error:
        raise InputError(_place(number, settings.texts) + str(error)) from error


def _place(number: int, texts: Sequence[object]) -> str:
    """Which text a sentence is about, where there are several."""
    return f"Text {number + 1}: " if len(texts) > 1 else ""


@lru_cache(maxsize=1)
def _blas() -> ThreadpoolController:
    # NumPy's own team of threads fights torch's for the cores: four times slower at 128 tokens than a single thread.
    return ThreadpoolController().select(internal_api="openblas")


@contextmanager
def _one_blas_thread() -> Iterator[None]:
    with _blas().limit(limits=1):
        yield


def _durations(clock: dict[str, float]) -> dict[str, float]:
    names = list(clock)
    return {name: round(clock[after] - clock[name], 6) for name, after in pairwise(names)}


def _analyse(texts: Sequence[Encoded], model: LoadedModel, settings: Settings, report: Report) -> Analysis:
    points = expected_points(model.anatomy, settings.points)
    rows = [
        Rows(np.flatnonzero([token.measured for token in text.tokens.items]), text.classification) for text in texts
    ]
    analysis = Analysis(
        settings.metrics,
        points,
        rows,
        model.anatomy.hidden_size,
        similarity=settings.similarity,
        centred=settings.centred_spectra,
    )
    done, total = 0, len(points) * len(texts)
    report(Progress("measure", done, total, points[0]))
    for members in _batches(texts, padded=model.anatomy.padding_is_safe):
        waiting = _Waiting(analysis, members)

        def take(
            point: str, states: torch.Tensor, members: Sequence[int] = members, waiting: _Waiting = waiting
        ) -> None:
            nonlocal done
            waiting.add(point, states)
            done += len(members)
            report(Progress("measure", done, total, point))

        record(model.anatomy, batch([texts[number] for number in members], model), take, settings.points)
        waiting.analyse()
    return analysis


class _Waiting:
    """States of a few points, analysed together: between two blocks, the network's weights fill the caches."""

    def __init__(self, analysis: Analysis, members: Sequence[int]) -> None:
        self._analysis = analysis
        self._members = members
        self._states: list[tuple[str, NDArray[np.float32]]] = []

    def add(self, point: str, states: torch.Tensor) -> None:
        # Metrics are computed on the CPU in float64: not every accelerator has it, and eigenvalues are small work.
        self._states.append((point, states.to("cpu", torch.float32, copy=True).numpy()))
        if sum(kept.nbytes for _, kept in self._states) >= WAITING_BYTES:
            self.analyse()

    def analyse(self) -> None:
        tasks = [(number, point, kept[row]) for point, kept in self._states for row, number in enumerate(self._members)]
        self._states.clear()
        if tasks and len(tasks[0][2]) >= PARALLEL_TOKENS:
            for done in [_analysts().submit(self._analysis.take, *task) for task in tasks]:
                done.result()
        else:
            for task in tasks:
                self._analysis.take(*task)


@lru_cache(maxsize=1)
def _analysts() -> ThreadPoolExecutor:
    # Kept: a new thread costs as much as a small analysis.
    return ThreadPoolExecutor(min(ANALYSIS_THREADS, torch.get_num_threads()), thread_name_prefix="analysis")


def _batches(texts: Sequence[Encoded], *, padded: bool) -> Iterator[list[int]]:
    """Numbers of texts that go through the model together: of like length, or of equal length if not ``padded``."""
    members: list[int] = []
    lengths = [len(text.ids) for text in texts]
    for number in sorted(range(len(texts)), key=lambda number: lengths[number]):
        full = lengths[number] * (len(members) + 1) > BATCH_TOKENS
        if members and (full or not (padded or lengths[number] == lengths[members[0]])):
            yield members
            members = []
        members.append(number)
    yield members


def _assemble(
    settings: Settings,
    model: LoadedModel,
    texts: Sequence[Encoded],
    analysis: Analysis,
    seconds: dict[str, float],
) -> Measurement:
    points = list(analysis.points)
    # Made once: making the indexes is most of the work.
    coordinates = xr.Coordinates({"input": np.arange(len(texts)), "point": points})
    dims = ("input", "point")
    curves = xr.Dataset(
        {metric.name: (dims, analysis.curves[index]) for index, metric in enumerate(analysis.metrics)}, coordinates
    )
    kept = {"raw": analysis.raw} if analysis.centred is None else {"raw": analysis.raw, "centred": analysis.centred}
    spectra = xr.Dataset(
        {name: ((*dims, "component"), values) for name, values in kept.items()} | {"floor": (dims, analysis.floor)},
        coordinates,
    ).assign_coords(component=np.arange(1, analysis.raw.shape[2] + 1))
    similarity = None
    if analysis.maps is not None:
        similarity = xr.DataArray(analysis.maps, dims=("point", "token", "other"), coords={"point": points})
    return Measurement(
        settings=settings,
        curves=curves,
        spectra=spectra,
        similarity=similarity,
        similarity_factor=analysis.factor,
        tokens=tuple(text.tokens for text in texts),
        notes=analysis.ordered_notes(),
        record=_record(settings, model, texts, analysis, seconds),
    )


def _record(
    settings: Settings,
    model: LoadedModel,
    texts: Sequence[Encoded],
    analysis: Analysis,
    seconds: dict[str, float],
) -> Record:
    inputs = tuple(
        InputRecord(
            characters=len(text),
            text_sha256=hashlib.sha256(text.encode()).hexdigest(),
            tokens=len(encoded.ids),
            measured=len(encoded.tokens.measured),
            tokens_left_out=encoded.tokens.left_out,
            characters_left_out=encoded.tokens.characters_left_out,
        )
        for text, encoded in zip(settings.texts, texts, strict=True)
    )
    return Record(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        model=model.record,
        environment=environment(model),
        inputs=inputs,
        special_tokens_measured=settings.special_tokens,
        seconds=seconds,
        warnings=tuple(_warnings(texts, analysis)),
    )


@lru_cache(maxsize=1)
def _versions() -> dict[str, str]:
    return {name: version(name) for name in LIBRARIES}


def environment(model: LoadedModel) -> Environment:
    """The machine and the libraries of this run."""
    device = model.device
    return Environment(
        oversmooth=oversmooth.__version__,
        python=platform.python_version(),
        platform=platform.platform(),
        libraries=_versions(),
        device=str(device),
        device_name=torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine(),
        dtype=str(model.network.dtype).removeprefix("torch."),
        attention=str(model.network.config._attn_implementation),
        threads=torch.get_num_threads(),
    )


def _warnings(texts: Sequence[Encoded], analysis: Analysis) -> Iterator[str]:
    for number, text in enumerate(texts):
        yield from (_place(number, texts) + warning for warning in text.warnings)
    for (number, point), reason in analysis.non_finite.items():
        yield f"{_place(number, texts)}Nothing is measured at {title(point)}, {reason}."
    unresolved = dict.fromkeys(note.point for note in analysis.notes if note.kind == "unresolved")
    if unresolved:
        names = ", ".join(title(point) for point in unresolved)
        yield f"Below what float32 states resolve, and marked so: some metrics at {names}."
    yield from _massive(analysis)


def _massive(analysis: Analysis) -> Iterator[str]:
    names = [metric.name for metric in analysis.metrics]
    if "max_activation_ratio" not in names:
        return
    ratios = analysis.curves[names.index("max_activation_ratio")]
    reached = np.nan_to_num(ratios).max(axis=0)
    massive = [point for point, ratio in zip(analysis.points, reached, strict=True) if ratio >= MASSIVE]
    if massive:
        yield (
            f"Massive activations at {count(len(massive), 'point')} (the largest is {reached.max():,.0f} times the "
            f"median, first at {title(massive[0])}): raw ranks and spectra there describe that outlier, not smoothing."
        )
