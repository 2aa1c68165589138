"""The command ``oversmooth``: one file for each command or kind of command, all of them thin.

In come words; out go tables, sentences, files and an exit code.
Imports every room but ``dashboard``.
"""
