"""What many texts cost: ``measure`` of short sentences against the bare forward passes over the same batches.

Run from the repository: ``python benchmarks/corpus.py``. It prints a Markdown table; see README.md beside it.
"""

from __future__ import annotations

import argparse
import platform
import random
import statistics
from collections.abc import Iterator, Sequence
from functools import partial

import torch
from overhead import anew, interleaved

from oversmooth.models.encodings import Encoded
from oversmooth.models.inputs import Batches, encode_all
from oversmooth.models.loaded import LoadedModel
from oversmooth.models.loading import load
from oversmooth.results.settings import Settings

MODEL = "all-MiniLM-L6-v2"
SHORTEST, LONGEST = 12, 24
"""Words of a sentence, each a token of its own; with the special tokens 20 tokens on average."""


def sentences(model: LoadedModel, number: int) -> tuple[str, ...]:
    """That many texts of different lengths."""
    words = sorted(word for word in model.tokenizer.get_vocab() if word.isascii() and word.isalpha() and len(word) > 3)
    chosen = random.Random(0)
    return tuple(" ".join(chosen.sample(words, chosen.randint(SHORTEST, LONGEST))) for _ in range(number))


def encoded(model: LoadedModel, settings: Settings) -> list[Encoded]:
    """The texts as ``measure`` tokenises them."""
    most, special = settings.max_tokens, settings.special_tokens
    return list(encode_all(settings.texts, model, max_tokens=most, special_tokens=special))


def passes(model: LoadedModel, inputs: Sequence[dict[str, torch.Tensor]]) -> None:
    """The bare passes; tokenising and padding are no part of them, but part of ``measure``."""
    with torch.inference_mode():
        for each in inputs:
            model.network(**each)


def rows(model: LoadedModel, numbers: Sequence[int], repeats: int) -> Iterator[str]:
    """One row for each number of texts."""
    for number in numbers:
        settings = Settings.of(texts=sentences(model, number))
        texts = encoded(model, settings)
        inputs = [read for _, read in Batches.of(texts, model)]
        calls = (partial(passes, model, inputs), partial(anew, model, settings), partial(encoded, model, settings))
        taken = interleaved(calls, repeats)
        cells = [f"{min(each):.0f} / {statistics.median(each):.0f}" for each in taken]
        ratio = " / ".join(f"{least(taken[1]) / least(taken[0]):.2f}" for least in (min, statistics.median))
        tokens = sum(len(text.ids) for text in texts) / number
        yield f"| {number:,} | {tokens:.0f} | {len(inputs)} | {' | '.join(cells)} | **{ratio}** |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: every row, no meaning in the numbers")
    parser.add_argument("--repeats", type=int, help="timed runs of each row")
    options = parser.parse_args()
    repeats = options.repeats if options.repeats is not None else 1 if options.quick else 10
    numbers = (2, 8) if options.quick else (64, 1000)

    model = load(MODEL, device="cpu")
    print(f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}, {platform.platform()}")
    print(f"\n{MODEL}, all metrics, milliseconds, minimum / median of {repeats}.\n")
    print("| texts | tokens a text | batches | forward passes | measure | of it, tokenising | **measure : passes** |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    for row in rows(model, numbers, repeats):
        print(row, flush=True)


if __name__ == "__main__":
    main()
