"""What measuring costs on a GPU: ``measure`` against the bare passes, waited for, with the device's name.

Run from the repository on a machine with a CUDA device: ``python benchmarks/gpu.py``. It prints Markdown tables; see
README.md beside it. ``--quick`` runs tiny models on whatever there is.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from corpus import encoded, passes, sentences
from overhead import anew, forward, ids_of, random_bert, text_of
from transformers import LlamaConfig, LlamaModel

from oversmooth.metrics.numerics import eigenvalues, on_host
from oversmooth.models.anatomy import dissect
from oversmooth.models.inputs import Batches
from oversmooth.models.loaded import LoadedModel
from oversmooth.models.loading import load
from oversmooth.results.settings import Settings


@dataclass(frozen=True)
class Plan:
    """How much is run."""

    repeats: int
    bert: tuple[int, int]
    """Blocks, tokens."""
    llama: tuple[int, int, int]
    """Blocks, width, tokens."""
    texts: int
    sides: Sequence[int]
    """Of matrices whose eigenvalues are timed on both sides."""


FULL = Plan(repeats=10, bert=(12, 512), llama=(32, 4096, 2048), texts=1000, sides=(32, 128, 512, 2048))
QUICK = Plan(repeats=1, bert=(2, 32), llama=(2, 64, 24), texts=8, sides=(8, 16))


def random_llama(tokenizer_of: LoadedModel, layers: int, width: int) -> LoadedModel:
    """A Llama with random weights on the device, in float32, read through another model's tokenizer."""
    torch.manual_seed(0)
    heads = max(1, width // 128)
    config = LlamaConfig(
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        intermediate_size=int(2.6875 * width),
        max_position_embeddings=8192,
    )
    with torch.device(tokenizer_of.device):
        network = LlamaModel(config)
    network.train(False)
    network.requires_grad_(False)
    return replace(tokenizer_of, network=network, anatomy=dissect(network))


def timed(calls: Sequence[Callable[[], object]], repeats: int) -> list[list[float]]:
    """Milliseconds of each call, run in turn, until the device has done it."""
    times: list[list[float]] = [[] for _ in calls]
    for number in range(2 + repeats):
        for call, taken in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            if number >= 2:
                taken.append(1000 * (time.perf_counter() - start))
    return times


def row(name: str, taken: list[list[float]]) -> str:
    """Bare, measured, and what the analysis adds over the bare passes."""
    bare, measured = taken
    cells = [f"{min(each):.1f} / {statistics.median(each):.1f}" for each in taken]
    added = [least(measured) / least(bare) - 1.0 for least in (min, statistics.median)]
    most = f"{torch.cuda.max_memory_allocated() / 1e6:.0f}" if torch.cuda.is_available() else "–"
    return f"| {name} | {' | '.join(cells)} | **{added[0]:.2f} / {added[1]:.2f}** | {most} |"


def one(name: str, model: LoadedModel, tokens: int, repeats: int) -> str:
    """One text through one model."""
    text = text_of(model, tokens)
    inputs = {key: value.to(model.device) for key, value in ids_of(model, text).items()}
    settings = Settings.of(texts=(text,), max_tokens=tokens, similarity=False)
    return row(
        f"{name}, {tokens} tokens", timed([partial(forward, model, inputs), partial(anew, model, settings)], repeats)
    )


def rows(plan: Plan, device: str) -> Iterator[str]:
    """One for each model."""
    embedded = load("all-MiniLM-L6-v2", device=device)
    layers, tokens = plan.bert
    bert = random_bert(embedded, layers, 768, heads=12)
    torch.nn.Module.to(bert.network, device)
    yield one(f"BERT, {layers} × 768, float32", bert, tokens, plan.repeats)
    layers, width, tokens = plan.llama
    llama = random_llama(embedded, layers, width)
    yield one(f"Llama, {layers} × {width:,}, float32", llama, tokens, plan.repeats)
    settings = Settings.of(texts=sentences(embedded, plan.texts))
    inputs = [read for _, read in Batches.of(encoded(embedded, settings), embedded)]
    taken = timed([partial(passes, embedded, inputs), partial(anew, embedded, settings)], plan.repeats)
    yield row(f"MiniLM, {plan.texts:,} sentences", taken)


def sides(plan: Plan, device: str) -> Iterator[str]:
    """Eigenvalues of eight symmetric matrices: on the device, and on the CPU with the way there."""
    for side in plan.sides:
        matrices = torch.randn(8, side, 2 * side, dtype=torch.float64, device=device)
        grams = matrices @ matrices.mT
        there, here = timed([partial(eigenvalues, grams), lambda: eigenvalues(on_host(grams))], plan.repeats)  # noqa: B023
        yield f"| {side:,} | {min(there):.2f} | {min(here):.2f} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: every row, no meaning in the numbers")
    options = parser.parse_args()
    if not (options.quick or torch.cuda.is_available()):
        parser.error("there is no CUDA device; --quick runs tiny models on the CPU")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    plan = QUICK if options.quick else FULL
    print(f"{torch.cuda.get_device_name() if device == 'cuda' else 'no GPU'}, torch {torch.__version__}")
    print(f"\nMilliseconds, minimum / median of {plan.repeats}.\n")
    print("| | bare passes | measure | **analysis : passes** | most megabytes on the device |")
    print("|---|---:|---:|---:|---:|")
    for each in rows(plan, device):
        print(each, flush=True)
    print("\n| side, of eight | eigenvalues on the device | on the CPU, with the way there |")
    print("|---:|---:|---:|")
    for each in sides(plan, device):
        print(each, flush=True)


if __name__ == "__main__":
    main()
