"""The numbers of a result as tables, arrays and one document.

In comes a result; out go data frames, arrays and JSON.
Imports what ``results`` may.
"""
