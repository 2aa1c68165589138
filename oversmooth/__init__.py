"""Oversmooth: see how the tokens of a text grow alike through a transformer.

>>> from oversmooth import Settings, measure
>>> measurement = measure(Settings.of(texts="The cat sat on the mat and looked at the rain."))
>>> round(measurement.curve("token_cosine")["5"], 1)
0.5
"""

import os
import sys

import lazy_loader

from oversmooth.core import texts

# Under this name scripts read lists of texts from files since the first release.
sys.modules[f"{__name__}.texts"] = texts

if "torch" not in sys.modules:
    # OpenMP reads it as torch is loaded. Threads that spin while they wait for work take several times the processor
    # time of a short pass, of the very cores that metrics are computed on. Whoever has chosen keeps the choice.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
