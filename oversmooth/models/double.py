"""A network in float64 throughout: many families round to float32 inside, which is more exact for half precision."""

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from transformers import PreTrainedConfig, PreTrainedModel


class DoublePrecision(TorchFunctionMode):
    """Takes every request for float32 as one for float64, in this thread and for as long as it is entered.

    RMSNorms, softmaxes and rotary positions ask for float32 by name; what comes to be without a type is of torch's
    usual one, float32, and is doubled when it is there.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401  whatever the function gives
        asked = Tensor.double if func is Tensor.float else func
        found = asked(*map(_doubled, args), **{name: _doubled(value) for name, value in (kwargs or {}).items()})
        if not isinstance(found, Tensor) or found.dtype != torch.float32:
            return found
        # What was changed in place must stay the same tensor.
        return found if any(found is each for each in args) else found.double()


def _doubled(argument: Any) -> Any:  # noqa: ANN401
    return torch.float64 if argument is torch.float32 else argument


def double(whole: PreTrainedModel) -> None:
    """Have a network compute in float64, weights and buffers, and the networks that it is made of.

    A head's network, an encoder or the text tower of a larger model is called on its own.
    """
    whole.double()
    for module in whole.modules():
        if isinstance(module, PreTrainedModel):
            module.__class__ = _in_double_precision(type(module))  # type: ignore[arg-type]


def prepare(config: PreTrainedConfig) -> None:
    """Leave out what a configuration asks for against the rounding of half precision, and what insists on float32."""
    if getattr(config, "reorder_and_upcast_attn", False):
        config.reorder_and_upcast_attn = False


@functools.cache
def _in_double_precision(kind: type[PreTrainedModel]) -> type[PreTrainedModel]:
    """The same class, by the same name: transformers looks some things up by it."""

    @functools.wraps(kind.forward)
    def forward(self: PreTrainedModel, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401  each has its own
        with DoublePrecision():
            return kind.forward(self, *arguments, **named)

    same = {"forward": forward, "__module__": kind.__module__, "__qualname__": kind.__qualname__}
    return type(kind.__name__, (kind,), same)
