"""The web server around the dashboard: health, headers, limits on connections, logs, counters, an end in good order."""
