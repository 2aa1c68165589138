"""What was asked and what came out: settings, view, address; measurement, comparison, record.

In come numbers with names; out go the same numbers, their differences and documents.
Imports ``mitigations``, ``metrics``, ``models`` and ``core``; knows neither figures nor files for people.
"""
