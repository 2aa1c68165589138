"""Which branches of a block a method acts on."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from oversmooth.core.points import Branch

CHOICES = ("both", "attention", "mlp")


def branches(choice: str) -> tuple[Branch, ...]:
    """The branches that one of :data:`CHOICES` means."""
    return ("attention", "mlp") if choice == "both" else (cast("Branch", choice),)
