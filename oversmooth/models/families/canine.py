"""CANINE."""

from oversmooth.models.families.declaration import family

family("canine", downsampled=True)
