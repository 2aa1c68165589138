"""Models: which there are, how they come in, how they are built, and texts as their token ids.

In come names and folders; out go loaded models, their anatomy, and encoded texts.
Imports ``core`` alone.
"""
