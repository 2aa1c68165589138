from .comparing import compare as compare
from .comparison import Comparison as Comparison
from .errors import OversmoothError as OversmoothError
from .measurement import Measurement as Measurement
from .measuring import measure as measure
from .mitigating import mitigated as mitigated
from .models.loading import load as load
from .settings import Settings as Settings

__version__: str
__all__ = ["Comparison", "Measurement", "OversmoothError", "Settings", "compare", "load", "measure", "mitigated"]
