"""Passes in float64 by plain torch: the network cast, hooks of the tests' own, nothing of the product on the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from transformers import AutoModel, AutoTokenizer, PreTrainedModel
from transformers.models.bert import modeling_bert

Matrix = NDArray[np.float64]


def minilm_in_float64(folder: str) -> PreTrainedModel:
    """The model in a folder, every weight and buffer of it in float64."""
    network: PreTrainedModel = AutoModel.from_pretrained(folder).double()
    network.train(False)
    return network


def states(network: PreTrainedModel, ids: list[int]) -> dict[str, Matrix]:
    """Embedding and block outputs of a BERT, all tokens but the first and the last, by the names of their points."""
    found: dict[str, Matrix] = {}

    def keep(name: str, output: object) -> None:
        tensor = output[0] if isinstance(output, tuple) else output
        assert isinstance(tensor, torch.Tensor)
        found[name] = tensor.reshape(-1, tensor.shape[-1])[1:-1].double().numpy().copy()

    places: dict[str, nn.Module] = {"embedding": network.get_submodule("embeddings")}
    places |= {str(number): block for number, block in enumerate(network.get_submodule("encoder.layer").children())}
    with ExitStack() as stack, torch.inference_mode():
        for name, module in places.items():
            hook = module.register_forward_hook(lambda _, __, output, name=name: keep(name, output))
            stack.callback(hook.remove)
        network(input_ids=torch.tensor([ids]))
    return found


@contextmanager
def without_residual_streams() -> Iterator[None]:
    """BERT's two residual additions left out, by its own code without them."""

    def forward(self: nn.Module, hidden_states: torch.Tensor, input_tensor: torch.Tensor) -> torch.Tensor:
        del input_tensor
        normed: torch.Tensor = self.get_submodule("LayerNorm")(self.get_submodule("dense")(hidden_states))
        return normed

    kinds: tuple[type[nn.Module], ...] = (modeling_bert.BertSelfOutput, modeling_bert.BertOutput)
    before = [kind.forward for kind in kinds]
    try:
        for kind in kinds:
            kind.forward = forward
        yield
    finally:
        for kind, usual in zip(kinds, before, strict=True):
            kind.forward = usual


def ids_of(folder: str, text: str) -> list[int]:
    """A text as the tokenizer in a folder reads it, special tokens included."""
    found: list[int] = AutoTokenizer.from_pretrained(folder)(text)["input_ids"]
    return found


def share(tokens: Matrix) -> float:
    """Energy that differs between tokens over all energy."""
    first = tokens - tokens[0]
    rest = first - first.mean(axis=0)
    return float((rest**2).sum() / (tokens**2).sum())


def distance(tokens: Matrix) -> float:
    """Frobenius norm of the tokens without their mean."""
    first = tokens - tokens[0]
    return float(np.linalg.norm(first - first.mean(axis=0)))
