"""Mitigations applied to a loaded model, which is left bit for bit as it was."""

from oversmooth.measuring.intervention.context import Intervention

__all__ = ["Intervention"]
