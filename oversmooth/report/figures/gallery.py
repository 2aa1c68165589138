"""Every figure that a result has, by a name that can be that of a file; what is exported is taken from here."""

from __future__ import annotations

from collections.abc import Sequence

from oversmooth.report.figures.choosing import chosen_metric, chosen_point, metrics_of
from oversmooth.report.figures.registry import Asked, Drawable, drawables
from oversmooth.report.figures.theme import LIGHT, Theme
from oversmooth.results.comparison import Comparison
from oversmooth.results.measurement import Measurement


def figures_of(
    result: Measurement | Comparison,
    *,
    theme: Theme = LIGHT,
    point: str | None = None,
    metrics: Sequence[str] | None = None,
    lines: bool = False,
) -> dict[str, Drawable]:
    """The figures that a result has, in the order of the pages; nothing is drawn before :attr:`Drawable.build`.

    What was not measured is left out; what was measured without a value is a figure that says why.

    Args:
        result: what was measured.
        theme: colours.
        point: where maps, spectra and the plane are read; None for the last block.
        metrics: of the curves; None for all that were measured.
        lines: whether curves of a measurement of several texts have a thin line for each.

    Returns:
        Figures by names that are file names everywhere, as their declarations give them: ``token_cosine``,
        ``similarity_5``, ``spectrum_5_centred``, with an explanation ``branch_gains``; of a comparison
        ``token_cosine_delta``, ``similarity_5_baseline``, ``difference_5_1_gfsa_weight_0_1``, ``spectra_5``,
        ``plane_5``. The number before a label is the variant's place.

    Raises:
        SettingsError: where the result has no such point or metric.
    """
    place = chosen_point(result, -1 if point is None else point)
    chosen = metrics_of(result) if metrics is None else tuple(chosen_metric(result, name) for name in metrics)
    asked = Asked(place, tuple(chosen), lines)
    return drawables(result, asked, theme)
