"""A fault that could have been written, and the tests that must notice it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Fault:
    """One place in the product, said wrongly.

    Args:
        file: below the root of the repository.
        right: what stands there, once in the file.
        wrong: what stands there with the fault.
        tests: files or folders of tests, separated by spaces, one of which must fail.
        survives: why no test can notice it; empty where one must.
    """

    file: str
    right: str
    wrong: str
    tests: str
    survives: str = ""

    def __str__(self) -> str:
        return f"{self.file}: {' '.join(self.right.split())} → {' '.join(self.wrong.split())}"

    def planted(self) -> str:
        """The file with the fault.

        Raises:
            ValueError: where what is right does not stand there once.
        """
        content = (ROOT / self.file).read_text(encoding="utf-8")
        if (found := content.count(self.right)) != 1:
            raise ValueError(f"{self.file} holds {found} times: {self.right}")
        return content.replace(self.right, self.wrong)
