"""The values of the first block, kept for the later ones of the same pass."""

from oversmooth.core.errors import MitigationError
from oversmooth.mitigations.registry import Mitigation
from oversmooth.mitigations.sites import AttentionPlace, Sites, Tensor


def keep(method: Mitigation, sites: Sites) -> None:
    """Have the values of the first block kept in every pass, for :func:`difference`, where they can be reached."""

    def remember(values: Tensor, place: AttentionPlace) -> Tensor:
        place.memory[method] = values
        return values

    sites.attention(0, "values", remember, every_head=True)


def difference(method: Mitigation, values: Tensor, place: AttentionPlace) -> Tensor:
    """V⁰ − V: (batch, head, token, head dim); refused where the heads of this block are not those of the first."""
    first: Tensor = place.memory[method]
    if first.shape != values.shape:
        raise MitigationError(
            f"{method.declaration.name}: block {place.layer} has other heads than the first block, so their values "
            "have no difference."
        )
    return first - values
