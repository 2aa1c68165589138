"""What a server allows, and to whom: profiles, the operator's configuration, limits and the list of models.

Loads neither streamlit nor torch: the web process, the workers and the command line read the same configuration.
"""

from oversmooth.service.hosting.configuration import Configuration, allowed, current
from oversmooth.service.hosting.profiles import Limits, Profile

__all__ = ["Configuration", "Limits", "Profile", "allowed", "current"]
