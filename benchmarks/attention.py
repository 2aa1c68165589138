"""What the mechanisms cost: quantities and eigenvalues of attention over the bare forward pass, circuits on their own.

Run from the repository: ``python benchmarks/attention.py``. It prints Markdown tables; see README.md beside it.
"""

from __future__ import annotations

import argparse
import copy
import platform
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from overhead import forward, ids_of, interleaved, random_bert, text_of
from threadpoolctl import ThreadpoolController
from torch import Tensor

from oversmooth.metrics.mechanisms.attention import adjacent_cosine, attention_quantities
from oversmooth.metrics.mechanisms.circuits import circuit_eigenvalues, dominance_under
from oversmooth.models.anatomy import dissect
from oversmooth.models.loaded import LoadedModel
from oversmooth.models.loading import load


@dataclass(frozen=True)
class Plan:
    """How much is run."""

    repeats: int
    lengths: Sequence[int]
    layers: int


FULL = Plan(repeats=20, lengths=(32, 128, 256), layers=12)
QUICK = Plan(repeats=1, lengths=(16, 40), layers=2)


def attention_of(model: LoadedModel, inputs: dict[str, Tensor]) -> list[Tensor]:
    """The matrices of every layer (head, query, key)."""
    model.network.set_attn_implementation("eager")
    with torch.inference_mode():
        found = [each[0].clone() for each in model.network(**inputs, output_attentions=True).attentions]
    model.network.set_attn_implementation("sdpa")
    return found


def quantities(attention: list[Tensor]) -> None:
    """Everything that an explanation gives of the matrices of one text, but their eigenvalues."""
    for layer, each in enumerate(attention):
        attention_quantities(each, causal=False, seed=layer)
        if layer:
            adjacent_cosine(attention[layer - 1], each)


def dominances(model: LoadedModel, attention: list[Tensor]) -> None:
    """What dominates under each head, the circuits being known."""
    for values, each in zip(circuit_eigenvalues(model.anatomy), attention, strict=True):
        dominance_under(values, each, causal=False)


def attention_rows(plan: Plan, models: dict[str, LoadedModel]) -> Iterator[str]:
    """One row for each model and length."""
    for name, model in models.items():
        for tokens in plan.lengths:
            inputs = ids_of(model, text_of(model, tokens))
            attention = attention_of(model, inputs)
            calls = (
                partial(forward, model, inputs),
                partial(quantities, attention),
                partial(dominances, model, attention),
            )
            taken = interleaved(calls, plan.repeats)
            pairs = [(min(each), statistics.median(each)) for each in taken]
            cells = [f"{low:.1f} / {middle:.1f}" for low, middle in pairs]
            ratios = [f"{low / pairs[0][0]:.2f} / {middle / pairs[0][1]:.2f}" for low, middle in pairs[1:]]
            yield f"| {name} | {tokens} | {' | '.join(cells)} | **{ratios[0]}** | {ratios[1]} |"


def circuit_rows(plan: Plan, models: dict[str, LoadedModel]) -> Iterator[str]:
    """One row for each model."""
    for name, model in models.items():
        taken = []
        for _ in range(max(1, plan.repeats // 4)):
            anatomy = dissect(copy.deepcopy(model.network))  # eigenvalues are kept with the network
            start = time.perf_counter()
            circuit_eigenvalues(anatomy)
            taken.append(1000 * (time.perf_counter() - start))
        yield f"| {name} | {min(taken):.0f} / {statistics.median(taken):.0f} |"


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
    deep = random_bert(embedded, plan.layers, 768, heads=12)
    models = {"all-MiniLM-L6-v2": embedded, f"random BERT, {plan.layers} × 768": deep}
    # As in ``measure``: NumPy's team of threads would fight torch's.
    single = ThreadpoolController().select(internal_api="openblas")
    print(f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}, {platform.platform()}")
    print(f"\n## Attention\n\nMilliseconds for all heads and layers of one text, minimum / median of {plan.repeats}.\n")
    print("| model | tokens | forward pass | quantities | dominance | **quantities : forward** | dominance : forward |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    with single.limit(limits=1):
        for row in attention_rows(plan, models):
            print(row, flush=True)
    print("\n## Circuits\n\nMilliseconds for the eigenvalues of all heads and layers, minimum / median.\n")
    print("| model | eigenvalues |")
    print("|---|---:|")
    with single.limit(limits=1):
        for row in circuit_rows(plan, models):
            print(row, flush=True)


if __name__ == "__main__":
    main()
