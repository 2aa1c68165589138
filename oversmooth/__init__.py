"""Oversmooth: see how the tokens of a text grow alike through a transformer.

>>> from oversmooth import Settings, measure
>>> measurement = measure(Settings.of(texts="The cat sat on the mat and looked at the rain."))
>>> round(measurement.curve("token_cosine")["5"], 1)
0.5
"""

import sys

import lazy_loader

from oversmooth.core import texts

# Under this name scripts read lists of texts from files since the first release.
sys.modules[f"{__name__}.texts"] = texts

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
