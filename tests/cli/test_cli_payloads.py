"""Hostile words on a terminal: nothing of them is a command to it, whichever way they get there."""

from __future__ import annotations

import io
import json
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from payloads import LABELS, PAYLOADS, UNSEEN
from synthetic import comparison_of, measurement, variant

from oversmooth.cli import terminal
from oversmooth.cli.execution import Target, show
from oversmooth.cli.main import run
from oversmooth.core.progress import Progress
from oversmooth.core.tokens import visible
from oversmooth.report.export.contents import Parts

NOWHERE = Target(None, None, Parts(), force=False)
COMMANDS = [text for text in UNSEEN if any(unicodedata.category(sign) == "Cc" for sign in text)]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def assert_no_command(printed: str) -> None:
    """Lines of characters that can be seen; of joiners only those that shape their neighbours."""
    left = {sign for sign in printed if unicodedata.category(sign)[0] == "C" or sign in "\u2028\u2029"}
    assert left <= {"\n", "\u200d", "\u200c"}


@pytest.mark.parametrize("text", PAYLOADS, ids=ascii)
def test_what_is_told_holds_no_command(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    terminal.error(f"There is no model “{text}”.")
    terminal.notes([f"“{text}” is left out."])
    terminal.wrote([Path("folder") / (text.replace("\0", "") or "x")])
    stream = Terminal()
    with terminal.progress_line(stream) as report:
        report(Progress("load", detail=text, variant=text))
    told = capsys.readouterr()
    for printed in (told.out, told.err, stream.getvalue().replace("\r\x1b[K", "")):
        assert_no_command(printed)
    if visible(text) == text:
        assert f"“{text}”" in told.err


def test_a_result_of_hostile_names_is_printed_without_commands(capsys: pytest.CaptureFixture[str]) -> None:
    every = " ".join(PAYLOADS)
    result = measurement(model=every)
    model = result.record.model.model_copy(update={"name": every, "identifier": every})
    result = replace(result, record=result.record.model_copy(update={"model": model, "warnings": tuple(PAYLOADS)}))
    assert show(result, NOWHERE) == 0
    sides = {label: variant(-0.01 * place) for place, label in enumerate(LABELS[:40], 1)}
    assert show(comparison_of(sides, failures=dict.fromkeys(LABELS[40:50], every)), NOWHERE) == 2
    told = capsys.readouterr()
    assert_no_command(told.out)
    assert_no_command(told.err)
    for label in LABELS[:40]:
        assert label in told.out or visible(label) != label


def test_refusals_repeat_what_was_given_without_commands(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for place, text in enumerate(COMMANDS):
        file = tmp_path / f"{place}.json"
        for settings in ({"texts": ["a b"], text: 1}, {"texts": ["a b"], "metrics": [text]}, {"model": text}):
            file.write_text(json.dumps(settings))
            assert run(["run", str(file)]) == 2
        assert run(["measure", "--text", "a b", "--metric", text]) == 2
        assert run([text]) == 2
    told = capsys.readouterr()
    assert_no_command(told.err)
    assert told.err.count("Error: ") == 5 * len(COMMANDS)
    assert "⟨U+001B⟩[31mred" in told.err
