"""The log: one JSON object a line when hosted, and no word that anybody but Oversmooth wrote."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import oversmooth

CANARY = "quetzal9317"

LEAKY = """
import logging, os, sys, threading, warnings
from oversmooth.service.hosting import Configuration, logs

canary = sys.argv[1]
logs.configure(Configuration.of())
import streamlit.config, streamlit.error_util, streamlit.logger, uvicorn
streamlit.config.set_option("logger.enableRich", False)

def fail():
    try:
        int(canary)
    except ValueError as error:
        raise KeyError(canary) from error

logging.getLogger("oversmooth.somewhere").info("thing happened", extra={"length": len(canary)})
try:
    fail()
except KeyError as error:
    logging.getLogger("oversmooth.somewhere").exception("thing failed")
    streamlit.error_util.handle_uncaught_app_exception(error)
streamlit.logger.get_logger("streamlit.late").warning("told %s", canary)
loud = logging.getLogger("loud")
loud.addHandler(logging.StreamHandler(sys.__stderr__))
loud.propagate = False
loud.error(canary)
logging.getLogger("quiet").info(canary)
warnings.warn(canary)
thread = threading.Thread(target=fail)
thread.start()
thread.join()
print(canary)
print(canary, file=sys.stderr)
logs.silence_file_descriptors()
os.write(1, canary.encode())
os.write(2, canary.encode())
raise RuntimeError(canary)
"""


def leak(**variables: str) -> str:
    """What a program that leaks a text in every way prints, to either stream."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OVERSMOOTH_")}
    environment |= {f"OVERSMOOTH_{name}": value for name, value in variables.items()}
    command = [sys.executable, "-c", LEAKY, CANARY]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    return result.stdout + result.stderr


@pytest.mark.slow
def test_no_text_comes_through_whatever_writes_it() -> None:
    printed = leak(PROFILE="hosted-xs")
    assert CANARY not in printed
    lines = [json.loads(line) for line in printed.splitlines()]
    assert all({"time", "level", "logger"} <= set(line) for line in lines)
    happened, failed, *rest = lines
    assert (happened["event"], happened["length"], happened["level"]) == ("thing happened", len(CANARY), "info")
    assert failed["event"] == "thing failed"
    assert [each["type"] for each in failed["exceptions"]] == ["KeyError", "ValueError"]
    assert failed["exceptions"][0]["frames"] == ["<string>:18 <module>", "<string>:14 fail"]
    told = {line["logger"]: line for line in rest}
    assert set(told) >= {
        "streamlit.error_util",
        "streamlit.late",
        "loud",
        "py.warnings",
        "uncaught",
        "oversmooth.service.hosting.logs",
    }
    assert told["loud"]["at"].startswith("<string>:")
    assert told["oversmooth.service.hosting.logs"]["event"] == "output kept from the log"
    uncaught = [line["exceptions"][0]["type"] for line in rest if line["logger"] == "uncaught"]
    assert uncaught == ["KeyError", "RuntimeError"]


@pytest.mark.slow
def test_a_person_at_a_terminal_reads_everything() -> None:
    printed = leak()
    assert "thing happened" not in printed
    assert "ERROR oversmooth.somewhere: thing failed" in printed
    assert f"KeyError: '{CANARY}'" in printed


def test_own_records_have_constant_events() -> None:
    """What stands in the event is written as it is: it is a literal, and nothing is put into it."""
    logging_calls = {"debug", "info", "warning", "error", "exception", "critical"}
    seen = 0
    for path in Path(oversmooth.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            owner = node.func.value
            if (
                node.func.attr in logging_calls
                and isinstance(owner, ast.Name)
                and owner.id.lower() in ("_log", "logger")
            ):
                seen += 1
                assert len(node.args) == 1, (path, node.lineno)
                assert isinstance(node.args[0], ast.Constant), (path, node.lineno)
    assert seen >= 5
