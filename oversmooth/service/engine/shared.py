"""The one engine of a server, made from its configuration."""

import threading

from oversmooth.service.engine.engine import Engine
from oversmooth.service.hosting import allowed, current

_lock = threading.Lock()
_engine: Engine | None = None


def shared_engine() -> Engine:
    """The engine that all sessions of this process share; made, and its workers started, by the first who asks.

    Raises:
        ConfigurationError: where the server is set up wrongly.
    """
    global _engine
    with _lock:
        if _engine is None:
            configuration = current()
            _engine = Engine(configuration.limits, allowed(configuration))
        return _engine


def close_shared_engine() -> None:
    """End its workers, if it was made; the next who asks gets a new one."""
    global _engine
    with _lock:
        if _engine is not None:
            _engine.close()
            _engine = None
