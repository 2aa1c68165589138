"""The figures of a result as files: images, LaTeX around them, and pgfplots drawings of curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from oversmooth.core.progress import Progress, Report, silent
from oversmooth.report.export.formats import IMAGES, ToWrite, figure_formats, folders
from oversmooth.report.export.images import image

if TYPE_CHECKING:
    from oversmooth.report.figures.registry import Drawable
    from oversmooth.report.paper.presets import Preset
    from oversmooth.results.comparison import Comparison
    from oversmooth.results.measurement import Measurement


def drawings(
    result: Measurement | Comparison,
    figures: Mapping[str, Drawable],
    forms: Sequence[str],
    preset: Preset,
    *,
    dpi: int = 300,
    report: Report = silent,
) -> dict[str, bytes]:
    """Files by their path: ``figures/token_cosine.pdf``, ``latex/figures.tex``, ``pgfplots/token_cosine.tex``.

    Figures are of the light theme; ``forms`` are image formats, ``latex`` for an environment around each figure, and
    ``pgfplots`` for a drawing and a CSV file of each curve over depth. ``report`` is told of each figure before it is
    drawn.

    Raises:
        OutputError: for a figure, format or resolution that cannot be written.
    """
    record = result.record.to_json()
    found: dict[str, bytes] = {}
    chosen = [each for name, each in figure_formats().items() if name in forms]
    images = [each.name for each in chosen if each.folder == IMAGES]
    for number, (name, each) in enumerate(figures.items()):
        figure = each.build()
        for done, form in enumerate(images, number * len(images)):
            report(Progress("write", done, len(figures) * len(images), f"{name}.{form}"))
            content = image(figure, form, preset, dpi=dpi, record=record, title=each.title)
            found[f"{IMAGES}/{name}.{form}"] = content
        drawn = ToWrite(figure=figure, name=name, title=each.title, preset=preset, is_curve=each.declared.pgfplots)
        for other in chosen:
            if other.write is not None and other.folder != IMAGES:
                files = other.write(drawn)
                found |= {f"{other.folder}/{name}.{ending}": content for ending, content in files.items()}
    found |= {each.file: each.gather(result, figures, preset) for each in chosen if each.gather is not None}
    order = folders()
    return dict(sorted(found.items(), key=lambda item: order.index(item[0].partition("/")[0])))
