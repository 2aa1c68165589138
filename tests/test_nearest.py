"""Which tests `make check` chooses: those that a change can break, the nearest first, in the time there is."""

from __future__ import annotations

import subprocess
from pathlib import Path

from nearest import changed, fitting, steps, tracked

FILES = {
    "oversmooth/__init__.py": "",
    "oversmooth/core/words.py": "",
    "oversmooth/core/texts.py": "def read():\n    from oversmooth.core import words\n",
    "oversmooth/metrics/rank.py": "from __future__ import annotations\nfrom oversmooth.core.texts import read\n",
    "oversmooth/other.py": "",
    "oversmooth/core/packaged/list.json": "[]",
    "oversmooth/core/lists.py": "LIST = 'list.json'\n",
    "pages/page.py": "import oversmooth.metrics.rank\n",
    "app.py": "PAGE = 'pages/page.py'\n",
    "tests/helper.py": "from oversmooth.core import texts\n",
    "tests/core/test_words.py": "import oversmooth.core.words\n",
    "tests/core/test_texts.py": "import helper\n",
    "tests/core/test_lists.py": "from oversmooth.core.lists import LIST\n",
    "tests/metrics/test_rank.py": "from oversmooth.metrics import rank\n",
    "tests/test_pages.py": "APP = 'app.py'\n",
    "tests/test_other.py": "from oversmooth.other import nothing\n",
}


def repository(folder: Path) -> Path:
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    for command in (["init", "-qb", "main"], ["add", "."], ["commit", "-qm", "All"], ["switch", "-qc", "mine"]):
        git(folder, *command)
    return folder


def git(folder: Path, *arguments: str) -> None:
    person = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *person, *arguments], cwd=folder, check=True)


def reached(folder: Path, *start: str) -> dict[str, int]:
    found = steps(folder, tracked(folder), start)
    return {name: distance for name, distance in found.items() if "/test_" in name}


def test_a_change_reaches_whoever_imports_it_inside_functions_and_through_helpers_too(tmp_path: Path) -> None:
    assert reached(repository(tmp_path), "oversmooth/core/words.py") == {
        "tests/core/test_words.py": 1,
        "tests/core/test_texts.py": 3,
        "tests/metrics/test_rank.py": 3,
        "tests/test_pages.py": 5,
    }


def test_a_change_of_a_file_reaches_whoever_names_it(tmp_path: Path) -> None:
    folder = repository(tmp_path)
    assert reached(folder, "oversmooth/core/packaged/list.json") == {"tests/core/test_lists.py": 2}
    assert reached(folder, "pages/page.py") == {"tests/test_pages.py": 2}


def test_what_is_committed_changed_new_and_gone_has_changed(tmp_path: Path) -> None:
    folder = repository(tmp_path)
    (folder / "oversmooth" / "core" / "words.py").write_text("A = 1\n")
    git(folder, "commit", "-qam", "Words")
    (folder / "oversmooth" / "other.py").unlink()
    (folder / "tests" / "test_new.py").write_text("")
    assert changed(folder, "main") == {"oversmooth/core/words.py", "oversmooth/other.py", "tests/test_new.py"}
    assert reached(folder, *changed(folder, "main")).keys() >= {"tests/test_other.py", "tests/test_new.py"}


def test_the_nearest_come_first_then_those_of_the_room_then_the_quickest_while_they_fit() -> None:
    distances = {
        "oversmooth/core/words.py": 0,
        "tests/core/test_near.py": 1,
        "tests/cli/test_quick.py": 2,
        "tests/core/test_room.py": 2,
        "tests/cli/test_slow.py": 2,
        "tests/cli/test_far.py": 3,
    }
    seconds = {name: 2.0 for name in distances} | {"tests/cli/test_quick.py": 1.0, "tests/cli/test_slow.py": 50.0}
    taken, left = fitting(distances, seconds, 7.5)
    assert taken == [
        "tests/core/test_near.py", "tests/core/test_room.py", "tests/cli/test_quick.py", "tests/cli/test_far.py",
    ]  # fmt: skip
    assert left == ["tests/cli/test_slow.py"]
