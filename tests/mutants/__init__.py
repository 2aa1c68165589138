"""Faults that could have been written, by the room they are in: do the tests notice them?"""

from __future__ import annotations

import importlib
import pkgutil

from mutants.fault import Fault


def every_fault() -> list[Fault]:
    """All faults of all rooms, in the order of their files."""
    rooms = sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name.startswith("faults_"))
    return [fault for room in rooms for fault in importlib.import_module(f"{__name__}.{room}").FAULTS]
