"""Masks of attention logits, for the methods that hide keys."""

from oversmooth.mitigations.sites import AttentionPlace, Tensor


def seen(logits: Tensor, place: AttentionPlace) -> Tensor:
    """Whether a query still sees a key: bool, what the model allows less what :func:`hide` has taken."""
    return place.allowed & (logits > _lowest(logits))


def hide(logits: Tensor, hidden: Tensor) -> Tensor:
    """Logits with the hidden keys at the lowest number: their attention is exactly 0 beside any key that is seen."""
    return logits.masked_fill(hidden, _lowest(logits))


def near(width: int, like: Tensor) -> Tensor:
    """Whether a key is less than ``width`` positions away from the query: bool (query, key)."""
    import torch

    positions = torch.arange(like.shape[-1], device=like.device)
    return (positions[:, None] - positions).abs() < width


def _lowest(logits: Tensor) -> float:
    import torch

    return torch.finfo(logits.dtype).min
