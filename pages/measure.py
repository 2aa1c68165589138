"""One text, one model: how alike its tokens grow from layer to layer."""

from oversmooth.dashboard import controls, panels
from oversmooth.dashboard.run import await_measurement

settings, metrics = controls.sidebar()
measurement = await_measurement(settings)
if measurement is not None:
    panels.show(measurement, metrics)
