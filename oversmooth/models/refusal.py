"""Foreign code that reads foreign files, kept from showing tracebacks and from printing."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from huggingface_hub.utils import logging as hub_logging
from transformers.utils import logging as transformers_logging

from oversmooth.core.errors import ModelError, OversmoothError

_REASON_LENGTH = 200
_NAME_LENGTH = 100

_lock = threading.Lock()
_loads_running = 0
_before = (logging.WARNING, logging.WARNING, True)


@contextmanager
def refusing(sentence: str) -> Iterator[None]:
    """Turn whatever goes wrong inside into a ModelError of one sentence: ``sentence`` and the first line of the reason.

    Model files are written by anybody and read by libraries that raise nearly every type: a panic of the Rust
    tokenizer is not even an ``Exception``. Only what asks the process to stop passes through.
    """
    try:
        yield
    except (OversmoothError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        raise ModelError(f"{sentence}: {reason(error)}") from error


def reason(error: BaseException) -> str:
    """The first line of an error message, and the next where the first only announces it, as the end of a sentence."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else "no reason was given"
    if text.endswith(":") and len(lines) > 1:
        text = f"{text} {lines[1]}"
    if len(text) > _REASON_LENGTH:
        text = text[:_REASON_LENGTH].rstrip() + " …"
    return f"{text.rstrip('.')} ({type(error).__name__})."


def tensor_name(key: str) -> str:
    """A tensor's name as a file gives it, fit for a sentence: one line, not too long."""
    shown = key if key.isprintable() else ascii(key)[1:-1]
    return shown if len(shown) <= _NAME_LENGTH else f"{shown[:_NAME_LENGTH]}…"


@contextmanager
def quiet() -> Iterator[None]:
    """No log lines and progress bars of transformers and the hub inside; as they were afterwards.

    Their switches are global to the process, so the first load to enter saves them and the last to leave restores.
    """
    global _loads_running, _before
    with _lock:
        if _loads_running == 0:
            _before = (
                transformers_logging.get_verbosity(),
                hub_logging.get_verbosity(),
                transformers_logging.is_progress_bar_enabled(),
            )
            transformers_logging.set_verbosity(logging.CRITICAL)
            hub_logging.set_verbosity(logging.CRITICAL)
            transformers_logging.disable_progress_bar()
        _loads_running += 1
    try:
        yield
    finally:
        with _lock:
            _loads_running -= 1
            if _loads_running == 0:
                transformers_level, hub_level, bars = _before
                transformers_logging.set_verbosity(transformers_level)
                hub_logging.set_verbosity(hub_level)
                if bars:
                    transformers_logging.enable_progress_bar()
