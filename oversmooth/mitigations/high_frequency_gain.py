"""High-frequency gain: a control that only makes larger what differs from the mean token."""

from oversmooth.mitigations.frequencies import high
from oversmooth.mitigations.parameters import number
from oversmooth.mitigations.registry import Mitigation, mitigation
from oversmooth.mitigations.sites import Sites, StatesPlace, Tensor

ORDER = 290


@mitigation(
    name="high_frequency_gain",
    title="High-frequency gain (control)",
    formula=r"X + g\,(X - \mathbf{1}\bar{x}^\top)",
    paper=None,
    meant="control",
    causal_safe=True,
    position="output of every block",
    paper_position="not from a paper",
    does="Makes what differs from the mean token larger by the factor 1 + g.",
    caveat="A control: a method that leaves no more of the model than this at equal similarity has only rescaled.",
)
class HighFrequencyGain(Mitigation):
    """The tokens' differences from their mean, larger; in a causal model from the mean of the tokens so far."""

    gain: float = number(0.1, "Added weight of what differs from the mean token.", low=-1, high=10, neutral=0.0)

    def attach(self, sites: Sites) -> None:
        """Act on the output of the chosen blocks."""
        for layer in sites.layers():
            sites.block(layer, self._amplify)

    def _amplify(self, states: Tensor, place: StatesPlace) -> Tensor:
        return states + self.gain * high(states, causal=place.causal)
