"""One text, one model: how alike its tokens grow from layer to layer."""

from oversmooth.dashboard import controls, limits_note, panels, permalinks, settings_file
from oversmooth.dashboard.run import await_measurement

settings_file.follow("measure")
permalinks.open_link("measure")
settings, metrics = controls.sidebar()
settings_file.uploader()
limits_note.limits_note()
permalinks.write(settings)
measurement = await_measurement(settings)
if measurement is not None:
    panels.show(measurement, metrics)
