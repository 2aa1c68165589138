"""Curves over depth as pgfplots drawings, each with the CSV file that it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oversmooth.report.export.formats import FigureFormat, figure_format

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from oversmooth.report.paper.presets import Preset

ORDER = 60
_FOLDER: Final = "pgfplots"


def _drawing(figure: go.Figure, *, name: str, preset: Preset, is_curve: bool, **_: object) -> dict[str, bytes]:
    if not is_curve:
        return {}
    # Only now: it needs matplotlib, which takes a second to load.
    from oversmooth.report.export.pgfplots import pgfplots

    written = pgfplots(figure, preset, f"{_FOLDER}/{name}.csv")
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
