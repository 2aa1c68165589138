"""What the arithmetic of a float32 pass leaves in the differences between tokens, beside the same pass in float64.

Run from the repository: ``python benchmarks/resolution.py``. It prints a Markdown table; see README.md beside it. Plain
torch: networks of random weights are cast and hooked, nothing of the product is on the way.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import transformers
from torch import Tensor, nn
from transformers import AutoModel, PreTrainedModel

ROUNDING = 2.0**-24
VOCABULARY = 2000


@dataclass(frozen=True)
class Plan:
    """How much is run."""

    sizes: tuple[tuple[int, int], ...]
    """Blocks and width."""
    seeds: int
    tokens: int


FULL = Plan(sizes=((6, 384), (12, 768), (24, 128), (48, 128)), seeds=2, tokens=32)
QUICK = Plan(sizes=((2, 32),), seeds=1, tokens=8)


def network(family: str, blocks: int, width: int, deviation: float, seed: int) -> PreTrainedModel:
    """A random network of a family."""
    torch.manual_seed(seed)
    heads = width // 32
    if family == "gpt2":
        sizes = {"n_embd": width, "n_layer": blocks, "n_head": heads}
    else:
        sizes = {
            "hidden_size": width,
            "num_hidden_layers": blocks,
            "num_attention_heads": heads,
            "intermediate_size": 4 * width,
        }
    special = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    kind = {"bert": "BertConfig", "gpt2": "GPT2Config", "llama": "LlamaConfig"}[family]
    config = getattr(transformers, kind)(vocab_size=VOCABULARY, initializer_range=deviation, **sizes, **special)
    made: PreTrainedModel = AutoModel.from_config(config)
    made.train(False)
    return made


@torch.inference_mode()
def outputs(model: PreTrainedModel, ids: Tensor) -> list[Tensor]:
    """The outputs of the blocks (token, dim), in float64."""
    found: list[Tensor] = []

    def keep(_: nn.Module, __: object, output: Tensor | tuple[Tensor, ...]) -> None:
        found.append((output[0] if isinstance(output, tuple) else output).reshape(ids.shape[1], -1).double().clone())

    place = {"bert": "encoder.layer", "gpt2": "h", "llama": "layers"}[model.config.model_type]
    hooks = [block.register_forward_hook(keep) for block in model.get_submodule(place).children()]
    model(input_ids=ids)
    for hook in hooks:
        hook.remove()
    return found


def rest(states: Tensor) -> Tensor:
    """What differs between tokens."""
    first = states - states[:1]
    return first - first.mean(dim=0)


def rows(plan: Plan) -> Iterator[str]:
    """One row for each family, size and deviation of the weights: over seeds and blocks."""
    for family in ("bert", "gpt2", "llama"):
        for deviation in (0.02, 0.1):
            for blocks, width in plan.sizes:
                noise, alike = [0.0], [0.0]
                for seed in range(plan.seeds):
                    single = network(family, blocks, width, deviation, seed)
                    ids = torch.randint(5, VOCABULARY, (1, plan.tokens), generator=torch.Generator().manual_seed(seed))
                    double = copy.deepcopy(single).double()
                    for ours, right in zip(outputs(single, ids), outputs(double, ids), strict=True):
                        size = float(right.norm()) * ROUNDING
                        noise.append(float(rest(ours - right).norm()) / size)
                        # Of tokens that are nearly alike: here noise is what is seen.
                        if float(rest(right).norm()) < 1e-3 * float(right.norm()):
                            alike.append(noise[-1])
                collapsed = f"{max(alike):.1f}" if len(alike) > 1 else "–"
                yield f"| {blocks} × {width} | {family} | {deviation:g} | {max(noise):.1f} | {collapsed} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one small network of each family")
    plan = QUICK if parser.parse_args().quick else FULL
    print("| blocks × width | family | deviation of weights | noise, u‖X‖_F | where tokens are alike to 0.001 |")
    print("|---|---|---:|---:|---:|")
    for row in rows(plan):
        print(row, flush=True)


if __name__ == "__main__":
    main()
