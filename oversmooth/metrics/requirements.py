"""What must hold of tokens for a number of them to be defined, and what is said where it does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from oversmooth.core.wording import count
from oversmooth.metrics.numerics import Array
from oversmooth.metrics.states import TokenStates


@dataclass(frozen=True, eq=False)
class Requirement:
    """One of them."""

    met: Callable[..., Array]
    """Of the states, and of a baseline where the number is one beside it: whether each text meets it (s), or all do."""
    otherwise: str | Callable[[TokenStates, int], str]
    """Why there is no number, in a clause; may be made of the states and the number of the text among them."""

    def reason(self, states: TokenStates, text: int) -> str:
        """Why one text, which does not meet it, has no number."""
        return self.otherwise if isinstance(self.otherwise, str) else self.otherwise(states, text)


def _zeros(states: TokenStates, text: int) -> str:
    zeros = int(states.xp.sum(states.xp.astype(states.norms[text, :] == 0.0, states.xp.int64)))
    return f"the cosine with a zero vector is not defined ({zeros} of {count(states.count, 'token')})"


PAIRS: Final = Requirement(lambda states: states.count > 1, "needs at least two tokens")
ENERGY: Final = Requirement(lambda states: states.energies > 0.0, "every token is the zero vector")
DIRECTIONS: Final = Requirement(lambda states: states.xp.all(states.norms > 0.0, axis=1), _zeros)
"""No token is the zero vector, which has no direction."""
CONVERGENCE: Final = Requirement(
    lambda states: ~states.xp.isnan(states.singular_values[:, 0]), "the singular value decomposition did not converge"
)
SPECTRUM: Final = (ENERGY, CONVERGENCE)
"""What numbers of the singular values need."""


def apart_from_mean(otherwise: Callable[[int, int], str]) -> Requirement:
    """No token equals the mean token; else what is said, given how many of how many tokens do."""

    def said(states: TokenStates, text: int) -> str:
        equal = states.residual_energies[text, :] == 0.0
        return otherwise(int(states.xp.sum(states.xp.astype(equal, states.xp.int64))), states.count)

    return Requirement(lambda states: states.xp.all(states.residual_energies > 0.0, axis=1), said)
