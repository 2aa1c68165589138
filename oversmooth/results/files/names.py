"""Which files a result can have, and what they are called. Loads nothing of what makes them."""

from __future__ import annotations

from typing import Final, Literal, get_args

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
ENDINGS: Final = {IMAGES: ("pdf", "svg", "png", "html"), PGFPLOTS: ("tex", "csv")}
"""Of the files of a figure, by their folder."""
