"""Plant every fault, one at a time, in a copy of the tree, and count those that the tests notice.

``python -m mutants`` from ``tests``, or ``make mutants``; words as arguments take the faults in whose file one occurs.
The exit code is 0 where at least 95 % are noticed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from mutants import every_fault
from mutants.fault import ROOT, Fault

WANTED = 0.95
COPIES = 2
SECONDS = 900
"""Beyond which tests count as failed: a fault may make them wait for ever."""


def copied(folder: Path) -> Path:
    """The tree as it stands, without what git does not know."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    return folder


def passes(tree: Path, tests: str) -> bool:
    """Whether the tests pass in a copy of the tree."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests.split()]
    surroundings = os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command, cwd=tree, env=surroundings, capture_output=True, check=False, timeout=SECONDS, text=True
        )
    except subprocess.TimeoutExpired:
        return False
    if done.returncode not in (0, 1, 2):
        raise RuntimeError(f"The tests {tests} cannot be run:\n{done.stdout}{done.stderr}")
    return done.returncode == 0


def survives(tree: Path, fault: Fault) -> bool:
    """Whether the tests pass although the fault is there."""
    place = tree / fault.file
    right = place.read_text(encoding="utf-8")
    place.write_text(fault.planted(), encoding="utf-8")
    try:
        return passes(tree, fault.tests)
    finally:
        place.write_text(right, encoding="utf-8")


def tried(faults: Sequence[Fault]) -> list[Fault]:
    """The faults that survive, told as they are found."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(COPIES):
            trees.put(copied(Path(folder) / str(number)))

        def wrong_without_fault(tests: str) -> bool:
            tree = trees.get()
            try:
                return not passes(tree, tests)
            finally:
                trees.put(tree)

        def one(fault: Fault) -> bool:
            tree = trees.get()
            try:
                found = survives(tree, fault)
            finally:
                trees.put(tree)
            print(f"{'SURVIVES' if found else 'noticed '}  {fault}", flush=True)  # noqa: T201
            return found

        with ThreadPoolExecutor(COPIES) as pool:
            # A test that fails without any fault would notice everything.
            needed = sorted({fault.tests for fault in faults})
            for tests, wrong in zip(needed, pool.map(wrong_without_fault, needed), strict=True):
                if wrong:
                    raise SystemExit(f"These tests fail without a fault: {tests}")
            return [fault for fault, found in zip(faults, pool.map(one, faults), strict=True) if found]


def main(arguments: Sequence[str]) -> int:
    """Try the faults, tell what survives and why, and give back the exit code."""
    faults = [fault for fault in every_fault() if any(word in fault.file for word in arguments or [""])]
    left = tried(faults)
    noticed = len(faults) - len(left)
    print(f"{noticed} of {len(faults)} faults are noticed ({noticed / len(faults):.1%}).")  # noqa: T201
    for fault in left:
        print(f"Survives: {fault}\n  {fault.survives or 'no reason is known'}")  # noqa: T201
    return 0 if noticed >= WANTED * len(faults) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
