"""Who asks, and whose turn it is among several addresses, however much each of them asks for."""

import ipaddress
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

T = TypeVar("T")

REMEMBERED: Final = 1000
"""Addresses of which it is known when they were served last."""
_HOME_BITS: Final = 64
"""Leading bits of an IPv6 address that tell one customer from another: the rest is theirs to choose."""


@dataclass(frozen=True)
class Owner:
    """A page that asks for something: the same wherever it is seen from."""

    session: str
    """The id that Streamlit knows it by."""
    address: str = field(default="", compare=False)
    """Of its network, by which turns go round; empty once it has left."""


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


class Rounds:
    """Turns that go round by address: next is the one that was served longest ago, those never served before all.

    Of what one address asks for, first in, first out. Not safe between threads by itself.
    """

    def __init__(self) -> None:
        self._served: OrderedDict[str, None] = OrderedDict()

    def serve(self, address: str) -> None:
        """Note that it is the turn of an address."""
        self._served.pop(address, None)
        self._served[address] = None
        if len(self._served) > REMEMBERED:
            self._served.popitem(last=False)

    def order(self, waiting: Sequence[T], address: Callable[[T], str]) -> list[T]:
        """Those who wait, given in the order in which they came, as they come in turn; each belongs to an address."""
        queues: dict[str, list[T]] = {}
        for each in waiting:
            queues.setdefault(address(each), []).append(each)
        served = {each: number for number, each in enumerate(self._served)}
        round_of = sorted(queues, key=lambda each: served.get(each, -1))
        turns = range(max(map(len, queues.values()), default=0))
        return [queues[each][turn] for turn in turns for each in round_of if turn < len(queues[each])]
