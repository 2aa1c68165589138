"""Variables that Kubernetes sets in every container for each Service: some look like keys of a server's configuration.

For a Service named ``oversmooth`` at 10.0.0.11, port 8501, they are ``OVERSMOOTH_SERVICE_HOST=10.0.0.11``,
``OVERSMOOTH_SERVICE_PORT=8501`` (with ``_HTTP`` after it for a port of that name), ``OVERSMOOTH_PORT=tcp://…:8501``,
and ``OVERSMOOTH_PORT_8501_TCP=tcp://…:8501`` (with ``_PROTO``, ``_PORT`` and ``_ADDR`` after it for its parts). A
Service named ``oversmooth-metrics`` brings the same with ``OVERSMOOTH_METRICS_``.
"""

import ipaddress
import re
from typing import Final

_SHAPES: Final = (
    ("SERVICE_HOST", "address"),
    (r"SERVICE_PORT(?:_[A-Z0-9_]+)?", "port"),
    ("PORT", "link"),
    (r"PORT_[0-9]+_(?:TCP|UDP|SCTP)", "link"),
    (r"PORT_[0-9]+_(?:TCP|UDP|SCTP)_PROTO", "protocol"),
    (r"PORT_[0-9]+_(?:TCP|UDP|SCTP)_PORT", "port"),
    (r"PORT_[0-9]+_(?:TCP|UDP|SCTP)_ADDR", "address"),
)
"""What follows the Service's name, and what kind of value it has."""
_NAMES: Final = tuple((re.compile(rf"OVERSMOOTH(?:_[A-Z0-9]+)*?_{name}"), kind) for name, kind in _SHAPES)
_LINK: Final = re.compile(r"(?:tcp|udp|sctp)://(\[[0-9a-fA-F:]+\]|[0-9.]+):([0-9]{1,5})")


def is_service_link(name: str, value: str) -> bool:
    """Whether a variable is one that Kubernetes sets: by its name, and by its value too."""
    return any(_is_of(kind, value) for shape, kind in _NAMES if shape.fullmatch(name))


def _is_of(kind: str, value: str) -> bool:
    if kind == "protocol":
        return value in ("tcp", "udp", "sctp")
    if kind == "port":
        return value.isdecimal() and len(value) <= len("65535")
    if kind == "address":
        return _is_address(value)
    link = _LINK.fullmatch(value)
    return link is not None and _is_address(link[1].strip("[]"))


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True
