"""Loads model folders under watch, as ``python hostile_child.py``: their paths come on standard input, one a line.

For each it writes a line of JSON: what became of it, and everything it did that a model folder has no business with.
Memory is limited for the whole process, time for each folder.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import torch
from watching import Watch

from oversmooth.core.errors import OversmoothError
from oversmooth.models.loading import load

MEMORY = 1_000_000_000
"""Bytes that loading may take beyond what the libraries hold."""
SECONDS = 20
SENTENCE = "the cat sat on secret mat"


def attempt(folder: Path) -> dict[str, Any]:
    """Load a model and tokenise a sentence; what became of it."""
    try:
        model = load(str(folder), device="cpu")
        return {
            "family": model.record.family,
            "parameters": model.record.parameters,
            "attention": model.network.config._attn_implementation,
            "ids": model.tokenizer(SENTENCE)["input_ids"],
        }
    except OversmoothError as error:
        return {"error": type(error).__name__, "text": str(error)}
    except BaseException as error:
        return {"error": type(error).__name__, "text": "".join(traceback.format_exception(error))[-2000:]}


def _forbidden(watch: Watch, event: str) -> Any:
    def called(*_: object, **__: object) -> None:
        watch.events.append(event)
        raise SystemExit(event)

    return called


def main() -> None:
    """The first folder is loaded before the limits, so that they are about the others."""
    torch.set_num_threads(1)
    folders = [Path(line.strip()) for line in sys.stdin]
    # Its own, so that what libraries print is no line among the others.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    attempt(folders[0])
    held = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_DATA, (held + MEMORY, held + MEMORY))
    watch = Watch()
    torch.load = _forbidden(watch, "torch.load")
    signal.signal(signal.SIGALRM, _forbidden(watch, f"more than {SECONDS} seconds"))
    for folder in folders:
        watch.folder, watch.events = folder, []
        started = time.perf_counter()
        signal.alarm(SECONDS)
        found = attempt(folder)
        signal.alarm(0)
        watch.folder = None
        seconds = time.perf_counter() - started
        answers.write(json.dumps({"folder": str(folder), "events": watch.events, "seconds": seconds, **found}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
