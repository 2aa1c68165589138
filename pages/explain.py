"""Where and why a model smooths, and whether it is over-smoothing at all."""

from oversmooth.dashboard.explain import page

page.draw()
