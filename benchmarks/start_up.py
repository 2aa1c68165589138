"""What the command line costs before it measures, and what threads cost that spin while they wait.

Run from the repository: ``python benchmarks/start_up.py``. It prints Markdown tables of processor time; see README.md
beside it.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence

COMMANDS: dict[str, Sequence[str]] = {
    "--help": ("--help",),
    "measure --help": ("measure", "--help"),
    "metrics": ("metrics",),
    "an unknown option": ("measure", "--nope"),
    "an empty text": ("measure", "--text", ""),
    "an unknown metric": ("measure", "--text", "a b", "--metric", "token_cosin"),
    "an unknown model": ("measure", "--text", "a b", "--model", "./nowhere"),
    "a wrong parameter of a method": ("compare", "--text", "a b", "--mitigation", "softdecay:alhpa=1"),
    "a settings file that is not there": ("run", "nowhere"),
    "a port that cannot be": ("app", "--port", "0"),
}
PASSES = """
import time
import {first}
import torch
from oversmooth import load
from oversmooth.models.given import DEFAULT_MODEL

network = load(DEFAULT_MODEL).network
tokens = torch.arange(1000, 1128)[None]
taken = []
with torch.inference_mode():
    for _ in range({passes}):
        begun = time.process_time()
        network(tokens)
        time.sleep(0.1)  # as analysis, or a reader, comes between two passes
        taken.append(time.process_time() - begun)
print(*taken[2:])
"""
POLICY = "OMP_WAIT_POLICY"


def spent(arguments: Sequence[str]) -> float:
    """CPU seconds of a command that ends by itself."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "oversmooth", *arguments], capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def passes(first: str, number: int) -> list[float]:
    """CPU seconds of each of several bare passes over 128 tokens.

    Args:
        first: the library that is imported first: after torch, Oversmooth can no longer say what threads do.
        number: how many.
    """
    environment = {name: value for name, value in os.environ.items() if name != POLICY}
    command = [sys.executable, "-c", PASSES.format(first=first, passes=number + 2)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return [float(each) for each in done.stdout.split()]


def both(numbers: Sequence[float], form: str) -> str:
    """Minimum and median."""
    return f"{min(numbers):{form}} / {statistics.median(numbers):{form}}"


def main() -> None:
    """Time what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="Each once.")
    repeats = 1 if parser.parse_args().quick else 20
    print("| `oversmooth …` | CPU-s |\n|---|---:|")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # nothing of the names below is there
        taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
        for _ in range(repeats):
            for name, arguments in COMMANDS.items():
                taken[name].append(spent(arguments))
        for name, numbers in taken.items():
            print(f"| {name} | {both(numbers, '.2f')} |")
        print("\n| imported first | CPU-s of a pass |\n|---|---:|")
        for first in ("torch", "oversmooth"):
            print(f"| {first} | {both(passes(first, repeats), '.3f')} |")


if __name__ == "__main__":
    main()
