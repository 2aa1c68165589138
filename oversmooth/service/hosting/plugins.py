"""Plug-ins of a server and its workers: which are loaded, and what is said of those that could not be."""

from oversmooth import metrics, mitigations
from oversmooth.core import plugins
from oversmooth.models import families
from oversmooth.service.hosting.configuration import current


def permit() -> None:
    """Have this process load those plug-ins that its configuration allows; to be called before anything else asks."""
    plugins.allow(current().allowed_plugins)


def notes() -> tuple[str, ...]:
    """What was left out of plug-ins of every kind, in sentences."""
    from oversmooth.report.figures import registry as figures  # loads plotly, which the commands do without

    for registry in (metrics, mitigations, families, figures):
        registry.names()
    return plugins.notes()
