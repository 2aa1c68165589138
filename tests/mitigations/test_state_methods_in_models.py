"""Methods on hidden states inside a model: the formula at the place it is meant for, and nothing before it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from acting import Array
from reference import state_methods as reference
from reference.sample import Matrix
from tiny import TEXT, tiny

from oversmooth.measuring.mitigating import mitigated
from oversmooth.mitigations import Mitigation
from oversmooth.mitigations.all_but_the_top import AllButTheTop
from oversmooth.mitigations.contranorm import ContraNorm
from oversmooth.mitigations.dgn import DGN, centres
from oversmooth.mitigations.featscale import FeatScale
from oversmooth.mitigations.high_frequency_gain import HighFrequencyGain
from oversmooth.mitigations.noise import Noise
from oversmooth.mitigations.pairnorm import PairNorm
from oversmooth.mitigations.softdecay import SoftDecay
from oversmooth.mitigations.wave import Wave
from oversmooth.models.inputs import batch, encode
from oversmooth.models.loaded import LoadedModel
from oversmooth.models.recording import record

TEXTS = (TEXT, "the cat sat on the mat", "bread and river stone saw rain")
States = dict[str, list[Matrix]]
"""Per point, the tokens of each text without its padding."""


def states(model: LoadedModel, *methods: Mitigation) -> States:
    """At every point, of texts of different lengths that run together; without methods, with the same kernel."""
    encoded = [encode(text, model, max_tokens=64, special_tokens=True) for text in TEXTS]
    found: States = {}

    def take(point: str, values: torch.Tensor) -> None:
        rows = [row[: len(text.ids)] for row, text in zip(values, encoded, strict=True)]
        found[point] = [row.double().numpy() for row in rows]

    with mitigated(model, *methods, texts=TEXTS):
        record(model.anatomy, batch(encoded, model), take, "all")
    return found


def assert_close(actual: list[Matrix], expected: list[Matrix]) -> None:
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5 * np.abs(other).max())


def assert_unchanged_before(point: str, changed: States, base: States) -> None:
    """Bit for bit up to that point, and different from there on."""
    names = list(base)
    for name in names[: names.index(point)]:
        for one, other in zip(changed[name], base[name], strict=True):
            np.testing.assert_array_equal(one, other)
    for name in names[names.index(point) :]:
        assert not np.allclose(changed[name][0], base[name][0], atol=1e-6), name


def same_noise(tokens: Matrix, *, causal: bool) -> Matrix:
    drawn = np.random.default_rng((0, 1)).standard_normal(tokens.shape)
    noisy: Matrix = tokens + 0.1 * reference.spread(tokens, causal=causal) * drawn
    return noisy


Formula = Callable[[Matrix, bool], Array]
AT_BLOCK_1: list[tuple[Mitigation, Formula]] = [
    (SoftDecay(layers=(1,)), lambda x, _: reference.softdecay(x, -0.6, 0.2)),
    (ContraNorm(layers=(1,)), lambda x, causal: reference.contranorm(x, 0.05, 1, causal=causal)),
    (FeatScale(layers=(1,)), lambda x, causal: reference.featscale(x, -0.05, 0.05, causal=causal)),
    (HighFrequencyGain(layers=(1,)), lambda x, causal: reference.featscale(x, 0, 0.1, causal=causal)),
    (PairNorm(layers=(1,)), lambda x, _: reference.pairnorm(x, 1)),
    (Noise(layers=(1,)), lambda x, causal: same_noise(x, causal=causal)),
]
FAMILIES = ["bert", "gpt2", "gpt_neox", "albert", "xlnet"]
"""Post-norm, causal, parallel branches, one block for all layers, and tokens before sequences."""


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("method", "formula"), AT_BLOCK_1, ids=lambda each: str(each) if isinstance(each, Mitigation) else ""
)
def test_the_output_of_one_block(family: str, method: Mitigation, formula: Formula) -> None:
    model = tiny(family)
    base, changed = states(model), states(model, method)
    assert_close(changed["1"], [formula(tokens, model.anatomy.causal) for tokens in base["1"]])
    assert_unchanged_before("1", changed, base)


def test_a_method_for_every_block_acts_on_what_the_block_before_was_changed_to() -> None:
    model = tiny("bert")
    base, changed = states(model), states(model, HighFrequencyGain(gain=0.5))
    assert_unchanged_before("0", changed, base)
    after = states(model, HighFrequencyGain(gain=0.5, layers=(0, 1)))
    assert_close(changed["2"], [reference.featscale(tokens, 0, 0.5, causal=False) for tokens in after["2"]])


@pytest.mark.parametrize("family", FAMILIES)
def test_all_but_the_top_takes_the_mean_and_directions_of_all_texts(family: str) -> None:
    model = tiny(family)
    base, changed = states(model), states(model, AllButTheTop(components=2))
    sample = np.concatenate(base["2"])
    assert_close(changed["2"], [reference.all_but_the_top(tokens, sample, 2) for tokens in base["2"]])
    assert_unchanged_before("2", changed, base)


def test_dgn_is_calibrated_on_the_unchanged_model() -> None:
    model = tiny("bert")
    base = states(model)
    # The first block is changed as well, and the second is calibrated as if it were not.
    changed, first = states(model, DGN(groups=3, layers=(0, 1))), states(model, DGN(groups=3, layers=(0,)))
    sample = np.concatenate(base["1"])
    found, _ = centres(sample, 3)
    assert_close(changed["1"], [reference.dgn(tokens, sample, found, 0.005) for tokens in first["1"]])
    assert_unchanged_before("0", changed, base)


@pytest.mark.parametrize("family", FAMILIES)
def test_wave_adds_the_step_that_the_block_before_made(family: str) -> None:
    model = tiny(family)
    base, changed = states(model), states(model, Wave(strength=0.5))
    assert_unchanged_before("1", changed, base)
    step = [0.5 * (after - before) for after, before in zip(base["0"], base["embedding"], strict=True)]
    assert_close(changed["1"], [tokens + each for tokens, each in zip(base["1"], step, strict=True)])


def test_wave_in_one_block_watches_the_one_before() -> None:
    model = tiny("bert")
    base, changed = states(model), states(model, Wave(strength=0.5, layers=(0, 2)))
    assert_unchanged_before("2", changed, base)
    step = [0.5 * (after - before) for after, before in zip(base["1"], base["0"], strict=True)]
    assert_close(changed["2"], [tokens + each for tokens, each in zip(base["2"], step, strict=True)])


def test_wave_through_all_blocks_uses_the_steps_that_were_made() -> None:
    model = tiny("bert")
    changed, second = states(model, Wave(strength=0.5)), states(model, Wave(strength=0.5, layers=(1,)))
    step = [0.5 * (after - before) for after, before in zip(changed["1"], changed["0"], strict=True)]
    assert_close(changed["2"], [tokens + each for tokens, each in zip(second["2"], step, strict=True)])


def test_contranorm_where_its_paper_has_it() -> None:
    model = tiny("bert")
    base, changed = states(model), states(model, ContraNorm(scale=0.3, layers=(1,), where="paper"))
    formula = [reference.contranorm(x, 0.3, 1, causal=False) for x in base["1.attention"]]
    assert_close(changed["1.attention"], formula)
    assert_unchanged_before("1.attention", changed, base)


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_contranorm_of_what_a_norm_reads_leaves_the_stream_that_goes_past_it(family: str) -> None:
    model = tiny(family)
    base, changed = states(model), states(model, ContraNorm(scale=0.3, layers=(1,), where="paper"))
    assert_unchanged_before("1.attention_norm", changed, base)
    norm = model.anatomy.sub_layers["attention_norm"][1]
    copies = [reference.contranorm(x, 0.3, 1, causal=True) for x in base["1.attention"]]
    with torch.inference_mode():
        normed = [norm(torch.from_numpy(each).float()).double().numpy() for each in copies]
    assert_close(changed["1.attention_norm"], normed)


@pytest.mark.parametrize(
    ("family", "point"), [("bert", "2.mlp"), ("albert", "2.mlp"), ("gpt2", "2"), ("gpt_neox", "2")]
)
def test_softdecay_where_its_paper_has_it(family: str, point: str) -> None:
    model = tiny(family)
    base, changed = states(model), states(model, SoftDecay.as_in_paper())
    assert_close(changed[point], [reference.softdecay(tokens, -0.6, 1) for tokens in base[point]])
    assert_unchanged_before(point, changed, base)


@pytest.mark.parametrize("family", ["bert", "gpt2", "deberta"])
def test_featscale_where_its_paper_has_it(family: str) -> None:
    model = tiny(family)
    base, changed = states(model), states(model, FeatScale(dc=0.4, hc=-0.7, layers=(1,), where="paper"))
    expected = [
        stream + reference.featscale(added - stream, 0.4, -0.7, causal=model.anatomy.causal)
        for stream, added in zip(base["0"], base["1.attention"], strict=True)
    ]
    assert_close(changed["1.attention"], expected)
    assert_unchanged_before("1.attention", changed, base)
