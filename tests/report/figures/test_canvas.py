from __future__ import annotations

import subprocess
import sys

_AT_ONCE = """
import threading, time
from plotly import validator_cache
from oversmooth.report.figures.canvas import Canvas
from oversmooth.report.figures.theme import LIGHT

class Slow:
    def __init__(self, module): self.module = module
    def __getattr__(self, name):
        time.sleep(0.0005)
        return getattr(self.module, name)

validator_cache.basevalidators = Slow(validator_cache.basevalidators)
barrier = threading.Barrier(8)

def draw(number):
    barrier.wait(timeout=30)
    axes = {f"{side}axis{'' if n == 1 else n}": {"title": {"text": "t"}} for n in range(1, number + 1) for side in "xy"}
    figure = Canvas(LIGHT, axes=axes).figure(300)
    print(*[name for name in axes if figure.layout[name].plotly_name != name])

threads = [threading.Thread(target=draw, args=(number,)) for number in range(1, 9)]
for each in threads: each.start()
for each in threads: each.join()
"""


def test_figures_that_several_threads_draw_first_have_their_own_axes() -> None:
    done = subprocess.run([sys.executable, "-c", _AT_ONCE], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == []
    assert len(done.stdout.splitlines()) == 8
