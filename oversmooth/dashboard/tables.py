"""The numbers behind the charts, as tables."""

from __future__ import annotations

import pandas as pd

from oversmooth import metrics
from oversmooth.measurement import Measurement, Tokens
from oversmooth.points import tick
from oversmooth.tokens import visible


def curve_table(measurement: Measurement) -> pd.DataFrame:
    """Points in rows, metrics in columns; a missing number is an empty cell."""
    columns = {metrics.get(name).title: measurement.curve(name) for name in measurement.metrics}
    table = pd.DataFrame(columns, index=list(measurement.main_points))
    table.index = pd.Index([tick(point) for point in measurement.main_points], name="point")
    return table


def token_table(tokens: Tokens) -> pd.DataFrame:
    """One row per token, in order."""
    return pd.DataFrame(
        {
            "position": range(len(tokens.items)),
            "token": [visible(token.text) for token in tokens.items],
            "id": [token.id for token in tokens.items],
            "kind": [token.kind for token in tokens.items],
            "measured": [token.measured for token in tokens.items],
        }
    )
