"""The test files that a change can break, nearest first, as many as fit into a budget: ``python -m nearest``.

A file leads to those that it imports, for types and inside functions too, and to those that a string in it names: a
page, a document, the program. Whoever is led to a changed file, by however many steps, can break with it; nearest is
who takes the fewest. What each file takes is known from its last run here (``conftest.py`` keeps it).
"""

from __future__ import annotations

import argparse
import ast
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
KEPT: Final = ROOT / ".pytest_cache" / "seconds.json"
"""Seconds of each test file, of its last run."""
UNKNOWN: Final = 15.0
"""Seconds of a file that has not run here: somewhat more than they take on average."""
WORKERS: Final = 2
_COMMAND: Final = "oversmooth/__main__.py"
"""What a test that names the program starts."""


def kept() -> dict[str, float]:
    """Seconds of the test files that have run here."""
    found: dict[str, float] = json.loads(KEPT.read_text()) if KEPT.is_file() else {}
    return found


def tracked(root: Path) -> list[str]:
    """The files of a repository, those that git does not know yet included."""
    return _git(root, "ls-files", "--cached", "--others", "--exclude-standard").split("\n")


def changed(root: Path, base: str) -> set[str]:
    """Those that differ from where this branch left ``base``, committed or not; those that are gone too."""
    start = _git(root, "merge-base", "HEAD", base)
    since = _git(root, "diff", "--name-only", "--no-renames", start).split("\n")
    return {*since, *_git(root, "ls-files", "--others", "--exclude-standard").split("\n")} - {""}


def steps(root: Path, files: Iterable[str], start: Iterable[str]) -> dict[str, int]:
    """How many steps each file is from the nearest of ``start``; only those that are led there."""
    led_from: dict[str, set[str]] = defaultdict(set)
    known = set(files) | set(start)
    names = _names(known)
    for each in known:
        if each.endswith((".py", ".pyi")) and (root / each).is_file():
            for target in _led_to(root / each, each, known, names):
                led_from[target].add(each)
    found = dict.fromkeys(start, 0)
    waiting = list(found)
    for each in waiting:
        for nearer in sorted(led_from[each] - found.keys()):
            found[nearer] = found[each] + 1
            waiting.append(nearer)
    return found


def fitting(distances: Mapping[str, int], seconds: Mapping[str, float], budget: float) -> tuple[list[str], list[str]]:
    """The test files to run, and those that no longer fit: the nearest first, then the room, then the quickest.

    Args:
        distances: of all files that can break, and of those that have changed: 0.
        seconds: of each test file, where that is known.
        budget: seconds that all may take, one after the other.
    """
    tests = [each for each in distances if Path(each).name.startswith("test_")]
    rooms = {Path(each).parts[1] for each, steps in distances.items() if steps == 0 and "/" in each}
    taken: list[str] = []
    left: list[str] = []

    def order(test: str) -> tuple[int, bool, float]:
        return distances[test], Path(test).parts[1] not in rooms, seconds.get(test, UNKNOWN)

    for each in sorted(tests, key=order):
        needed = seconds.get(each, UNKNOWN)
        if needed <= budget:
            taken.append(each)
            budget -= needed
        else:
            left.append(each)
    return taken, left


def _names(files: Iterable[str]) -> dict[str, list[str]]:
    """Files that are no tests, by the names that a string may give them."""
    found = defaultdict(list)
    for each in files:
        if not each.startswith("tests/") and "." in Path(each).name and Path(each).stem != "__init__":
            found[Path(each).name].append(each)
    return found


def _led_to(path: Path, file: str, known: set[str], names: Mapping[str, list[str]]) -> Iterator[str]:
    roots = [Path(), Path("tests")] if file.startswith("tests/") else [Path()]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" not in node.value:
            named = names.get(Path(node.value).name, ())
            # The launcher names app.py, which would lead every module to every page.
            yield from (each for each in named if not (file.startswith("oversmooth/") and each.endswith(".py")))
            if node.value == "oversmooth" and file.startswith("tests/"):
                yield _COMMAND
        for module in _modules(node, file):
            for root in roots:
                stem = (root / module.replace(".", "/")).as_posix()
                yield from {f"{stem}.py", f"{stem}/__init__.py", f"{stem}/__init__.pyi"} & known


def _modules(node: ast.AST, file: str) -> Iterator[str]:
    """The modules that an import may load."""
    if isinstance(node, ast.Import):
        yield from (each.name for each in node.names)
    elif isinstance(node, ast.ImportFrom):
        above = Path(file).parts[: -node.level] if node.level else ()
        module = ".".join((*above, *((node.module,) if node.module else ())))
        yield module
        yield from (f"{module}.{each.name}" for each in node.names)


def _git(root: Path, *arguments: str) -> str:
    run = subprocess.run(["git", "-c", "core.quotepath=off", *arguments], cwd=root, check=True, capture_output=True)
    return run.stdout.decode().strip()


def main() -> int:
    """Run them, and say how many there are."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--since", default="main", help="a branch or commit: what has changed since is tried")
    parser.add_argument("--seconds", type=float, default=110, help="how long the tests may take")
    given = parser.parse_args()
    try:
        start = changed(ROOT, given.since)
    except subprocess.CalledProcessError as error:
        sys.exit(f"Error: git finds no changes since “{given.since}”: {error.stderr.decode().strip()}")
    taken, left = fitting(steps(ROOT, tracked(ROOT), start), kept(), WORKERS * given.seconds)
    told = f"{len(taken) + len(left)} test files can break with what has changed since {given.since}"
    print(f"{told}: the nearest {len(taken)} are run, {len(left)} are left to `make test`.", flush=True)  # noqa: T201
    if not taken:
        return 0
    options = ["--numprocesses", str(min(WORKERS, len(taken))), "--dist", "loadfile", "--no-loadscope-reorder", "-q"]
    return subprocess.run([sys.executable, "-m", "pytest", *options, *taken], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
