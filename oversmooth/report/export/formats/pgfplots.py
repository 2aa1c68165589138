"""Curves over depth as pgfplots drawings, each with the CSV file that it reads."""

from __future__ import annotations

from typing import Final

from oversmooth.report.export.formats import FigureFormat, ToWrite, figure_format

ORDER = 60
_FOLDER: Final = "pgfplots"


def _drawing(drawn: ToWrite) -> dict[str, bytes]:
    if not drawn.is_curve:
        return {}
    # Only now: it needs matplotlib, which takes a second to load.
    from oversmooth.report.export.pgfplots import pgfplots

    written = pgfplots(drawn.figure, drawn.preset, f"{_FOLDER}/{drawn.name}.csv")
    return {ending: text.encode() for ending, text in zip(("tex", "csv"), written or (), strict=False)}


figure_format(
    FigureFormat(
        name="pgfplots",
        title="LaTeX",
        folder=_FOLDER,
        endings=("tex", "csv"),
        write=_drawing,
        file=f"{_FOLDER}/",
        meaning="the curves as pgfplots drawings, each with the CSV file that it reads",
    )
)
