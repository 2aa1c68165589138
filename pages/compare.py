"""A baseline beside mitigations, other models or other texts: what each changes, and what it leaves."""

from oversmooth.dashboard.compare import page

page.draw()
