"""The tokens of a sequence as a signal over positions: what all share (DC) and what differs (HC). X = DC + HC."""

from collections.abc import Callable

from oversmooth.mitigations.sites import BranchPlace, Tensor


def high(states: Tensor, *, causal: bool) -> Tensor:
    """HC(X) = X − 1x̄ᵀ, the tokens of one sequence, without padding, without their mean: (token, dim).

    ``causal``: take from each token the mean of the tokens up to itself, so that none sees a later one.
    """
    # Seen from the first token: tokens that are equal then give exactly 0, in any precision.
    shifted = states - states[:1]
    if not causal:
        return shifted - shifted.mean(dim=0)
    return shifted - shifted.cumsum(dim=0) / counts(states)


def counts(states: Tensor) -> Tensor:
    """How many tokens there are up to each one, itself included: (token, 1)."""
    return states.new_ones((len(states), 1)).cumsum(dim=0)


def each_sequence(branch: Tensor, place: BranchPlace, change: Callable[[Tensor], Tensor]) -> Tensor:
    """Change a branch (batch, token, dim) sequence by sequence, padding left alone."""
    changed = branch.clone()
    for number, valid in enumerate(place.valid):
        changed[number, valid] = change(branch[number, valid])
    return changed
