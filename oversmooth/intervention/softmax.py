"""The way into attention for families that ignore transformers' attention interface: their softmax is caught."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from oversmooth.intervention.attention import BLOCKED
from oversmooth.intervention.run import ACTIVE

_SOFTMAX = {torch.softmax, Tensor.softmax, nn.functional.softmax}


class CatchSoftmax(TorchFunctionMode):
    """Within a block, gives each square softmax (batch, head, query, key) to the run that is under way."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401  whatever the function gives
        named = dict(kwargs or {})
        run = ACTIVE.get()
        if func not in _SOFTMAX or run is None or run.layer < 0:
            return func(*args, **named)
        logits = args[0] if args else named["input"]
        if logits.dim() != 4 or logits.shape[-1] != logits.shape[-2]:
            return func(*args, **named)
        return run.soften(logits, logits > BLOCKED)
