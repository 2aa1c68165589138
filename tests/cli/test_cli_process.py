"""The command as a process among others: its streams closed, full or left by their reader, and Ctrl-C at any moment."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

SHOW = ["metrics", "--long"]
"""A command that tells more than a pipe holds back."""


def process(redirection: str, *options: str, arguments: list[str] = SHOW) -> subprocess.CompletedProcess[str]:
    """The command with its streams redirected by a shell, as a person does it."""
    line = ["bash", "-c", f'"$@" {redirection}', "bash", sys.executable, *options, "-m", "oversmooth", *arguments]
    return subprocess.run(line, capture_output=True, check=False, encoding="utf-8", timeout=120)


def one_sentence(told: str) -> str:
    assert told.startswith("Error: ")
    assert told.count("\n") == 1
    assert "Traceback" not in told
    return told


@pytest.mark.parametrize("options", [[], ["-u"]], ids=["buffered", "unbuffered"])
class TestStandardOutput:
    def test_that_is_full_is_told(self, options: list[str]) -> None:
        result = process(">/dev/full", *options)
        assert "No space left on device" in one_sentence(result.stderr)
        assert result.returncode == 2

    def test_that_is_closed_is_told(self, options: list[str]) -> None:
        result = process(">&-", *options)
        assert "Standard output is closed" in one_sentence(result.stderr)
        assert result.returncode == 2

    def test_whose_reader_left_is_told_with_the_exit_code_of_a_broken_pipe(self, options: list[str]) -> None:
        result = process("| true; exit ${PIPESTATUS[0]}", *options)
        assert "closed by what read it" in one_sentence(result.stderr)
        assert result.returncode == 128 + signal.SIGPIPE


@pytest.mark.parametrize("errors", ["2>&-", "2>/dev/full"])
def test_nothing_hangs_on_standard_error(errors: str) -> None:
    shown = process(errors)
    assert (shown.returncode, shown.stdout) == (0, process("").stdout)
    assert "token_cosine" in shown.stdout
    refused = process(errors, arguments=["measure", "--text", "a b", "--metric", "nothing"])
    assert (refused.returncode, refused.stdout) == (2, "")


INTERRUPTED = """
import os, signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {moment!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder())
sys.argv = ["oversmooth", "compare", "--text", "a b c", "--mitigation", "gfsa"]
from oversmooth.__main__ import main
main()
"""


class TestControlC:
    @pytest.mark.parametrize(
        "moment", ["typer", "oversmooth.cli.main", "numpy", "oversmooth.measuring.measuring", "torch"]
    )
    def test_while_libraries_are_imported_it_ends_with_a_word(self, moment: str) -> None:
        code = INTERRUPTED.format(moment=moment)
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True, timeout=120)
        assert (result.returncode, result.stdout, result.stderr) == (130, "", "Stopped.\n")

    def test_it_stays_ignored_where_it_was(self) -> None:
        code = INTERRUPTED.format(moment="oversmooth.cli.main").replace('"compare", ', '"--version"] or [')
        quiet = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n{code}"
        result = subprocess.run([sys.executable, "-c", quiet], capture_output=True, check=False, text=True, timeout=120)
        assert (result.returncode, result.stderr) == (0, "")
