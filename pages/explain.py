"""Where and why a model smooths, and whether it is over-smoothing at all."""

from oversmooth.dashboard.controls import address, limits_note, settings_file, sidebar
from oversmooth.dashboard.explain import page as explain
from oversmooth.dashboard.explain import toy as explain_toy
from oversmooth.dashboard.running.waiting import await_measurement

settings_file.follow("explain")
address.open_link("explain")
settings = sidebar.explain_sidebar()
settings_file.uploader()
limits_note.limits_note()
address.write(settings)
measurement = await_measurement(settings)
if measurement is not None:
    explain.show(measurement)
explain_toy.draw_toy()
