from oversmooth.errors import OversmoothError as OversmoothError
from oversmooth.measuring import measure as measure
from oversmooth.measurement import Measurement as Measurement
from oversmooth.models.loading import load as load
from oversmooth.settings import Settings as Settings

__version__: str
__all__ = ["Measurement", "OversmoothError", "Settings", "load", "measure"]
