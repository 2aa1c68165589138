"""One text, one model: how alike its tokens grow from layer to layer."""

from oversmooth.dashboard.measure import page

page.draw()
