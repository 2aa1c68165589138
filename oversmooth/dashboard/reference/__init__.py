"""The page Reference: every number and method with its formula, its source and a small example.

In come the entry of the address and matrices that the reader edits; out goes a page.
Imports ``charts``, ``running``, ``controls`` and what lies below; no other page.
"""
