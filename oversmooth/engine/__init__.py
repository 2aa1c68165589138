"""The queue in front of the models: runs measurements in supervised worker processes, without torch in this one."""

from oversmooth.engine.engine import Engine, Handle

__all__ = ["Engine", "Handle"]
