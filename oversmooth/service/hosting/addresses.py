"""Whom an address on the network belongs to."""

from __future__ import annotations

import ipaddress
from typing import Final

_HOME_BITS: Final = 64
"""Leading bits of an IPv6 address that tell one customer from another: the rest is theirs to choose."""


def network(address: str) -> str:
    """What visitors are counted by: an IPv4 address, or the network that an IPv6 address belongs to."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((int(found), _HOME_BITS), strict=False))
