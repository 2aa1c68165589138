"""How a measurement came about, gathered while it does."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version

import numpy as np
import torch

import oversmooth
from oversmooth import metrics, mitigations
from oversmooth.core.pairs import characters, digest, parts
from oversmooth.core.points import title
from oversmooth.core.texts import which_text
from oversmooth.core.wording import count
from oversmooth.measuring.analysis import Analysis
from oversmooth.measuring.preparing import Prepared
from oversmooth.metrics.scale import MASSIVE, TOLD_MASSIVE
from oversmooth.mitigations import Mitigation, parse
from oversmooth.models import families
from oversmooth.models.encodings import Encoded
from oversmooth.models.loaded import LoadedModel
from oversmooth.results.record import Environment, InputRecord, Record

LIBRARIES = ("torch", "transformers", "tokenizers", "safetensors", "numpy")


def provenance(
    run: Prepared,
    analysis: Analysis,
    environment: Environment,
    mitigations: tuple[str, ...],
    seconds: dict[str, float],
    more: Sequence[str] = (),
) -> Record:
    """The record of one measurement.

    Args:
        run: that was measured.
        analysis: of it.
        environment: as :func:`environment_of` gave it while the model ran.
        mitigations: what acted on the model then, from outside too.
        seconds: by phase.
        more: warnings beside those of texts and states.
    """
    settings = run.settings
    acting = parse("+".join(mitigations)) if mitigations else ()
    inputs = tuple(
        InputRecord(
            characters=characters(text),
            text_sha256=digest(parts(text)[0]),
            pair_sha256=digest(text[1]) if isinstance(text, tuple) else None,
            tokens=len(encoded.ids),
            measured=len(encoded.tokens.measured),
            tokens_left_out=encoded.tokens.left_out,
            characters_left_out=encoded.tokens.characters_left_out,
        )
        for text, encoded in zip(settings.texts, run.texts, strict=True)
    )
    return Record(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        model=run.model.record,
        environment=environment.model_copy(
            update={"plugins": _plugins(settings.metrics, run.model.anatomy.family, acting)}
        ),
        inputs=inputs,
        special_tokens_measured=settings.special_tokens,
        max_tokens=settings.max_tokens,
        mitigations=mitigations,
        seeds={method.declaration.name: method.seed for method in acting if hasattr(method, "seed")},
        seconds=seconds,
        warnings=(*_warnings(run.texts, analysis, environment.dtype), *more),
    )


@lru_cache(maxsize=1)
def _versions() -> dict[str, str]:
    return {name: version(name) for name in LIBRARIES}


def environment_of(model: LoadedModel) -> Environment:
    """The machine and the libraries of this run."""
    device = model.device
    return Environment(
        oversmooth=oversmooth.__version__,
        python=platform.python_version(),
        platform=platform.platform(),
        libraries=_versions(),
        device=str(device),
        device_name=torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine(),
        instructions=torch.backends.cpu.get_cpu_capability(),
        dtype=model.precision,
        attention=str(model.anatomy.network.config._attn_implementation),
        threads=torch.get_num_threads(),
    )


def _plugins(measured: Sequence[str], family: str, acting: Sequence[Mitigation]) -> dict[str, str]:
    """Version of each plug-in that took part, by its name."""
    found = [*map(metrics.plugin, measured), families.plugin(family)]
    found += [mitigations.plugin(method.declaration.name) for method in acting]
    return {each.name: each.version for each in found if each is not None}


def _warnings(texts: Sequence[Encoded], analysis: Analysis, precision: str) -> Iterator[str]:
    for number, text in enumerate(texts):
        yield from (which_text(number, texts) + warning for warning in text.warnings)
    for (number, point), reason in analysis.non_finite.items():
        yield f"{which_text(number, texts)}Nothing is measured at {title(point)}, {reason}."
    unresolved = dict.fromkeys(note.point for note in analysis.notes if note.kind == "unresolved")
    if unresolved:
        names = ", ".join(title(point) for point in unresolved)
        yield f"Below what a {precision} pass resolves, and marked so: some metrics at {names}."
    yield from _massive(analysis)
    if analysis.fidelity is not None:
        yield from analysis.fidelity.warnings()


def _massive(analysis: Analysis) -> Iterator[str]:
    reached = np.nan_to_num(analysis.activation_ratios).max(axis=0)
    massive = [point for point, ratio in zip(analysis.points, reached, strict=True) if ratio >= MASSIVE]
    if massive:
        yield (
            f"{TOLD_MASSIVE}{count(len(massive), 'point')} (the largest is {reached.max():,.0f} times the "
            f"median, first at {title(massive[0])}): cosines, ranks and spectra there describe that outlier, not "
            "smoothing."
        )
