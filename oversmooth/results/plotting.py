"""How results come to be drawn: by a backend that is named and loaded only when a figure is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache, partial
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Concatenate, Final, Generic, Literal, ParamSpec, SupportsIndex, TypeVar, overload

from oversmooth.core.errors import SettingsError
from oversmooth.core.wording import did_you_mean

if TYPE_CHECKING:
    import plotly.graph_objects as go

Layer = SupportsIndex | str
"""The number of a block, from the end where it is negative, or the name of a point."""
ThemeName = Literal["light", "dark"]

GROUP: Final = "oversmooth.plotting"
"""Entry points of packages that bring a backend."""
DEFAULT: Final = "oversmooth.report.plotting"
"""Draws plotly figures. A backend is a module, or an object, with functions of the same names and arguments."""
_chosen = DEFAULT


def use(backend: str = DEFAULT) -> None:
    """Have results drawn by another backend from now on, in this process.

    Args:
        backend: the name of an entry point of the group ``oversmooth.plotting``, or of a module.

    Raises:
        SettingsError: where there is no such backend, or it cannot be loaded.
    """
    global _chosen
    _loaded(backend)
    _chosen = backend


def draw(kind: str, *what: object, **how: object) -> go.Figure:
    """What the chosen backend draws of a result.

    Args:
        kind: the name of the backend's function.
        what: the result and what of it is drawn.
        how: keywords of the function.

    Raises:
        SettingsError: where the backend has no such function, or the result not what is asked for.
    """
    function: Callable[..., go.Figure] | None = getattr(_loaded(_chosen), kind, None)
    if function is None:
        raise SettingsError(f"The plotting backend “{_chosen}” cannot draw this: it has no function “{kind}”.")
    return function(*what, **how)


@cache
def _loaded(name: str) -> Any:  # noqa: ANN401  a module, or whatever an entry point names
    known = {found.name: found for found in entry_points(group=GROUP)}
    try:
        return known[name].load() if name in known else importlib.import_module(name)
    except ModuleNotFoundError as error:
        if name in known or not f"{name}.".startswith(f"{error.name}."):
            raise SettingsError(f"The plotting backend “{name}” cannot be loaded: {error}.") from error
        near = did_you_mean(name, [*known, DEFAULT])
        raise SettingsError(
            f"There is no plotting backend “{name}”{near}: no installed package brings one of that name, and it is no "
            "module."
        ) from error
    except Exception as error:  # whatever a package of somebody else raises
        raise SettingsError(f"The plotting backend “{name}” cannot be loaded: {error}.") from error


Accessor = TypeVar("Accessor")
Arguments = ParamSpec("Arguments")


class Also(Generic[Accessor, Arguments]):
    """A method of the accessor ``plot`` under a name of the result: ``plot_similarity`` for ``plot.similarity``."""

    def __init__(self, method: Callable[Concatenate[Accessor, Arguments], go.Figure]) -> None:
        self._method = method

    @overload
    def __get__(self, result: None, owner: type) -> Callable[Concatenate[Accessor, Arguments], go.Figure]: ...
    @overload
    def __get__(self, result: object, owner: type) -> Callable[Arguments, go.Figure]: ...
    def __get__(self, result: Any, owner: type) -> Callable[..., go.Figure]:
        return self._method if result is None else partial(self._method, result.plot)
