"""The way into attention for families that ignore transformers' attention interface: their softmax is caught."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from oversmooth.measuring.intervention.run import ACTIVE, BLOCKED

if TYPE_CHECKING:
    from oversmooth.models.anatomy import Anatomy

_SOFTMAX = {torch.softmax, Tensor.softmax, nn.functional.softmax}


class CatchSoftmax(TorchFunctionMode):
    """Gives each square softmax (batch, head, query, key) over keys to the run that is under way.

    Args:
        anatomy: of the network whose passes it looks at; another may be under way in the same thread.
    """

    def __init__(self, anatomy: Anatomy) -> None:
        super().__init__()
        self._anatomy = anatomy

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401  whatever the function gives
        named = dict(kwargs or {})
        run = ACTIVE.get()
        if func not in _SOFTMAX or run is None or run.anatomy is not self._anatomy:
            return func(*args, **named)
        logits, dim = args[0] if args else named["input"], args[1] if len(args) > 1 else named.get("dim")
        if not run.attends(logits) or dim not in (-1, 3):
            return func(*args, **named)
        return run.soften(logits, logits > BLOCKED)
