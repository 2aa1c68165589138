"""The line of progress, and how columns are set."""

from __future__ import annotations

import io
import re

import pytest
from synthetic import BASE, comparison_of, measurement

from oversmooth.cli import terminal
from oversmooth.core.progress import Progress, sentence


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_that_is_gone_afterwards() -> None:
    stream = Terminal()
    with terminal.progress_line(stream) as report:
        report(Progress("load", detail="bert-tiny"))
        report(Progress("measure", 4, 8, "3"))
        assert stream.getvalue().endswith("Measuring: block 3 (4 of 8) …")
    assert "\n" not in stream.getvalue()
    shown = re.split("\r\x1b\\[K", stream.getvalue())
    assert shown[1] == "Loading: bert-tiny …"
    assert shown[-1] == ""


def test_progress_line_is_cleared_when_the_run_fails() -> None:
    stream = Terminal()

    def run() -> None:
        with terminal.progress_line(stream) as report:
            report(Progress("measure", 1, 8, "embedding"))
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        run()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_progress_is_silent_where_nobody_watches() -> None:
    stream = io.StringIO()
    with terminal.progress_line(stream) as report:
        report(Progress("measure", 1, 8, "embedding"))
    assert stream.getvalue() == ""


def test_a_download_is_told_in_bytes() -> None:
    assert sentence(Progress("download", 45_000_000, 90_900_000, "model.safetensors")) == (
        "Downloading: model.safetensors (45.0 MB of 90.9 MB) …"
    )
    assert sentence(Progress("queue")) == "Waiting …"


def test_progress_names_the_side_of_a_comparison_and_stays_on_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    stream = Terminal()
    with terminal.progress_line(stream) as report:
        report(Progress("measure", 1, 8, "3", variant="pairnorm"))
        report(Progress("measure", 1, 8, "3", variant="neutreno:strength=0.4+attnscale:omega=0.5"))
        _, short, long = re.split("\r\x1b\\[K", stream.getvalue())
    assert short == "pairnorm: Measuring: block 3 (1 of 8) …"
    assert long == "neutreno:strength=0.4+attnscale:omega=…"


def test_columns_line_up() -> None:
    assert terminal.columns([("A", "B", "C"), ("long", "x", "and no trailing space")]) == (
        "A     B  C\nlong  x  and no trailing space"
    )


def test_the_largest_difference_keeps_its_sign() -> None:
    # Neither is that of the last block.
    sides = {"up": (1, +0.5), "down": (3, -0.25)}
    comparison = comparison_of(
        {
            label: measurement({"token_cosine": [value + change * (place == at) for place, value in enumerate(BASE)]})
            for label, (at, change) in sides.items()
        }
    )
    head, *rows = terminal.comparison_tables(comparison).splitlines()
    start, end = head.index("LARGEST DELTA"), head.index("PARTS AT")
    told = {row.split()[1]: row[start:end].strip() for row in rows if row.startswith("token_cosine")}
    assert told == {"baseline": "–", "up": "+0.500 at block 0", "down": "−0.250 at block 2"}
