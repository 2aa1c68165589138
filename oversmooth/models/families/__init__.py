"""What each architecture calls its parts: one file a family of them, declared without torch.

To add one: call :func:`~oversmooth.models.families.declaration.family` in a file of its own.
"""

from oversmooth.models.families.declaration import Family, GlobalAttention, Layout, Parts, family, get, names, plugin

__all__ = ["Family", "GlobalAttention", "Layout", "Parts", "family", "get", "names", "plugin"]
