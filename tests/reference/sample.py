"""What a reference formula is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """The tokens of one sequence, exact, and where its [CLS] token is."""

    tokens: Matrix
    classification: Matrix
    classification_row: int | None = None
    """Row of ``tokens`` that is the [CLS] token itself, where it is one of them."""


Reference = Callable[[Sample], float]
