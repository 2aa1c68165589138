"""Where and why a model smooths, and whether it is over-smoothing at all."""

from oversmooth.dashboard import controls, explain, explain_toy, limits_note, permalinks, settings_file
from oversmooth.dashboard.run import await_measurement

settings_file.follow("explain")
permalinks.open_link("explain")
settings = controls.explain_sidebar()
settings_file.uploader()
limits_note.limits_note()
permalinks.write(settings)
measurement = await_measurement(settings)
if measurement is not None:
    explain.show(measurement)
explain_toy.draw_toy()
