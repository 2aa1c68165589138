"""What a page draws of a result, apart from what is measured."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from oversmooth import metrics as metric_registry
from oversmooth.metrics import fidelity, identity
from oversmooth.wording import did_you_mean

SHOWN: Final = 40
"""Characters of a wrong value that a sentence repeats."""
LEFT: Final = (*fidelity.BESIDE_BASELINE, identity.IDENTITY_RETRIEVAL)
"""Metrics of what is left of a baseline at each point."""


class View(BaseModel):
    """What a page draws of a result. An empty text stands for the usual."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    curves: Annotated[tuple[str, ...], Field(strict=False)] | None = None
    """Metrics that are drawn over depth; None for the usual ones."""
    layer: str = ""
    """The point of maps and spectra; empty for the last block."""
    scale: Literal["Linear", "Log"] = "Log"
    """Of the singular values."""
    form: Literal["Raw", "Centred"] = "Raw"
    """Of the tokens whose singular values are drawn."""
    mapped: str = ""
    """Label of the variant whose map is drawn beside the baseline's; empty for the first."""
    across: str = ""
    """The metric of what is left of the baseline."""
    upwards: str = ""
    """The metric of what changes."""
    controls: bool = False
    """Whether the controls to beat are drawn."""
    edited: int = 1
    """Place of the side whose controls are shown; 0 for the baseline."""

    @field_validator("curves")
    @classmethod
    def _known_curves(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for name in names or ():
            _known(name, (*metric_registry.names(), *LEFT))
        # Each once.
        return None if names is None else tuple(dict.fromkeys(names))

    @field_validator("across")
    @classmethod
    def _known_left(cls, name: str) -> str:
        return _known(name, LEFT) if name else name

    @field_validator("upwards")
    @classmethod
    def _known_changing(cls, name: str) -> str:
        return _known(name, metric_registry.names()) if name else name


def shortened(text: str, most: int = SHOWN) -> str:
    """What someone gave, in one line and short enough for a sentence."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def _known(name: str, known: tuple[str, ...]) -> str:
    if name not in known:
        raise ValueError(f"there is no metric named “{shortened(name)}”{did_you_mean(name, known)}")
    return name
