"""How a checkpoint calls the tensors of a network: the one place where names in files become names in a network."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from transformers import PreTrainedModel
from transformers.conversion_mapping import get_model_conversion_mapping
from transformers.core_model_loading import WeightConverter, WeightRenaming, rename_source_key

from oversmooth.core.errors import ModelError
from oversmooth.models.families.common import HEAD_NAMES
from oversmooth.models.refusal import tensor_name

_SHARE = 0.5
"""Of a network's tensors that must stand under a prefix before it is taken off: a few names alike prove nothing."""
_LEAST = 0.1
"""Of all tensors in the files that a prefix must hold, to be tried."""


@dataclass(frozen=True)
class Naming:
    """Which tensors of a checkpoint are read, and under which names."""

    read: Mapping[str, str]
    """By the name in the files: the name that transformers is given."""
    outside: frozenset[str]
    """Names, as given, of tensors outside the network: of its head, or of another part of a larger model."""


def naming(stored: Collection[str], network: PreTrainedModel, *, headed: bool, name: str) -> Naming:
    """Find the network's tensors among those of a checkpoint, whatever stands before their names.

    Wrappers put a prefix before every name (``module.``, ``_orig_mod.``, ``base_model.model.``), and a network that is
    a part of a larger model stands there under the name of that part. The prefix is the one under which most of the
    network's own names are found; without any, or with that of transformers itself, names stay as they are. With
    ``headed``, a head on the network is read too. A network that stands there more than once is refused.
    """
    own = _Own(network)
    prefix = _prefix(stored, own, name)
    known = prefix in ("", own.usual)
    wrapper = "" if known else _wrapper(prefix, own.usual)
    given: dict[str, str] = {}
    outside: set[str] = set()
    for key in stored:
        if _is_inside(key, prefix, own):
            given[key] = key if known else own.usual + key.removeprefix(prefix)
            continue
        rest = key.removeprefix(wrapper)
        if rest in own.names:
            raise ModelError(_twice(name, key, prefix + rest))
        outside.add(rest)
        if headed:
            given[key] = rest
    _refuse_collisions(given, name)
    return Naming(given, frozenset(outside))


class _Own:
    """What a network calls its tensors."""

    def __init__(self, network: PreTrainedModel) -> None:
        self.names = set(network.state_dict())
        self.children = {each.partition(".")[0] for each in self.names}
        base = network.base_model_prefix
        # A network whose own base is a part of itself has that name in its names already.
        self.usual = f"{base}." if base and network.base_model is network else ""
        """What stands before its names where it was saved with a head."""
        mapping = get_model_conversion_mapping(network)
        self._renamings = [each for each in mapping if isinstance(each, WeightRenaming)]
        self._converters = [each for each in mapping if isinstance(each, WeightConverter)]

    def converted(self, key: str) -> str:
        """The name that transformers makes of one of an earlier version, or of one that it saves otherwise."""
        return rename_source_key(key, self._renamings, self._converters)[0]


def _is_inside(key: str, prefix: str, own: _Own) -> bool:
    """Whether a tensor belongs to the network, by its name in the files."""
    if not key.startswith(prefix):
        return False
    if own.usual and f".{prefix}".endswith(f".{own.usual}"):
        return True
    # Nothing tells the network's own names from those of a head beside its parts.
    first = key.removeprefix(prefix).partition(".")[0]
    return first in own.children or re.search(HEAD_NAMES, first) is None


def _prefix(stored: Collection[str], own: _Own, name: str) -> str:
    found: Counter[str] = Counter()
    for key in stored:
        found.update(prefix for prefix, rest in _splits(key) if rest in own.names)
    if max(found.values(), default=0) < _SHARE * len(own.names):
        found = _found_by_conversion(stored, own)
    most = max(found.values(), default=0)
    best = sorted(prefix for prefix, number in found.items() if number == most)
    for usual in (own.usual, ""):
        if usual in best:
            return usual
    if most < _SHARE * len(own.names):
        return own.usual if found[own.usual] else ""
    if len(best) > 1:
        raise ModelError(_twice(name, f"{best[0]}*", f"{best[1]}*"))
    return best[0]


def _found_by_conversion(stored: Collection[str], own: _Own) -> Counter[str]:
    """How many of the network's tensors stand under each prefix, where files call them otherwise than the network."""
    shared = Counter(prefix for key in stored for prefix, _ in _splits(key))
    least = _LEAST * max(shared.values(), default=0)
    found: Counter[str] = Counter()
    for prefix in (each for each, number in shared.items() if number >= least):
        rests = (key.removeprefix(prefix) for key in stored if key.startswith(prefix))
        found[prefix] = len(own.names & {own.converted(rest) for rest in rests})
    return found


def _splits(key: str) -> Iterator[tuple[str, str]]:
    """A name cut in two before each of its parts: ``("", "a.b")`` and ``("a.", "b")``."""
    yield "", key
    for match in re.finditer(r"\.", key):
        yield key[: match.end()], key[match.end() :]


def _wrapper(prefix: str, usual: str) -> str:
    """What stands before the names of network and head alike."""
    return prefix.removesuffix(usual) if usual and prefix.endswith(f".{usual}") else prefix


def _refuse_collisions(given: Mapping[str, str], name: str) -> None:
    seen: dict[str, str] = {}
    for key, as_given in given.items():
        other = seen.setdefault(as_given, key)
        if other != key:
            raise ModelError(_twice(name, other, key))


def _twice(name: str, one: str, other: str) -> str:
    return (
        f"The weight files of “{name}” hold the network twice, as {tensor_name(one)} and {tensor_name(other)}. "
        "Save the one that is to be measured on its own."
    )
