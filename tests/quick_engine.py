"""An engine for tests of pages: computes in this very process, at once, with a model that is there already."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import ClassVar

from oversmooth import Measurement, OversmoothError, Settings, measure
from oversmooth.core.progress import Progress
from oversmooth.models.loaded import LoadedModel
from oversmooth.service.hosting import allowed, current
from oversmooth.service.hosting.limits import require


@dataclass(frozen=True)
class QuickHandle:
    """What ``oversmooth.service.engine.Handle`` is, of a run that has ended."""

    future: Future[Measurement]
    progress: ClassVar[Progress] = Progress("measure", 1, 1)
    position: ClassVar[None] = None

    def done(self) -> bool:
        return True

    def result(self, timeout: float | None = None) -> Measurement:
        return self.future.result(timeout)

    def cancel(self) -> None:
        """Nothing is left to stop."""


@dataclass
class QuickEngine:
    """What ``oversmooth.service.engine.Engine`` is to a page; holds requests against the limits as that does."""

    model: Callable[[], LoadedModel]
    ready: bool = True
    asked: list[Settings] = field(default_factory=list)

    def submit(self, settings: Settings, owner: str | None = None) -> QuickHandle:
        configuration = current()
        require(settings, configuration.limits, allowed(configuration))
        self.asked.append(settings)
        future: Future[Measurement] = Future()
        try:
            future.set_result(measure(settings, model=self.model()))
        except OversmoothError as error:
            future.set_exception(error)
        return QuickHandle(future)
