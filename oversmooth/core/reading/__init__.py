"""Texts out of files: encodings, tables of separated values, JSON lines, Parquet.

In come bytes that nobody trusts; out go rows, within bounds, with what was assumed.
Imports ``core`` alone.
"""
