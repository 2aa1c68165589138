"""What a worker process does: keep models loaded and measure one request at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Hashable
from typing import IO, TYPE_CHECKING

import torch

from oversmooth import inputs
from oversmooth.bytecache import ByteCache
from oversmooth.engine.cache import folder_fingerprint
from oversmooth.engine.messages import Finished, Message, Ready, Run, Start, Step, send
from oversmooth.errors import CancelledError, OversmoothError, WorkerLostError
from oversmooth.measuring import measure
from oversmooth.models.loaded import REFERENCE_BYTES
from oversmooth.models.loading import load
from oversmooth.progress import Progress, Report, silent
from oversmooth.settings import DEFAULT_MODEL, Device, Precision

if TYPE_CHECKING:
    from oversmooth.engine.worker import Inbox
    from oversmooth.hosting.allowlist import AllowList
    from oversmooth.models.loaded import LoadedModel

logger = logging.getLogger(__name__)


OUT_OF_MEMORY = (
    "The run needs more memory than there is for it. Use fewer or shorter texts or a smaller model; a new process "
    "takes the place of this one."
)


class Models:
    """The models kept loaded; the least recently used are let go when their memory passes ``limit`` bytes.

    Args:
        limit: bytes.
        models: those that may be loaded; None for any.
    """

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
        """The model, loaded unless it is kept already.

        Raises:
            ModelError: where it cannot be loaded.
        """
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


class Service:
    """Measures what is asked for, and says how it went."""

    def __init__(self, inbox: Inbox, answers: IO[bytes], start: Start) -> None:
        self._inbox = inbox
        self._answers = answers
        self._sending = threading.Lock()
        self._models = Models(start.model_bytes, start.models)

    def work(self) -> None:
        """Load the default model, then serve runs until one of them leaves the process in doubt."""
        loaded = False
        try:
            self._models.get(DEFAULT_MODEL)
            loaded = True
        except Exception:
            # Other models may work; who asks for this one reads why it does not.
            logger.warning("The default model cannot be loaded ahead of time", exc_info=True)
        self._answer(Ready(loaded))
        while self._serve_next():
            pass

    def _serve_next(self) -> bool:
        finished = self.serve(self._inbox.runs.get())
        self._answer(finished)
        return not finished.leaving

    def serve(self, run: Run) -> Finished:
        """Measure one request; every failure but an interrupt becomes an outcome."""

        def report(progress: Progress) -> None:
            if self._inbox.cancelled(run):
                raise CancelledError("The run was cancelled.")
            self._answer(Step(progress))

        settings = run.settings
        try:
            model = self._models.get(settings.model, settings.revision, settings.device, settings.precision, report)
            return Finished(measure(settings, model=model, report=report), leaving=inputs.stuck())
        except OversmoothError as error:
            # A tokenizer that did not come back still spins on a core: only the end of the process stops it.
            return Finished(error, leaving=inputs.stuck())
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # a Rust panic is no Exception
            if _out_of_memory(error):
                return Finished(WorkerLostError(OUT_OF_MEMORY), leaving=True)
            logger.exception("A run failed in a way that was not foreseen")
            message = (
                f"The run stopped on a fault inside Oversmooth or one of its libraries ({type(error).__name__}). "
                "The log of the program has the details."
            )
            return Finished(WorkerLostError(message), leaving=True)

    def _answer(self, answer: Message) -> None:
        # Progress may be reported from other threads than the one that measures.
        with self._sending:
            send(self._answers, answer)


def _out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on whichever device; torch has no type of its own for it on the CPU."""
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or (
        isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)
    )
