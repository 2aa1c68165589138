"""The queue in front of the models: runs measurements in supervised worker processes, without torch in this one."""

from oversmooth.service.engine.engine import Engine, Handle
from oversmooth.service.engine.rounds import Owner

__all__ = ["Engine", "Handle", "Owner"]
