from .errors import OversmoothError as OversmoothError
from .measurement import Measurement as Measurement
from .measuring import measure as measure
from .models.loading import load as load
from .settings import Settings as Settings

__version__: str
__all__ = ["Measurement", "OversmoothError", "Settings", "load", "measure"]
