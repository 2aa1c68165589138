"""Which files a result can have, and what they are called. Loads nothing of what makes them."""

from __future__ import annotations

import re
from typing import Final, Literal, get_args

from oversmooth import metrics as metric_registry
from oversmooth.metrics.mechanisms import registry as mechanisms

Format = Literal["csv", "parquet", "npz", "json"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
"""Of the numbers."""
FigureForm = Literal["pdf", "svg", "png", "html", "latex", "pgfplots"]
FIGURE_FORMS: Final[tuple[FigureForm, ...]] = get_args(FigureForm)
"""Of the figures."""

EXPLAINED: Final = ("attention", "norms", "bound", "circuits", "dominance", "corpus", "layer_cka")
"""Tables of an explanation."""
TABLES: Final = ("curves", "means", "spectra", "outputs", "deltas", *EXPLAINED)
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
_METRICS: Final = "|".join((*metric_registry.names(), *metric_registry.fidelity_names()))
_EXPLAINED: Final = "|".join((*mechanisms.names(), "branch_gains", "dominance", "within_between"))
_OF_A_FIGURE: Final = re.compile(
    rf"({IMAGES}|{PGFPLOTS})/((waterfall_)?({_METRICS})(_delta)?|{_EXPLAINED}"
    r"|(similarity|difference|spectrum|spectra|plane|circuit_eigenvalues)_[a-z0-9_]+)\.(pdf|svg|png|html|tex|csv)"
)


def belongs(path: str) -> bool:
    """Whether a result can have a file of that path: any other is the user's own."""
    return path in FILES or path == SNIPPETS or _OF_A_FIGURE.fullmatch(path) is not None
