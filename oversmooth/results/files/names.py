"""Which files a result can have, and what they are called. Loads nothing of what makes them."""

from __future__ import annotations

from typing import Final, Literal, get_args

Format = Literal["csv", "parquet", "npz", "json"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
"""Of the numbers."""
FigureForm = Literal["pdf", "svg", "png", "html", "latex", "pgfplots"]
FIGURE_FORMS: Final[tuple[FigureForm, ...]] = get_args(FigureForm)
"""Of the figures."""

ARRAYS: Final = "arrays.npz"
DOCUMENT: Final = "data.json"
SETTINGS: Final = "settings.json"
RECORD: Final = "record.json"
IMAGES: Final = "figures"
LATEX: Final = "latex"
PGFPLOTS: Final = "pgfplots"
FOLDERS: Final = (IMAGES, LATEX, PGFPLOTS)
SNIPPETS: Final = f"{LATEX}/figures.tex"
ENDINGS: Final = {IMAGES: ("pdf", "svg", "png", "html"), PGFPLOTS: ("tex", "csv")}
"""Of the files of a figure, by their folder."""
