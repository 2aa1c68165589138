"""The benchmarks run and print every row; what they print is not judged here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def rows_of(name: str, numbered: str = r"\| [^|]*\d") -> list[list[str]]:
    """The cells of every row with numbers that a benchmark prints: those that begin so, with a number in the first."""
    done = subprocess.run(
        [sys.executable, f"benchmarks/{name}.py", "--quick"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split("|")[1:-1] for line in done.stdout.splitlines() if re.match(numbered, line)]
    return [[cell.strip() for cell in row] for row in rows]


def test_overhead_prints_every_row() -> None:
    cells = rows_of("overhead")
    timed = [row for row in cells if len(row) == 8]
    assert [row[:2] for row in timed] == [
        ["all-MiniLM-L6-v2", "16"],
        ["all-MiniLM-L6-v2", "32"],
        ["random BERT, 12 × 768", "16"],
    ]
    numbers = re.compile(r"\d+\.\d+ / \d+\.\d+")
    assert all(numbers.search(cell) for row in timed for cell in [*row[2:6], row[7]])
    assert all(float(row[6]) > 1 for row in timed)
    assert [row[0] for row in cells if len(row) == 5] == ["2", "4", "4 − 2"]


def test_comparison_prints_every_row() -> None:
    cells = [row for row in rows_of("comparison") if row[0].isdecimal()]
    assert [row[0] for row in cells] == ["16", "32"]
    assert all(re.search(r"\d+\.\d+ / \d+\.\d+", cell) for row in cells for cell in row[1:])


def test_attention_prints_every_row() -> None:
    cells = rows_of("attention")
    timed = [row[:2] for row in cells if len(row) == 7]
    models = ["all-MiniLM-L6-v2", "random BERT, 2 × 768"]
    assert timed == [[model, tokens] for model in models for tokens in ("16", "40")]
    assert [row[0] for row in cells if len(row) == 2] == models


def test_corpus_prints_every_row() -> None:
    cells = rows_of("corpus")
    assert [row[0] for row in cells] == ["2", "8"]
    assert all(re.search(r"\d+ / \d+", cell) for row in cells for cell in row[3:])


def test_resolution_prints_every_row() -> None:
    cells = rows_of("resolution")
    assert [row[1] for row in cells] == [family for family in ("bert", "gpt2", "llama") for _ in range(2)]
    assert all(float(row[3]) > 0 for row in cells)


def test_rivals_prints_every_row() -> None:
    cells = rows_of("rivals")
    assert [row[0] for row in cells] == ["MiniLM, 16 tokens", "MiniLM, 4 sentences", "2 × 768, 16 tokens"]
    assert all(re.match(r"\d+\.\d+ / \d+\.\d+|–", cell) for row in cells for cell in row[1:])
    assert all(re.search(r", -?\d+ MB$", cell) for cell in cells[2][1:-1])


def test_what_a_gpu_takes_is_printed_in_every_row() -> None:
    cells = rows_of("gpu")
    assert [len(row) for row in cells] == [5] * 3 + [3] * 2
    assert all(re.search(r"\d+\.\d+", cell) for row in cells[:3] for cell in row[1:4])


def test_start_up_prints_every_row() -> None:
    cells = rows_of("start_up", r"\|[^|]*\| \d")
    assert len(cells) == 12
    assert all(re.fullmatch(r"\d\.\d+ / \d\.\d+", row[1]) for row in cells)


@pytest.mark.browser
@pytest.mark.slow
def test_first_paint_prints_every_row() -> None:
    cells = rows_of("first_paint", r"\|[^|]*\| \d")
    assert [len(row) for row in cells] == [4] * 32 + [2] * 5
    assert all(re.fullmatch(r"\d+\.\d+ / \d+\.\d+", cell) for row in cells for cell in row[1:])
