"""Wave: each block carries on a part of the step that the block before it made."""

from oversmooth.core.papers import Paper
from oversmooth.mitigations.parameters import number
from oversmooth.mitigations.registry import Mitigation, mitigation
from oversmooth.mitigations.sites import Sites, StatesPlace, Tensor

ORDER = 230


@mitigation(
    name="wave",
    title="Wave (light form)",
    formula=r"X_{l+1} \leftarrow X_{l+1} + \lambda\,(X_l - X_{l-1})",
    paper=Paper("Noguchi & Kawahara", 2025, "Wavy Transformer", "https://arxiv.org/abs/2508.12787"),
    meant="training",
    causal_safe=True,
    position="output of every block from the second on",
    paper_position="inside attention, with a velocity that is carried beside the states",
    does="Adds to the output of each block a part of the step that the block before it made.",
    caveat="A light form: its paper trains attention, MLP and norms for second-order dynamics from the start.",
)
class Wave(Mitigation):
    """Noguchi & Kawahara 2025, reduced to a momentum term between blocks."""

    strength: float = number(0.05, "Share λ of the step before that is added.", low=-1, high=1, neutral=0.0)

    def attach(self, sites: Sites) -> None:
        """Act on the output of the chosen blocks, but the first; the ones before them are watched."""
        chosen = {layer for layer in sites.layers() if layer > 0}
        for layer in sorted(chosen | {layer - 1 for layer in chosen}):
            sites.block(layer, self._carry_on if layer in chosen else self._watch)

    def _watch(self, states: Tensor, place: StatesPlace) -> Tensor:
        place.memory[self, place.sequence] = place.entered
        return states

    def _carry_on(self, states: Tensor, place: StatesPlace) -> Tensor:
        before: Tensor = place.memory[self, place.sequence]
        self._watch(states, place)
        return states + self.strength * (place.entered - before)
