"""What measuring costs: time over the bare forward pass, and memory over depth.

Run from the repository: ``python benchmarks/overhead.py``. It prints Markdown tables; see README.md beside it.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

# As ``import oversmooth`` has it where torch is not loaded before: what both sides run with.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile
from transformers import BertConfig, BertModel

from oversmooth.measuring.measuring import measure, one_blas_thread
from oversmooth.models.anatomy import dissect
from oversmooth.models.loaded import LoadedModel
from oversmooth.models.loading import load
from oversmooth.results.settings import Settings

WARM_UPS = 2
MEGABYTE = 1e6


@dataclass(frozen=True)
class Plan:
    """How much is run."""

    repeats: int
    lengths: dict[str, Sequence[int]]
    depths: Sequence[int]
    memory_tokens: int


FULL = Plan(
    repeats=20,
    lengths={"all-MiniLM-L6-v2": (32, 128, 256), "random BERT, 12 × 768": (32, 128, 512)},
    depths=(6, 24),
    memory_tokens=512,
)
QUICK = Plan(
    repeats=1, lengths={"all-MiniLM-L6-v2": (16, 32), "random BERT, 12 × 768": (16,)}, depths=(2, 4), memory_tokens=64
)


def random_bert(tokenizer_of: LoadedModel, layers: int, width: int, heads: int) -> LoadedModel:
    """A BERT with random weights, read through another model's tokenizer."""
    torch.manual_seed(0)
    config = BertConfig(
        hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads, intermediate_size=4 * width
    )
    network = BertModel(config)
    network.train(False)
    network.requires_grad_(False)
    return replace(tokenizer_of, network=network, anatomy=dissect(network))


def text_of(model: LoadedModel, tokens: int) -> str:
    """A text of that many tokens, special ones included, no word of it twice."""
    words = sorted(word for word in model.tokenizer.get_vocab() if word.isascii() and word.isalpha() and len(word) > 3)
    text = " ".join(random.Random(0).sample(words, tokens - 2))
    assert len(model.tokenizer(text)["input_ids"]) == tokens
    return text


def ids_of(model: LoadedModel, text: str) -> dict[str, torch.Tensor]:
    """The text as the network reads it; its time is no part of the bare pass, but part of ``measure``."""
    ids = torch.tensor([model.tokenizer(text)["input_ids"]])
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def forward(model: LoadedModel, inputs: dict[str, torch.Tensor]) -> None:
    """The bare pass."""
    with torch.inference_mode():
        model.network(**inputs)


def anew(model: LoadedModel, settings: Settings) -> None:
    """``measure`` of a text that the model has not tokenised before."""
    measure(settings, model=replace(model))


def least(model: LoadedModel, tokens: int) -> Callable[[], None]:
    """The Gram products and eigenvalues of as many states, in float64: what no way around spectra can leave out."""
    width = model.anatomy.hidden_size
    states = np.random.default_rng(0).standard_normal((len(model.anatomy.blocks) + 1, tokens - 2, width))

    def run() -> None:
        with one_blas_thread():
            for each in states:
                np.linalg.eigvalsh(each @ each.T)

    return run


def naive(model: LoadedModel, inputs: dict[str, torch.Tensor]) -> None:
    """Keep all hidden states, then an SVD and a cosine matrix per layer: two of the numbers that ``measure`` gives."""
    with torch.inference_mode():
        for states in model.network(**inputs, output_hidden_states=True).hidden_states:
            torch.linalg.svd(states[0], full_matrices=False)
            units = torch.nn.functional.normalize(states[0], dim=-1)
            _ = units @ units.T


def interleaved(calls: Sequence[Callable[[], object]], repeats: int) -> list[list[float]]:
    """Milliseconds of each call, run in turn, so that a busy neighbour disturbs all alike."""
    times: list[list[float]] = [[] for _ in calls]
    for number in range(WARM_UPS + repeats):
        for call, taken in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            if number >= WARM_UPS:
                taken.append(1000 * (time.perf_counter() - start))
    return times


def time_rows(plan: Plan, models: dict[str, LoadedModel]) -> Iterator[str]:
    """One row for each model and length."""
    for name, lengths in plan.lengths.items():
        model = models[name]
        for tokens in lengths:
            text = text_of(model, tokens)
            inputs = ids_of(model, text)
            calls = (
                partial(forward, model, inputs),
                partial(anew, model, Settings.of(texts=(text,))),
                partial(naive, model, inputs),
                least(model, tokens),
            )
            taken = interleaved(calls, plan.repeats)
            lowest = [min(each) for each in taken]
            middle = [statistics.median(each) for each in taken]
            cells = [f"{low:.1f} / {mid:.1f}" for low, mid in zip(lowest, middle, strict=True)][:3]
            ratios = [f"{lowest[n] / lowest[0]:.2f} / {middle[n] / middle[0]:.2f}" for n in (1, 2)]
            floor = f"{1 + lowest[3] / lowest[0]:.2f}"
            yield f"| {name} | {tokens} | {' | '.join(cells)} | **{ratios[0]}** | {floor} | {ratios[1]} |"


def peak(call: Callable[[], object]) -> tuple[float, float]:
    """Most megabytes held at once during a call, over what was held before: by tensors, and by arrays and the rest."""
    call()
    tracemalloc.start()
    call()
    arrays = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        call()
    held = most = 0
    for event in profiler.profiler.kineto_results.events():
        if event.name() == "[memory]":
            held += event.nbytes()
            most = max(most, held)
    return most / MEGABYTE, arrays / MEGABYTE


def memory_rows(plan: Plan, embedded: LoadedModel) -> Iterator[str]:
    """One row for each depth, and one for what the difference in depth costs."""
    width = 384
    layer = plan.memory_tokens * width * 4 / MEGABYTE
    settings = Settings.of(texts=(text_of(embedded, plan.memory_tokens),), similarity=False)
    totals = []
    for depth in plan.depths:
        model = random_bert(embedded, depth, width, heads=12)
        bare, _ = peak(partial(forward, model, ids_of(model, text_of(embedded, plan.memory_tokens))))
        tensors, arrays = peak(partial(anew, model, settings))
        totals.append(tensors + arrays)
        yield f"| {depth} | {bare:.2f} | {tensors:.2f} | {arrays:.2f} | {(tensors + arrays) / layer:.1f} |"
    growth = totals[-1] - totals[0]
    yield f"| {plan.depths[-1]} − {plan.depths[0]} | | | {growth:+.2f} in all | {growth / layer:+.1f} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: every row, no meaning in the numbers")
    parser.add_argument("--repeats", type=int, help="timed runs of each row")
    options = parser.parse_args()
    plan = QUICK if options.quick else FULL
    if options.repeats is not None:
        plan = replace(plan, repeats=options.repeats)

    embedded = load("all-MiniLM-L6-v2", device="cpu")
    models = {"all-MiniLM-L6-v2": embedded, "random BERT, 12 × 768": random_bert(embedded, 12, 768, heads=12)}
    print(f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}, {platform.platform()}")
    print(f"\n## Time\n\nMilliseconds, minimum / median of {plan.repeats}.\n")
    print("| model | tokens | forward pass | measure | naive | **measure : forward** | floor | naive : forward |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for row in time_rows(plan, models):
        print(row, flush=True)
    print(f"\n## Memory\n\nPeak megabytes at {plan.memory_tokens} tokens × 384 dimensions, no similarity maps.\n")
    print("| blocks | tensors, bare forward | tensors, measure | arrays, measure | measure in layers of activations |")
    print("|---:|---:|---:|---:|---:|")
    for row in memory_rows(plan, embedded):
        print(row, flush=True)


if __name__ == "__main__":
    main()
