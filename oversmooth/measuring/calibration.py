"""States of the unchanged model, for mitigations that are calibrated on texts."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from oversmooth.core import points
from oversmooth.models.anatomy import Anatomy
from oversmooth.models.recording import record


class Sampler:
    """Gives the tokens of some texts at the output of a block; runs the model when first asked.

    Args:
        anatomy: of the model.
        batches: keyword arguments of the network, with ``attention_mask``; all their tokens but padding count. Read
            when the model is first run.
    """

    def __init__(self, anatomy: Anatomy, batches: Iterable[dict[str, Tensor]]) -> None:
        self._anatomy = anatomy
        self._batches = batches
        self._states: dict[str, Tensor] = {}

    def __call__(self, layer: int) -> Tensor:
        """The tokens at the output of this block: (token, dim)."""
        if not self._states:
            self._states = self._run()
        return self._states[points.block(layer)]

    def _run(self) -> dict[str, Tensor]:
        parts: dict[str, list[Tensor]] = {}
        for batch in self._batches:
            kept = batch["attention_mask"].bool()

            def take(point: str, states: Tensor, kept: Tensor = kept) -> None:
                if points.is_block(point):
                    # Some families pad the text inside, to a multiple of a window.
                    parts.setdefault(point, []).append(states[:, : kept.shape[1]][kept])

            record(self._anatomy, batch, take)
        return {point: torch.cat(tokens) for point, tokens in parts.items()}
