"""The configuration as one Markdown document."""

from collections.abc import Iterator
from typing import Final

from oversmooth.core.wording import bytes_in_words
from oversmooth.service.hosting.configuration import FILE_VARIABLE, Configuration, variable
from oversmooth.service.hosting.profiles import PROFILES, Limits

INTRODUCTION: Final = f"""\
# Every key of a server's configuration

Written by `scripts/reference` from `oversmooth/service/hosting/`. A key is set by its variable, or by its name in the
TOML file that `{FILE_VARIABLE}` names; variables go over the file, and both over the profile. How to run a server:
[hosting.md](hosting.md).
"""
NO_LIMIT: Final = "–"


def document() -> str:
    """What each key means, and what each profile sets."""
    return "\n".join([INTRODUCTION, *_keys(), "\n## What the profiles set\n", *_profiles()]) + "\n"


def meaning(name: str) -> str:
    """What is said of a key where it is declared, in one line."""
    return " ".join((Configuration.model_fields[name].description or "").split())


def _keys() -> Iterator[str]:
    yield "| key | variable | meaning |"
    yield "|---|---|---|"
    others = [name for name in Configuration.model_fields if name not in Limits.model_fields]
    for name in (*others, *Limits.model_fields):
        yield f"| `{name}` | `{variable(name)}` | {meaning(name).replace('``', '`')} |"


def _profiles() -> Iterator[str]:
    yield f"| limit | {' | '.join(f'`{profile}`' for profile in PROFILES)} |"
    yield "|---|" + "---:|" * len(PROFILES)
    for name in Limits.model_fields:
        values = [_written(name, getattr(limits, name)) for limits in PROFILES.values()]
        yield f"| `{name}` | {' | '.join(values)} |"


def _written(name: str, value: float | None) -> str:
    if value is None:
        return NO_LIMIT
    return bytes_in_words(value) if name.endswith("_bytes") else f"{value:,g}" if value < 1e4 else f"{value:,.0f}"
