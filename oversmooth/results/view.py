"""What a page draws of a result, apart from what is measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from oversmooth import metrics as metric_registry
from oversmooth.core.wording import did_you_mean, shortened
from oversmooth.metrics import fidelity, identity, mechanisms
from oversmooth.metrics.mechanisms.declared_attention import NULL
from oversmooth.metrics.toy import DEEPEST, WIDEST
from oversmooth.results.comparison import MOST_VARIANTS

LEFT: Final = (*fidelity.BESIDE_BASELINE, identity.IDENTITY_RETRIEVAL)
"""Metrics of what is left of a baseline at each point."""

ATTENTION: Final = tuple(
    name
    for name in mechanisms.names()
    if name.startswith("attention_") and not name.endswith((NULL, "_adjacent_cosine"))
)
"""Quantities of an attention matrix that can be drawn of every head."""
MOST_SEED: Final = 9_999


def _one_of(known: Callable[[], tuple[str, ...]], what: str = "metric", *, or_none: bool = True) -> AfterValidator:
    """A name that is known by the time it is looked for, or where ``or_none`` an empty one."""

    def check(name: str) -> str:
        if name not in known() and not (or_none and not name):
            raise ValueError(f"there is no {what} named “{shortened(name)}”{did_you_mean(name, known())}")
        return name

    return AfterValidator(check)


Place = Annotated[int, Field(strict=False, ge=1, le=MOST_VARIANTS)]
Curve = Annotated[str, _one_of(lambda: (*metric_registry.names(), *LEFT), or_none=False)]
UsualMetric = Annotated[str, _one_of(metric_registry.usual_names)]


class View(BaseModel):
    """What a page draws of a result. An empty text stands for the usual."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    curves: Annotated[tuple[Curve, ...], Field(strict=False)] | None = None
    """Metrics that are drawn over depth; None for the usual ones."""
    lines: bool = False
    """Whether every text is drawn as a line of its own, behind the mean."""
    layer: str = ""
    """The point of maps and spectra; empty for the last block."""
    scale: Literal["Linear", "Log"] = "Log"
    """Of the singular values."""
    form: Literal["Raw", "Centred"] = "Raw"
    """Of the tokens whose singular values are drawn."""
    mapped: str = ""
    """Label of the variant whose map is drawn beside the baseline's; empty for the first."""
    places: Annotated[tuple[Place, ...], Field(strict=False)] | None = None
    """Of the variants, from 1, each its own: what gives them their looks; None for the order in which they stand."""
    across: Annotated[str, _one_of(lambda: LEFT)] = ""
    """The metric of what is left of the baseline."""
    upwards: UsualMetric = ""
    """The metric of what changes."""
    controls: bool = False
    """Whether the controls to beat are drawn."""
    edited: int = 1
    """Place of the side whose controls are shown; 0 for the baseline."""
    explained: UsualMetric = ""
    """The metric whose steps over sub-layers are drawn; empty for the mean cosine."""
    steps: Literal["", "parts", "stream", "blocks"] = ""
    """How fine they are; empty for the finest that can be told apart."""
    attention: Annotated[str, _one_of(lambda: ATTENTION, "quantity of attention")] = ""
    """The quantity of the attention matrices that is drawn; empty for the first."""
    null: bool = False
    """Whether it is drawn less that of its null model."""
    toy_low: Annotated[float, Field(ge=-WIDEST, le=WIDEST)] = 0.0
    """Smallest eigenvalue of the linear recurrence."""
    toy_high: Annotated[float, Field(ge=-WIDEST, le=WIDEST)] = 1.0
    """Largest eigenvalue."""
    toy_residual: bool = True
    """Whether it has a residual connection."""
    toy_depth: Annotated[int, Field(ge=1, le=DEEPEST)] = 200
    """Its steps."""
    toy_seed: Annotated[int, Field(ge=0, le=MOST_SEED)] = 0
    """Of its random tokens and matrices."""

    @field_validator("curves")
    @classmethod
    def _each_once(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if names is None else tuple(dict.fromkeys(names))

    @field_validator("places")
    @classmethod
    def _different_places(cls, places: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if places is not None and len(set(places)) < len(places):
            raise ValueError("no two variants have the same place")
        # As they stand anyway.
        return None if places == tuple(range(1, len(places or ()) + 1)) else places
