"""One download from the hub: bytes counted, stopped as soon as nobody waits for it."""

import glob
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import constants, snapshot_download
from huggingface_hub.utils.tqdm import tqdm

from oversmooth.core.progress import Progress, Report
from oversmooth.core.wording import bytes_in_words
from oversmooth.models.refusal import reason

_POLL = 0.1
"""Seconds between two progress reports."""


class DownloadError(Exception):
    """The download did not end well; its cause is the hub client's own error."""


def download(identifier: str, revision: str | None, files: Iterable[str], size: int, report: Report) -> Path:
    """Download files, ``size`` bytes of which are not cached yet; gives their folder in the cache, named by the commit.

    It runs on a thread of its own, so that ``report`` is called from here, and in time even while the hub stalls. The
    revision is as asked for, not the commit: then the cache knows the branch by its name when there is no network.

    Raises:
        DownloadError: it broke off; what has arrived is kept for the next try.
        CancelledError: from ``report``; the download stops at the next piece.
    """
    meter = _Meter()
    patterns = [glob.escape(each) for each in files]
    outcome: list[str | BaseException] = []

    def work() -> None:
        try:
            with _plain_http():
                outcome.append(
                    snapshot_download(
                        identifier, revision=revision, allow_patterns=patterns, tqdm_class=meter.bar_class
                    )
                )
        except BaseException as error:
            outcome.append(error)  # Raised again below, on the thread that waits for it.

    thread = threading.Thread(target=work, name="download", daemon=True)
    detail = f"{identifier}, {bytes_in_words(size)}"
    try:
        thread.start()
        while thread.is_alive():
            report(Progress("download", min(meter.bytes, size), size, detail))
            thread.join(_POLL)
    except BaseException:
        meter.stopped.set()
        raise
    result = outcome[0]
    if isinstance(result, BaseException):
        raise DownloadError(reason(result)) from result
    report(Progress("download", size, size, detail))
    return Path(result)


class _StoppedError(Exception):
    """Raised inside the download's threads once nobody waits for it."""


class _Meter:
    """Counts what arrives, and stops the download at the next piece."""

    def __init__(self) -> None:
        self.bytes = 0
        self.stopped = threading.Event()
        meter = self

        class Bar(tqdm):
            """A progress bar that draws nothing."""

            def __init__(self, *arguments: object, **options: object) -> None:
                super().__init__(*arguments, **(options | {"disable": True}))  # type: ignore[no-untyped-call]
                self.counts_bytes = options.get("unit") == "B"

            def update(self, n: float | None = 1) -> None:
                if meter.stopped.is_set():
                    raise _StoppedError
                self.n += n or 0
                if self.counts_bytes:
                    # One bar counts what came over the network, one what was written; either may be the later.
                    meter.bytes = max(meter.bytes, int(self.n))

        self.bar_class = Bar


@contextmanager
def _plain_http() -> Iterator[None]:
    """Without the Xet protocol: its native threads tell their progress but cannot be stopped from it."""
    before = constants.HF_HUB_DISABLE_XET
    constants.HF_HUB_DISABLE_XET = True
    try:
        yield
    finally:
        constants.HF_HUB_DISABLE_XET = before
