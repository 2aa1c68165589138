"""The web process draws the page and computes nothing."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
from streamlit.testing.v1 import AppTest
from oversmooth.service import launch
from oversmooth.service.engine.engine import close_shared_engine

page = AppTest.from_file(str(launch.script()), default_timeout=120)
for name in ("measure", "compare", "reference"):
    page.switch_page(f"pages/{name}.py").run()
    assert page.header and not page.exception and not page.error
print(sorted({"torch", "transformers"} & set(sys.modules)))
close_shared_engine()
"""


def test_it_shows_every_page_without_importing_torch() -> None:
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=180)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["[]"]
