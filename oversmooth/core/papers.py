"""Where a definition comes from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Paper:
    """A source that metrics and mitigations cite."""

    authors: str
    year: int
    title: str
    url: str

    def cite(self) -> str:
        """``Roy & Vetterli 2007``."""
        return f"{self.authors} {self.year}"

    def whole(self) -> str:
        """``Roy & Vetterli 2007, The effective rank, https://…``."""
        return f"{self.cite()}, {self.title}, {self.url}"
