"""What is said and shown of a result: findings, figures, paper, files, the reference.

In come results; out go sentences, figures and files.
Imports ``results`` and what lies below; runs no network.
"""
