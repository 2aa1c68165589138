"""Labelled arrays that are made when they are first asked for: making one takes longer than measuring a short text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from numpy.typing import NDArray

if TYPE_CHECKING:
    import xarray as xr

Made = TypeVar("Made")
Variables: TypeAlias = Mapping[str, tuple[Sequence[str], NDArray[Any]]]
"""Dimensions and numbers by name."""
Coordinates: TypeAlias = tuple[tuple[str, tuple[Any, ...]], ...]
"""Labels by dimension."""


class Labelled(Generic[Made]):
    """A field of a dataclass that is given as it is, or as the call that makes it; either can be pickled."""

    def __init__(self, *default: Made) -> None:
        self._default = default

    def __set_name__(self, _: type, name: str) -> None:
        self._name = f"_{name}"

    def __get__(self, instance: object | None, owner: type) -> Made:
        if instance is None:
            if self._default:
                return self._default[0]
            raise AttributeError(self._name)  # so a dataclass learns that there is no default
        kept: Made | Callable[[], Made] = instance.__dict__[self._name]
        if callable(kept):
            kept = instance.__dict__[self._name] = kept()
        return kept

    def __set__(self, instance: object, value: Made | Callable[[], Made]) -> None:
        instance.__dict__[self._name] = value


def dataset(variables: Variables, coordinates: Coordinates) -> xr.Dataset:
    """Several arrays on the same coordinates."""
    import xarray as xr

    return xr.Dataset(dict(variables), _coordinates(coordinates))


def array(dimensions: Sequence[str], values: NDArray[Any], coordinates: Coordinates) -> xr.DataArray:
    """One array."""
    import xarray as xr

    return xr.DataArray(values, _coordinates(coordinates), dimensions)


@lru_cache(maxsize=64)
def _coordinates(labels: Coordinates) -> xr.Coordinates:
    # Kept for the next side of a comparison: making the indexes is most of the work.
    import numpy as np
    import xarray as xr

    return xr.Coordinates({name: list(of) if isinstance(of[0], str) else np.asarray(of) for name, of in labels if of})
