"""What comes along with the package as files: sentences, examples, the models on offer and those of a hosted server."""

from importlib import resources
from importlib.resources.abc import Traversable


def packaged(name: str) -> Traversable:
    """The file of that name, from a checkout or from an installed wheel."""
    return resources.files(__name__) / name
