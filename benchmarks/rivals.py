"""What others' ways of looking at the same states cost, beside ``measure``: CPU time over one bare pass a text.

Run from the repository: ``python benchmarks/rivals.py``. It prints a Markdown table; see README.md beside it. The ways
are written here from what they compute; none of it is anybody's code.
"""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

# As in the server's workers: a thread that spins while it waits is no work of anybody's. Before torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from corpus import sentences
from overhead import anew, forward, ids_of, peak, random_bert, text_of
from torch import Tensor

from oversmooth.models.loaded import LoadedModel
from oversmooth.models.loading import load
from oversmooth.results.settings import Settings

Inputs = dict[str, Tensor]


@dataclass(frozen=True)
class Plan:
    """How much is run."""

    repeats: int
    tokens: int
    texts: int
    deep_tokens: int
    deep_layers: int


FULL = Plan(repeats=20, tokens=128, texts=500, deep_tokens=512, deep_layers=12)
QUICK = Plan(repeats=1, tokens=16, texts=4, deep_tokens=16, deep_layers=2)


def states(model: LoadedModel, inputs: Inputs) -> Sequence[Tensor]:
    """All hidden states of a pass, kept."""
    with torch.inference_mode():
        kept: Sequence[Tensor] = model.network(**inputs, output_hidden_states=True).hidden_states
    return kept


def pair_matrix(model: LoadedModel, inputs: Inputs) -> list[float]:
    """One number: the mean cosine, from the full matrix of pairs of every layer."""
    found = []
    for layer in states(model, inputs):
        units = torch.nn.functional.normalize(layer[0], dim=-1)
        cosines = units @ units.T
        found.append(float(cosines[~torch.eye(len(units), dtype=torch.bool)].mean()))
    return found


def decompositions(model: LoadedModel, inputs: Inputs) -> list[float]:
    """An SVD of every layer, and the effective rank."""
    found = []
    for layer in states(model, inputs):
        shares = torch.linalg.svd(layer[0], full_matrices=False).S
        shares = shares / shares.sum()
        found.append(float(torch.exp(-(shares * shares.log()).sum())))
    return found


def covariances(model: LoadedModel, inputs: Inputs) -> list[float]:
    """Eigenvalues of the covariance of the dimensions in float64, and the participation ratio."""
    found = []
    for layer in states(model, inputs):
        values = torch.linalg.eigvalsh(torch.cov(layer[0].double().T)).clamp_min(0)
        found.append(float(values.sum() ** 2 / (values**2).sum()))
    return found


def pair_loops(model: LoadedModel, inputs: Inputs) -> list[float]:
    """Cosines pair by pair in Python, and an SVD with its vectors, as scripts beside papers do."""
    found = []
    for layer in states(model, inputs):
        tokens = layer[0].numpy()
        np.linalg.svd(tokens)
        pairs = itertools.product(tokens, tokens)
        cosines = [one @ other / (np.linalg.norm(one) * np.linalg.norm(other)) for one, other in pairs]
        found.append(float(np.mean(cosines)))
    return found


WAYS: dict[str, Callable[[LoadedModel, Inputs], object]] = {
    "pair matrix a layer, one number": pair_matrix,
    "SVD a layer": decompositions,
    "covariance eigenvalues a layer": covariances,
    "loops over pairs, full SVD": pair_loops,
}
LOOPS = "loops over pairs, full SVD"
SLOW = (LOOPS, "covariance eigenvalues a layer")
"""Left out where there are hundreds of texts."""


def everything(texts: tuple[str, ...]) -> Settings:
    """All metrics, spectra and the map."""
    return Settings.of(texts=texts)


def one_metric(texts: tuple[str, ...]) -> Settings:
    """The mean cosine alone."""
    return Settings.of(texts=texts, metrics=("token_cosine",), similarity=False)


def processor_times(calls: Sequence[Callable[[], object]], repeats: int) -> list[list[float]]:
    """Milliseconds of CPU time of each call, run in turn; each after itself, so that no other one's caches are its."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(repeats):
        for call, taken in zip(calls, times, strict=True):
            call()
            start = time.process_time()
            call()
            taken.append(1000 * (time.process_time() - start))
    return times


def row(name: str, taken: list[list[float]], passes: float = 1.0, memory: Sequence[str] = ()) -> str:
    """What each call took over the first one, which is the bare pass."""
    bare = min(taken[0]) * passes, statistics.median(taken[0]) * passes
    cells = [f"{min(each) / bare[0]:.2f} / {statistics.median(each) / bare[1]:.2f}" for each in taken[1:]]
    cells += ["–"] * (2 + len(WAYS) - len(cells))
    joined = [f"{cell}, {size}" for cell, size in zip(cells, memory, strict=False)] or cells
    return f"| {name} | {' | '.join([*joined, *cells[len(joined) :]])} |"


def one_text(model: LoadedModel, tokens: int, repeats: int) -> list[list[float]]:
    """The bare pass, ours twice, and every way."""
    text = text_of(model, tokens)
    inputs = ids_of(model, text)
    ours = [partial(anew, model, each((text,))) for each in (everything, one_metric)]
    return processor_times(
        [partial(forward, model, inputs), *ours, *(partial(way, model, inputs) for way in WAYS.values())], repeats
    )


def memory_of(model: LoadedModel, tokens: int) -> list[str]:
    """Megabytes beyond the bare pass of each but the loops."""
    text = text_of(model, tokens)
    inputs = ids_of(model, text)
    bare = sum(peak(partial(forward, model, inputs)))
    calls: list[Callable[[], object]] = [partial(anew, model, each((text,))) for each in (everything, one_metric)]
    calls += [partial(way, model, inputs) for name, way in WAYS.items() if name != LOOPS]
    return [f"{sum(peak(call)) - bare:.0f} MB" for call in calls]


def many_texts(model: LoadedModel, number: int, repeats: int) -> str:
    """Sentences: ours in batches, every other way text by text, over one bare pass a text."""
    texts = sentences(model, number)
    inputs = [ids_of(model, text) for text in texts]

    def alone(way: Callable[[LoadedModel, Inputs], object]) -> None:
        for each in inputs:
            way(model, each)

    calls: list[Callable[[], object]] = [partial(alone, forward)]
    calls += [partial(anew, model, each(texts)) for each in (everything, one_metric)]
    calls += [partial(alone, way) for name, way in WAYS.items() if name not in SLOW]
    return row(f"MiniLM, {number} sentences", processor_times(calls, max(1, repeats // 7)))


def rows(plan: Plan) -> Iterator[str]:
    """One for each kind of work."""
    embedded = load("all-MiniLM-L6-v2", device="cpu")
    yield row(f"MiniLM, {plan.tokens} tokens", one_text(embedded, plan.tokens, plan.repeats))
    yield many_texts(embedded, plan.texts, plan.repeats)
    deep = random_bert(embedded, plan.deep_layers, 768, heads=12)
    taken = one_text(deep, plan.deep_tokens, max(1, plan.repeats // 7))
    memory = memory_of(deep, plan.deep_tokens)
    yield row(f"{plan.deep_layers} × 768, {plan.deep_tokens} tokens", taken, memory=memory)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: every row, no meaning in the numbers")
    parser.add_argument("--repeats", type=int, help="timed runs of each row")
    options = parser.parse_args()
    plan = QUICK if options.quick else FULL
    if options.repeats is not None:
        plan = Plan(options.repeats, plan.tokens, plan.texts, plan.deep_tokens, plan.deep_layers)
    print(f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}, {platform.platform()}")
    print(f"\nCPU time over that of a bare pass a text, minimum / median of {plan.repeats}; memory beyond the pass.\n")
    print(f"| | measure: 19 metrics, spectra, map | measure: one metric | {' | '.join(WAYS)} |")
    print("|---|" + "---:|" * (2 + len(WAYS)))
    for each in rows(plan):
        print(each, flush=True)


if __name__ == "__main__":
    main()
