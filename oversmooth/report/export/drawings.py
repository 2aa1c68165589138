"""The figures of a result as files: images, LaTeX around them, and pgfplots drawings of curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from oversmooth.core.progress import Progress, Report, silent
from oversmooth.report.export.images import FORMS, image
from oversmooth.report.export.latex import snippets
from oversmooth.results.files.names import FOLDERS, IMAGES, PGFPLOTS, SNIPPETS, FigureForm

if TYPE_CHECKING:
    from oversmooth.report.figures.registry import Drawable
    from oversmooth.report.paper.presets import Preset
    from oversmooth.results.comparison import Comparison
    from oversmooth.results.measurement import Measurement


def drawings(
    result: Measurement | Comparison,
    figures: Mapping[str, Drawable],
    forms: Sequence[FigureForm],
    preset: Preset,
    *,
    dpi: int = 300,
    report: Report = silent,
) -> dict[str, bytes]:
    """Files by their path: ``figures/token_cosine.pdf``, ``latex/figures.tex``, ``pgfplots/token_cosine.tex``.

    Args:
        result: what was measured; images carry its record.
        figures: of the light theme, as :func:`~oversmooth.report.figures.gallery.figures_of` names them.
        forms: image formats; ``latex`` for an environment around each figure; ``pgfplots`` for a drawing and a CSV
            file of each curve over depth.
        preset: size and type.
        dpi: dots per inch of PNG.
        report: told of each figure before it is drawn.

    Raises:
        OutputError: for a figure, format or resolution that cannot be written.
    """
    record = result.record.to_json()
    found: dict[str, bytes] = {}
    images = [form for form in FORMS if form in forms]
    for number, (name, each) in enumerate(figures.items()):
        figure = each.build()
        for done, form in enumerate(images, number * len(images)):
            report(Progress("write", done, len(figures) * len(images), f"{name}.{form}"))
            content = image(figure, form, preset, dpi=dpi, record=record, title=each.title)
            found[f"{IMAGES}/{name}.{form}"] = content
        if "pgfplots" in forms and each.pgfplots:
            # Only now: it needs matplotlib, which takes a second to load.
            from oversmooth.report.export.pgfplots import pgfplots

            drawn = pgfplots(figure, preset, f"{PGFPLOTS}/{name}.csv")
            for ending, text in zip(("tex", "csv"), drawn or (), strict=False):
                found[f"{PGFPLOTS}/{name}.{ending}"] = text.encode()
    if "latex" in forms:
        found[SNIPPETS] = snippets(result, figures, preset, IMAGES).encode()
    return dict(sorted(found.items(), key=lambda item: FOLDERS.index(item[0].partition("/")[0])))
