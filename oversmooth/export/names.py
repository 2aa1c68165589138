"""Which files a result can have, and what they are called. Loads nothing of what makes them."""

from __future__ import annotations

import re
from typing import Final, Literal, get_args

from oversmooth import metrics as metric_registry

Format = Literal["csv", "parquet", "npz", "json"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
"""Of the numbers."""
FigureForm = Literal["pdf", "svg", "png", "html", "latex", "pgfplots"]
FIGURE_FORMS: Final[tuple[FigureForm, ...]] = get_args(FigureForm)
"""Of the figures."""

TABLES: Final = ("curves", "spectra", "outputs", "deltas")
ARRAYS: Final = "arrays.npz"
DOCUMENT: Final = "data.json"
SETTINGS: Final = "settings.json"
RECORD: Final = "record.json"
FILES: Final = (
    *(f"{name}.{form}" for form in ("csv", "parquet") for name in TABLES),
    ARRAYS,
    DOCUMENT,
    SETTINGS,
    RECORD,
)
"""Everything but the figures."""

IMAGES: Final = "figures"
LATEX: Final = "latex"
PGFPLOTS: Final = "pgfplots"
FOLDERS: Final = (IMAGES, LATEX, PGFPLOTS)
SNIPPETS: Final = f"{LATEX}/figures.tex"
_OF_A_FIGURE: Final = re.compile(
    rf"({IMAGES}|{PGFPLOTS})/(({'|'.join((*metric_registry.names(), *metric_registry.fidelity_names()))})(_delta)?"
    r"|(similarity|difference|spectrum|spectra|plane)_[a-z0-9_]+)\.(pdf|svg|png|html|tex|csv)"
)


def belongs(path: str) -> bool:
    """Whether a result can have a file of that path: any other is the user's own."""
    return path in FILES or path == SNIPPETS or _OF_A_FIGURE.fullmatch(path) is not None
