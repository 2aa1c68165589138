"""Charts and tables on a page, their definitions, and the ways to a file.

In come results and declared figures; out go charts with alternative texts, tables and wishes for files.
Imports ``running``, ``controls`` and what lies below; no page.
"""
