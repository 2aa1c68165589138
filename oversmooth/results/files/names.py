"""The files of a result that are there whatever else is written."""

from __future__ import annotations

from typing import Final

SETTINGS: Final = "settings.json"
RECORD: Final = "record.json"
