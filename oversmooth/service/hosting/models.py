"""Which models a hosted server measures: those that come along, and those of the operator."""

from __future__ import annotations

from oversmooth.core.packaged import packaged
from oversmooth.models.allowlist import AllowList, read
from oversmooth.service.hosting.configuration import Configuration


def allowed(configuration: Configuration) -> AllowList | None:
    """The models that a hosted server measures; None where any may be asked for.

    Raises:
        ConfigurationError: where the operator's list cannot be read.
    """
    if not configuration.hosted:
        return None
    bundled = read(packaged("models.json"))
    if configuration.models is None:
        return bundled
    for model in read(configuration.models).models:
        bundled = bundled.including(model)
    return bundled
