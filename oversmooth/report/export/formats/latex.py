"""LaTeX around all figures of a result, in one file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from oversmooth.report.export.formats import IMAGES, FigureFormat, figure_format

if TYPE_CHECKING:
    from oversmooth.report.figures.registry import Drawable
    from oversmooth.report.paper.presets import Preset
    from oversmooth.results.comparison import Comparison
    from oversmooth.results.measurement import Measurement

ORDER = 50


def _environments(result: Measurement | Comparison, figures: Mapping[str, Drawable], preset: Preset) -> bytes:
    from oversmooth.report.export.latex import snippets

    return snippets(result, figures, preset, IMAGES).encode()


figure_format(
    FigureFormat(
        name="latex",
        title="LaTeX",
        folder="latex",
        gather=_environments,
        file="latex/figures.tex",
        meaning="a figure environment with a caption for each of them",
        brings=("pdf",),
        endings=(),
    )
)
