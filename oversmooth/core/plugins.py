"""What one file declares and every list finds: the modules of a package, and the plug-ins installed beside it.

A plug-in is an installed distribution with an entry point in a group such as ``oversmooth.metrics``. Nothing of it is
imported before its registry is first asked, and what cannot be used of it is left out with a sentence.
"""

import math
import pkgutil
import re
import sys
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from importlib import import_module, metadata
from typing import Final, Generic, TypeVar

from oversmooth.core.wording import shortened

Declared = TypeVar("Declared")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
"""What specifications, files and addresses can hold."""
_TOLD: Final = 200
"""Characters of what an import said that the sentence repeats."""


@dataclass(frozen=True)
class Plugin:
    """An installed distribution that declares something."""

    name: str
    version: str


@dataclass
class _Item(Generic[Declared]):
    declared: Declared
    module: str
    plugin: Plugin | None = None

    def stands_for(self, loaded: object) -> bool:
        """Whether an entry point that gave this object means it: itself, a function of it, or the module it is in."""
        functions = vars(self.declared).values() if callable(loaded) else ()
        return any(each is loaded for each in (self.declared, sys.modules[self.module], *functions))


class _Permission:
    """Which plug-ins may be loaded in this process, and what is to be said of those that were not."""

    names: frozenset[str] | None = None
    """None for all that are installed."""
    loaded: set[str] = set()  # noqa: RUF012  of the one process
    left_out: dict[str, None] = {}  # noqa: RUF012  an ordered set of sentences, of the one process


class Registry(Mapping[str, Declared]):
    """What is declared of one kind, by name and in the order in which it is shown.

    What comes along is declared in modules of one package and shown in the order of their constants ``ORDER``; what
    plug-ins declare follows, plug-in by plug-in.

    Args:
        kind: what one is called in a sentence, and what several are.
        package: whose modules declare what comes along.
        group: of the entry points of plug-ins; without one there are none.
        beginning: of the names of those modules.
    """

    def __init__(self, kind: tuple[str, str], package: str, group: str = "", *, beginning: str = "") -> None:
        self._kind, self._package, self._group, self._beginning = kind, package, group, beginning
        self._items: dict[str, _Item[Declared]] = {}
        self._lock = threading.RLock()
        self._asked = False

    def add(self, name: str, declared: Declared) -> None:
        """Register what the module declares that stands two calls above; a RuntimeError where another has the name."""
        if name in self._items:
            raise RuntimeError(f"two {self._kind[1]} are named {name}")
        if not _NAME.fullmatch(name):
            raise ValueError(f"“{name}” is no name: letters, digits and _ are one")
        self._items[name] = _Item(declared, sys._getframe(2).f_globals["__name__"])

    def __getitem__(self, name: str) -> Declared:
        return self._found()[name].declared

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._found()))

    def __len__(self) -> int:
        return len(self._found())

    def plugin(self, name: str) -> Plugin | None:
        """The plug-in that declares it; None where it comes along, or was declared by hand."""
        return self._found()[name].plugin

    @contextmanager
    def guarded(self, name: str) -> Iterator[None]:
        """Leave out, with a sentence, what a plug-in declares under a name and what fails meanwhile."""
        try:
            yield
        except Exception as error:
            if (plugin := self.plugin(name)) is None:
                raise
            self._leave_out(name, plugin, error)

    def _leave_out(self, name: str, plugin: Plugin, error: BaseException) -> None:
        _Permission.left_out[
            f"The {self._kind[0]} “{name}” of the plug-in “{plugin.name}” {plugin.version} is left out: {what(error)}."
        ] = None

    def _found(self) -> dict[str, _Item[Declared]]:
        with self._lock:
            if not self._asked:
                self._asked = True  # first: a module may ask while it is imported
                self._find()
        return self._items

    def _find(self) -> None:
        for module in pkgutil.iter_modules(import_module(self._package).__path__):
            if module.name.startswith(self._beginning) and not module.ispkg:
                import_module(f"{self._package}.{module.name}")
        self._items = dict(sorted(self._items.items(), key=lambda item: self._place(item[1])))
        for entry in _entry_points(self._group):
            self._take(entry)

    def _place(self, item: _Item[Declared]) -> float:
        ours = item.module.startswith(f"{self._package}.")
        return float(getattr(sys.modules[item.module], "ORDER", math.inf)) if ours else math.inf

    def _take(self, entry: metadata.EntryPoint) -> None:
        before = dict(self._items)
        plugin = _plugin(entry)
        _Permission.loaded.add(_plain(plugin.name))
        try:
            loaded = entry.load()
            found = {name for name, item in self._items.items() if item.stands_for(loaded)}
            if not found - {name for name, item in before.items() if item.module.startswith(f"{self._package}.")}:
                raise TypeError(f"“{entry.value}” declares no {self._kind[0]}")
        except (Exception, SystemExit) as error:  # whatever a stranger's module does while it is imported
            self._items = before
            self._leave_out(entry.name, plugin, error)
            return
        for name in found | (self._items.keys() - before.keys()):
            self._items[name].plugin = plugin


def allow(names: Collection[str] | None) -> None:
    """Say, before any registry is asked, which plug-ins may be loaded in this process; None for all installed ones.

    A RuntimeError where another is loaded already.
    """
    granted = None if names is None else frozenset(map(_plain, names))
    if granted is not None and not _Permission.loaded <= granted:
        raise RuntimeError("a plug-in that is not allowed was loaded before that was said")
    if granted == _Permission.names:
        return
    _Permission.names = granted
    for name in names or ():
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            _Permission.left_out[f"The plug-in “{name}” is allowed here, but is not installed."] = None


def what(error: BaseException) -> str:
    """What went wrong in somebody else's code, in a clause."""
    return shortened(f"{type(error).__name__}: {error}".rstrip(" :."), _TOLD)


def notes() -> tuple[str, ...]:
    """What was left out of plug-ins, in sentences, of the registries that were asked."""
    return tuple(_Permission.left_out)


def require_words(said: object) -> None:
    """Refuse a declaration whose sentences are none: it would fail on a page, far from where it was written."""
    for field in fields(said):  # type: ignore[arg-type]  # always a dataclass
        if field.type in (str, "str") and not isinstance(getattr(said, field.name), str):
            raise TypeError(f"“{field.name}” is no text")


def _entry_points(group: str) -> list[metadata.EntryPoint]:
    """Those that may be loaded, in an order that is the same in every process."""
    found = metadata.entry_points(group=group) if group else ()
    granted = _Permission.names
    allowed = [entry for entry in found if granted is None or _plain(_plugin(entry).name) in granted]
    return sorted(allowed, key=lambda entry: (_plain(_plugin(entry).name), entry.name))


def _plugin(entry: metadata.EntryPoint) -> Plugin:
    distribution = entry.dist
    return Plugin("unknown", "") if distribution is None else Plugin(distribution.name, distribution.version)


def _plain(name: str) -> str:
    """A distribution's name in the one spelling of all that mean it."""
    return re.sub(r"[-_.]+", "-", name).lower()
