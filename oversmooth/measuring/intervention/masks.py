"""How attention masks say that a query may not see a key."""

from __future__ import annotations

from typing import Final

BLOCKED: Final = -1e9
"""Masks add the lowest number of the type, or minus infinity; no logit of a working model comes near this."""
