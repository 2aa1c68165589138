"""Every metric and mitigation by name: formula, paper, what it tells and cannot, and a small example computed live."""

from oversmooth.dashboard.reference import page

page.draw()
