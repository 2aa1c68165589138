"""What a comparison costs: a baseline and four variants against five bare eager forward passes and their analysis.

Run from the repository: ``python benchmarks/comparison.py``. It prints a Markdown table; see README.md beside it.
"""

from __future__ import annotations

import argparse
import platform
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from overhead import anew, forward, ids_of, interleaved, text_of

from oversmooth.measuring.analysis import Analysis
from oversmooth.measuring.comparing import compare
from oversmooth.measuring.measured_rows import Arrived, MeasuredRows
from oversmooth.measuring.measuring import one_blas_thread
from oversmooth.measuring.resolution import Resolution
from oversmooth.metrics.numerics import arithmetic_of
from oversmooth.models.inputs import encode
from oversmooth.models.loaded import LoadedModel
from oversmooth.models.loading import load
from oversmooth.models.recording import record
from oversmooth.results.settings import Settings

MODEL = "all-MiniLM-L6-v2"
VARIANTS = {
    "attention": "attnscale:omega=-0.3",
    "block": "contranorm:scale=0.05",
    "softdecay": "softdecay:alpha=-0.6,blend=0.2",
    "combination": "gfsa:weight=-0.2+high_frequency_gain:gain=0.1",
}
SIDES = 1 + len(VARIANTS)

States = dict[str, NDArray[np.float32]]


def states_of(model: LoadedModel, inputs: dict[str, torch.Tensor]) -> States:
    """The states of the one text at every point, as a pass hands them over."""
    found: States = {}

    def keep(point: str, states: torch.Tensor) -> None:
        found[point] = states[0].numpy().copy()

    record(model.anatomy, inputs, keep)
    return found


def analyse(model: LoadedModel, settings: Settings, states: States) -> None:
    """The analysis that ``measure`` does of one pass, without a model."""
    text = encode(settings.texts[0], model, max_tokens=settings.max_tokens, special_tokens=settings.special_tokens)
    rows = [MeasuredRows.of(text)]
    analysis = Analysis(
        settings.metrics,
        tuple(states),
        rows,
        model.anatomy.hidden_size,
        resolution=Resolution(rows, np.dtype(np.float32), post_norm=True),
        similarity=settings.similarity,
        centred=settings.centred_spectra,
    )
    floors = np.full(1, arithmetic_of("float32").in_pass)
    analysis.take([Arrived(point, (0,), each[None], floors) for point, each in states.items()])


def whole(model: LoadedModel, settings: Settings) -> None:
    """The comparison, as from new: no states of its baseline are kept from the last one."""
    assert not compare(settings, VARIANTS, model=replace(model)).failures


def apart(model: LoadedModel, settings: Settings, inputs: dict[str, torch.Tensor], states: States) -> None:
    """Bare passes, each followed by the analysis of states that are there already."""
    for _ in range(SIDES):
        forward(model, inputs)
        with one_blas_thread():
            analyse(model, settings, states)


def times(call: Callable[[], object], number: int) -> None:
    """Several calls in a row."""
    for _ in range(number):
        call()


def rows(model: LoadedModel, lengths: Sequence[int], repeats: int) -> Iterator[str]:
    """One row for each length; the model runs eager attention throughout."""
    for tokens in lengths:
        settings = Settings.of(texts=(text_of(model, tokens),))
        inputs = ids_of(model, text_of(model, tokens))
        calls = (
            partial(whole, model, settings),
            partial(apart, model, settings, inputs, states_of(model, inputs)),
            partial(times, partial(anew, model, settings), SIDES),
        )
        taken = interleaved(calls, repeats)
        cells = [f"{min(each):.1f} / {statistics.median(each):.1f}" for each in taken]
        ratios = [
            " / ".join(f"{least(taken[0]) / least(other):.2f}" for least in (min, statistics.median))
            for other in taken[1:]
        ]
        yield f"| {tokens} | {' | '.join(cells)} | **{ratios[0]}** | {ratios[1]} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: every row, no meaning in the numbers")
    parser.add_argument("--repeats", type=int, help="timed runs of each row")
    options = parser.parse_args()
    repeats = options.repeats if options.repeats is not None else 1 if options.quick else 20
    lengths = (16, 32) if options.quick else (32, 128, 256)

    model = load(MODEL, device="cpu")
    model.network.set_attn_implementation("eager")
    print(f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}, {platform.platform()}")
    print(f"\n{MODEL}, milliseconds, minimum / median of {repeats}; variants {', '.join(VARIANTS.values())}.\n")
    print(f"| tokens | comparison | {SIDES} eager passes and their analysis | {SIDES} measurements ", end="")
    print("| **comparison : passes + analysis** | comparison : measurements |")
    print("|---:|---:|---:|---:|---:|---:|")
    for row in rows(model, lengths, repeats):
        print(row, flush=True)


if __name__ == "__main__":
    main()
