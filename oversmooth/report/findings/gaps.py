"""Which numbers of a measurement are missing, where and why."""

from __future__ import annotations

from collections.abc import Sequence

from oversmooth.core.points import title
from oversmooth.core.wording import count
from oversmooth.results.measurement import Measurement


def missing(measurement: Measurement) -> list[str]:
    """A sentence for each reason and place: ``No value for token_cosine at any point: needs at least two tokens.``."""
    places: dict[tuple[str, str], list[str]] = {}
    for note in measurement.notes:
        if note.kind == "missing":
            points = places.setdefault((note.reason, note.metric), [])
            if note.point not in points:
                points.append(note.point)
    metrics: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (reason, metric), points in places.items():
        metrics.setdefault((reason, tuple(points)), []).append(metric)
    everywhere = measurement.curves.sizes["point"]
    return [
        f"No value for {', '.join(names)} at {_place(points, everywhere)}: {reason}."
        for (reason, points), names in metrics.items()
    ]


def _place(points: Sequence[str], everywhere: int) -> str:
    if len(points) == 1:
        return title(points[0])
    return "any point" if len(points) == everywhere else count(len(points), "point")
