"""The sidebar, the address and the settings file: everything that says what is to be measured and drawn.

In come a visitor's choices, links and files within the limits of this server; out go settings, variants and a view.
Imports ``theme``, ``markdown`` and the rooms below; nothing else of the dashboard.
"""
