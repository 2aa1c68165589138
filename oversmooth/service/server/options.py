"""Streamlit's own options, from Oversmooth's configuration."""

from __future__ import annotations

from typing import Any, Final

from oversmooth.service.hosting import Configuration

_MEBI: Final = 2**20
_LONGEST_MESSAGE: Final = 50
"""Mebibytes from or to a page in one message."""
_WIDGETS: Final = 2
"""Mebibytes of all that a visitor has typed and chosen."""
_DISCONNECTED_SECONDS: Final = 30


def options(configuration: Configuration, host: str, port: int) -> dict[str, Any]:
    """By Streamlit's names; they stand above its files and variables, so that a stray one opens nothing."""
    common = {
        "browser.gatherUsageStats": False,
        "client.allowedOrigins": [],
        "client.showErrorDetails": "none",
        "logger.enableRich": False,
        "logger.hideWelcomeMessage": True,
        "logger.level": "warning",
        "server.address": host,
        "server.allowedHosts": list(configuration.hosts),
        "server.baseUrlPath": configuration.base_path,
        "server.enableCORS": True,
        "server.enableXsrfProtection": True,
        # A module that Streamlit reloads under a running engine is no longer the one that its workers answer to.
        "server.fileWatcherType": "none",
        "server.maxUploadSize": -(-configuration.limits.upload_bytes // _MEBI),
        "server.port": port,
        "server.showEmailPrompt": False,
    }
    if not configuration.hosted:
        return common
    return common | {
        "server.disconnectedSessionTTL": _DISCONNECTED_SECONDS,
        "server.enableAgentApi": False,
        # Where there is a screen, Streamlit takes a visitor for its developer, who may have it write files.
        "server.headless": True,
        "server.maxMessageSize": _LONGEST_MESSAGE,
        "server.maxWidgetStateSize": _WIDGETS,
    }
