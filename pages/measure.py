"""One text, one model: how alike its tokens grow from layer to layer."""

from oversmooth.dashboard.controls import address, limits_note, settings_file, sidebar
from oversmooth.dashboard.measure import page as panels
from oversmooth.dashboard.running.waiting import await_measurement

settings_file.follow("measure")
address.open_link("measure")
settings, metrics = sidebar.sidebar()
settings_file.uploader()
limits_note.limits_note()
address.write(settings)
measurement = await_measurement(settings)
if measurement is not None:
    panels.show(measurement, metrics)
