"""What the shipped code may not say, and the oldest versions that known faults of its libraries allow."""

from __future__ import annotations

import ast
import importlib.util
import re
import tomllib
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[3]
SHIPPED = [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py")), *sorted((ROOT / "oversmooth").rglob("*.py"))]

PICKLES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
PRIVATE_PIPE = "oversmooth/service/engine/messages.py"
"""Pickles between the engine and its own workers."""
COPY_BUTTON = "oversmooth/dashboard/controls/copying.py"
"""A constant script, which the content security policy allows by its hash."""
LOADERS = {"from_pretrained", "from_config"}
SHELLS = {"os.system", "os.popen", "os.execv", "pty.spawn"}
TRAINING = {"Trainer", "Seq2SeqTrainer", "TrainingArguments", "pipeline"}

Rule = Callable[[ast.AST], bool]


def dotted(node: ast.AST) -> str:
    """A name with its attributes, as it is written."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def keywords(node: ast.AST) -> dict[str | None, ast.expr]:
    return {each.arg: each.value for each in node.keywords} if isinstance(node, ast.Call) else {}


def is_set(node: ast.AST, keyword: str) -> bool:
    """Whether a call gives the keyword anything but the constant False."""
    value = keywords(node).get(keyword)
    return value is not None and not (isinstance(value, ast.Constant) and value.value is False)


def imported(node: ast.AST) -> set[str]:
    """The modules that a statement imports, and what it imports from them, with dots."""
    if isinstance(node, ast.Import):
        return {each.name for each in node.names}
    if isinstance(node, ast.ImportFrom):
        return {str(node.module), *(f"{node.module}.{each.name}" for each in node.names)}
    return set()


def trusting(node: ast.AST) -> bool:
    """Loads by transformers without saying that foreign code is not to be run, or without staying on this machine."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in LOADERS:
        return False
    trust, local = keywords(node).get("trust_remote_code"), keywords(node).get("local_files_only")
    refuses = isinstance(trust, ast.Constant) and trust.value is False
    stays = node.func.attr == "from_config" or (isinstance(local, ast.Constant) and local.value is True)
    return not (refuses and stays)


def speaks_of(node: ast.AST, word: str) -> bool:
    names = [getattr(node, each, None) for each in ("id", "attr", "arg", "value", "name")]
    return any(isinstance(each, str) and word in each for each in names)


def unpickles(node: ast.AST) -> bool:
    pickles = any(name.split(".")[0] in PICKLES for name in imported(node))
    return pickles or is_set(node, "allow_pickle") or dotted(node).endswith((".read_pickle", ".to_pickle"))


def evaluates(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and dotted(node.func) in {"eval", "exec", "compile", "__import__"}


def trains(node: ast.AST) -> bool:
    return any(name.startswith("transformers") and name.split(".")[-1] in TRAINING for name in imported(node))


RULES: dict[str, tuple[Rule, str, set[str]]] = {
    # What is forbidden: how it is recognised, code in which it is, and the files that may.
    "loading without a refusal of foreign code": (
        trusting,
        "AutoModel.from_pretrained(folder, local_files_only=True)",
        set(),
    ),
    "trust in foreign code": (
        lambda node: is_set(node, "trust_remote_code"),
        "f(trust_remote_code=trusted)",
        set(),
    ),
    "torch.load": (  # CVE-2025-32434 and CVE-2026-24747: not even `weights_only=True` makes it safe.
        lambda node: dotted(node) in {"torch.load", "torch.jit.load"} or "torch.load" in imported(node),
        "tensors = torch.load(path, weights_only=True)",
        set(),
    ),
    "torch.hub": (lambda node: dotted(node) == "torch.hub", "torch.hub.load('a/b', 'c')", set()),
    "pickles": (unpickles, "from pickle import loads", {PRIVATE_PIPE}),
    "HTML from text": (
        lambda node: is_set(node, "unsafe_allow_html"),
        "st.markdown(text, unsafe_allow_html=True)",
        set(),
    ),
    "scripts": (
        lambda node: is_set(node, "unsafe_allow_javascript"),
        "st.html(text, unsafe_allow_javascript=True)",
        {COPY_BUTTON},
    ),
    "kernels from the hub": (  # CVE-2026-4372 ran those that a configuration named.
        lambda node: (
            speaks_of(node, "allow_all_kernels") or any(name.split(".")[0] == "kernels" for name in imported(node))
        ),
        "from kernels import get_kernel",
        set(),
    ),
    "code from text": (evaluates, "eval(text)", set()),
    "a shell": (
        lambda node: is_set(node, "shell") or dotted(node) in SHELLS,
        "subprocess.run(text, shell=True)",
        set(),
    ),
    "training": (trains, "from transformers import Trainer", set()),  # CVE-2026-1839: it unpickles random states.
}


def lines(rule: Rule, nodes: Iterable[ast.AST]) -> list[int]:
    return [getattr(node, "lineno", 0) for node in nodes if rule(node)]


@cache
def shipped() -> dict[str, tuple[ast.AST, ...]]:
    """Everything that the shipped files say, by their names."""
    trees = {str(path.relative_to(ROOT)): ast.parse(path.read_text("utf-8")) for path in SHIPPED}
    return {name: tuple(ast.walk(tree)) for name, tree in trees.items()}


@pytest.mark.parametrize("name", RULES)
def test_the_shipped_code_does_without(name: str) -> None:
    rule, example, excepted = RULES[name]
    assert lines(rule, ast.walk(ast.parse(example))), "the rule sees nothing"
    places = {file: said for file, nodes in shipped().items() if (said := lines(rule, nodes))}
    assert set(places) == excepted, places


def test_the_one_script_of_a_page_holds_nothing_from_outside() -> None:
    nodes = shipped()[COPY_BUTTON]
    (call,) = [node for node in nodes if is_set(node, "unsafe_allow_javascript")]
    assert isinstance(call, ast.Call)
    assert [dotted(argument) for argument in call.args] == ["_BUTTON"]
    assert not [node for node in nodes if isinstance(node, ast.arg)]


# Oldest versions.

FLOORS = {
    # Code of the hub was run for a key of config.json: CVE-2026-4372 (before 5.3.0); for a part of a LightGlue model:
    # CVE-2026-5241 (5.2.0). Patterns that take for ever: CVE-2025-2099, 3263, 3264, 3933, 5197, 6051, 6638, 6921.
    "transformers": "5.3.0",
    # CVE-2025-32434 and CVE-2026-24747: code and memory corruption by loading weights (before 2.10).
    "torch": "2.10.0",
    # CVE-2026-48818: network paths on Windows (before 1.1.0).
    "starlette": "1.1.0",
    # What parses strangers' uploads for Streamlit is kept busy by one: CVE-2024-53981 (before 0.0.18), CVE-2026-40347
    # (0.0.26), CVE-2026-42561 (0.0.27).
    "python-multipart": "0.0.27",
    # Memory is written beyond its bounds, or a small picture takes all of it: CVE-2026-25990 (before 12.1.1),
    # CVE-2026-55798 and CVE-2026-59197 to 59200 (12.3.0).
    "pillow": "12.3.0",
    # CVE-2023-47248: code by reading Parquet (before 14.0.1).
    "pyarrow": "14.0.1",
    # CVE-2022-35918, CVE-2024-42474: files outside of a folder that is served. CVE-2023-27494: scripts in an address.
    "streamlit": "1.37.0",
}


def required() -> dict[str, Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    texts = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    return {requirement.name.lower(): requirement for requirement in map(Requirement, texts)}


def pinned() -> dict[str, Version]:
    pairs = re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text("utf-8"), re.MULTILINE)
    return {name.lower().replace("_", "-"): Version(version) for name, version in pairs}


@pytest.mark.parametrize("library", FLOORS)
def test_no_version_with_a_known_hole_is_installed(library: str) -> None:
    floor = Version(FLOORS[library])
    assert pinned()[library] >= floor
    # Who installs Oversmooth without the pins gets none of these either.
    lowest = [Version(each.version) for each in required()[library].specifier if each.operator == ">="]
    assert lowest, f"pyproject.toml sets no floor for {library}"
    assert lowest[0] >= floor


def test_kernels_are_not_installed() -> None:
    assert importlib.util.find_spec("kernels") is None
    assert "kernels" not in required()
    assert "kernels" not in pinned()
