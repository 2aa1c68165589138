"""What a mitigation declares about itself, the class each one extends, and the list of all of them."""

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Literal, Self, TypeVar, dataclass_transform, get_args

from oversmooth.core.errors import MitigationError
from oversmooth.core.papers import Paper
from oversmooth.core.plugins import Registry, require_words
from oversmooth.mitigations.parameters import Indices, Parameter, indices
from oversmooth.mitigations.sites import Sites

Method = TypeVar("Method", bound="type[Mitigation]")
Meant = Literal["inference", "training", "ablation", "control"]
"""``inference``: for frozen weights; ``training``: its paper trains with it; ``ablation``: takes a part away to show
what it does; ``control``: what a method must beat."""


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What is said of a mitigation wherever it is offered; over a class, as ``@mitigation(…)``, it registers that."""

    name: str
    """In specifications, files and addresses."""
    title: str
    formula: str
    """LaTeX; X is the n × d token matrix, A a head's attention matrix, V its values, U the uniform attention."""
    paper: Paper | None
    """None for what is not from a paper: plain controls and ablations."""
    meant: Meant
    causal_safe: bool
    """Whether earlier tokens stay blind to later ones in a causal model."""
    position: str
    """Where it acts by default, in words."""
    paper_position: str
    """Where its paper puts it, in words."""
    does: str
    """What it does, in one sentence."""
    caveat: str
    """What to know before it is believed, in one sentence; for a method that is trained, what frozen weights mean."""
    excludes: tuple[str, ...] = ()
    """Names of methods that it would undo, or that would undo it, in the same layers."""

    def __post_init__(self) -> None:
        require_words(self)
        if self.meant not in get_args(Meant):
            raise ValueError(f"“meant” is one of {', '.join(get_args(Meant))}")

    def __call__(self, method: Method) -> Method:
        """Register a class under the name, which none may have yet, and make it a frozen dataclass where it is none."""
        method.declaration = self
        _REGISTRY.add(self.name, method)
        if "__dataclass_params__" not in vars(method):
            dataclass(frozen=True)(method)
        return method


mitigation = Declaration


@dataclass_transform(frozen_default=True)
@dataclass(frozen=True)
class Mitigation(ABC):
    """Parameters of one method, and how it attaches to a model.

    Raises:
        MitigationError: where a parameter is of the wrong kind or out of range.
    """

    declaration: ClassVar[Declaration]

    layers: Indices = indices("Blocks it acts in, counted from 0; all that the method means without it.")

    def __post_init__(self) -> None:
        for name, parameter in self.parameters().items():
            try:
                object.__setattr__(self, name, parameter.check(getattr(self, name)))
            except MitigationError as error:
                raise MitigationError(f"{self.declaration.name}: {error}.") from error

    @abstractmethod
    def attach(self, sites: Sites) -> None:
        """Say where the method acts and what it does there.

        Raises:
            MitigationError: where the model's family cannot carry it.
        """

    @classmethod
    @cache
    def parameters(cls) -> dict[str, Parameter]:
        """The parameters by name, the method's own before those that all share."""
        found = {
            field.name: dataclasses.replace(field.metadata["parameter"], name=field.name)
            for field in dataclasses.fields(cls)
        }
        shared = [name for name in ("layers", "heads") if name in found]
        return {name: found[name] for name in (*(each for each in found if each not in shared), *shared)}

    @classmethod
    def as_in_paper(cls) -> Self:
        """The method with the paper's values, which are mostly meant for trained weights."""
        return cls(**{name: each.paper for name, each in cls.parameters().items() if each.paper is not None})

    def __str__(self) -> str:
        """The specification with every parameter, ``neutreno:strength=0.05,layers=default,heads=default``."""
        values = [f"{name}={each.write(getattr(self, name))}" for name, each in self.parameters().items()]
        return f"{self.declaration.name}:{','.join(values)}"


@dataclass(frozen=True)
class AttentionMitigation(Mitigation):
    """A mitigation that acts on single heads."""

    heads: Indices = indices("Heads it acts in, counted from 0; all without it.")


_REGISTRY: Registry[type[Mitigation]] = Registry(
    ("mitigation", "mitigations"), "oversmooth.mitigations", "oversmooth.mitigations"
)
get = _REGISTRY.__getitem__
"""The mitigation of that name; KeyError for an unknown one: specifications are checked before."""
plugin = _REGISTRY.plugin
"""The plug-in that a mitigation is from; None where it comes along."""


def names() -> tuple[str, ...]:
    """Names of all mitigations, in the order in which they are shown."""
    return tuple(_REGISTRY)


def all_mitigations() -> tuple[type[Mitigation], ...]:
    """All mitigations, in the order in which they are shown."""
    return tuple(_REGISTRY.values())
