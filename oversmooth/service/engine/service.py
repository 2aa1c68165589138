"""What a worker process does: keep models loaded and measure one request at a time."""

import logging
from collections.abc import Hashable
from typing import IO, cast

import torch

from oversmooth.core.bytecache import ByteCache
from oversmooth.core.progress import Report, silent
from oversmooth.measuring.measuring import measure
from oversmooth.models import inputs
from oversmooth.models.allowlist import AllowList
from oversmooth.models.given import DEFAULT_MODEL, Device, Precision
from oversmooth.models.loaded import REFERENCE_BYTES, LoadedModel
from oversmooth.models.loading import load
from oversmooth.results.measurement import Measurement
from oversmooth.results.settings import Settings
from oversmooth.service.engine.cache import folder_fingerprint
from oversmooth.service.engine.messages import Ready, Request, Start
from oversmooth.service.engine.serving import Inbox, Serving

logger = logging.getLogger(__name__)


class Models:
    """Models kept loaded, of a list or any; the least recently used go when all take more than ``limit`` bytes."""

    def __init__(self, limit: int, models: AllowList | None = None) -> None:
        self._allowed = models
        self._cache: ByteCache[Hashable, LoadedModel] = ByteCache(limit, lambda model: model.bytes + REFERENCE_BYTES)

    def get(
        self,
        name: str,
        revision: str | None = None,
        device: Device = "auto",
        precision: Precision = "float32",
        report: Report = silent,
    ) -> LoadedModel:
        """The model, loaded unless it is kept already."""
        key = (name, revision, device, precision, folder_fingerprint(name) if self._allowed is None else ())
        model = self._cache.get(key)
        if model is None:
            model = load(
                name, revision=revision, device=device, precision=precision, report=report, models=self._allowed
            )
            self._cache.put(key, model)
            # The memory of models let go, back from torch to the device, for the other workers; nothing without a GPU.
            torch.cuda.empty_cache()
        return model


class Service(Serving):
    """Measures what is asked for, and says how it went."""

    def __init__(self, inbox: Inbox, answers: IO[bytes], start: Start) -> None:
        super().__init__(inbox, answers)
        self._models = Models(start.model_bytes, start.models)

    def prepare(self) -> Ready:
        """Load the default model."""
        try:
            self._models.get(DEFAULT_MODEL)
        except Exception:
            # Other models may work; who asks for this one reads why it does not.
            logger.warning("The default model cannot be loaded ahead of time", exc_info=True)
            return Ready(loaded=False)
        return Ready(loaded=True)

    def answer(self, request: Request, report: Report) -> Measurement:
        """Measure one request."""
        settings = cast(Settings, request)
        model = self._models.get(settings.model, settings.revision, settings.device, settings.precision, report)
        return measure(settings, model=model, report=report)

    def stuck(self) -> bool:
        """Whether a tokenizer did not come back: it still spins on a core, and only the end of the process stops it."""
        return inputs.stuck()

    def out_of_memory(self, error: BaseException) -> bool:
        """Whether memory ran out, on whichever device; torch has no type of its own for it on the CPU."""
        return (
            super().out_of_memory(error)
            or isinstance(error, torch.OutOfMemoryError)
            or (isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error))
        )
