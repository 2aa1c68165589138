from .core.errors import OversmoothError as OversmoothError
from .measuring.comparing import compare as compare
from .measuring.measuring import measure as measure
from .measuring.mitigating import mitigated as mitigated
from .models.loading import load as load
from .results.comparison import Comparison as Comparison
from .results.measurement import Measurement as Measurement
from .results.settings import Settings as Settings

__version__: str
__all__ = ["Comparison", "Measurement", "OversmoothError", "Settings", "compare", "load", "measure", "mitigated"]
