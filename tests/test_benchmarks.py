"""The benchmarks run and print every row; what they print is not judged here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_overhead_prints_every_row() -> None:
    done = subprocess.run(
        [sys.executable, "benchmarks/overhead.py", "--quick"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split("|")[1:-1] for line in done.stdout.splitlines() if re.match(r"\| [^|]*\d", line)]
    cells = [[cell.strip() for cell in row] for row in rows]
    timed = [row for row in cells if len(row) == 7]
    assert [row[:2] for row in timed] == [
        ["all-MiniLM-L6-v2", "16"],
        ["all-MiniLM-L6-v2", "32"],
        ["random BERT, 12 × 768", "16"],
    ]
    numbers = re.compile(r"\d+\.\d+ / \d+\.\d+")
    assert all(numbers.search(cell) for row in timed for cell in row[2:])
    assert [row[0] for row in cells if len(row) == 5] == ["2", "4", "4 − 2"]
