"""Mitigations applied to a loaded model, which is left bit for bit as it was."""

from oversmooth.intervention.context import Intervention

__all__ = ["Intervention"]
