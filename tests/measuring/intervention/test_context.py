"""The model is left bit for bit as it was, whatever happens; what is attached acts where it should."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from families import FAMILIES, LAYERS, VOCABULARY, build
from tiny import loaded, tiny
from torch import Tensor, nn
from transformers import BertForMaskedLM, GPT2LMHeadModel, PreTrainedModel

from oversmooth.core.errors import CancelledError, MitigationError
from oversmooth.measuring.intervention import Intervention
from oversmooth.measuring.intervention.run import ACTIVE
from oversmooth.mitigations import Mitigation, parse
from oversmooth.mitigations.attnscale import AttnScale
from oversmooth.mitigations.pairnorm import PairNorm
from oversmooth.mitigations.sites import AttentionPlace, BranchPlace, Sites, StatesPlace
from oversmooth.models.loaded import LoadedModel
from oversmooth.models.recording import record

TEXT = [name for name, family in FAMILIES.items() if not family.image]
BOTH = "attnscale:omega=0.5+pairnorm"


def inputs(texts: int = 2, tokens: int = 7) -> dict[str, Tensor]:
    ids = torch.randint(5, VOCABULARY, (texts, tokens), generator=torch.Generator().manual_seed(1))
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def states_of(model: LoadedModel, **given: Any) -> Tensor:
    with torch.inference_mode():
        states: Tensor = model.anatomy.network(**(given or inputs())).last_hidden_state
    return states


def hooks(network: nn.Module) -> int:
    return sum(len(each._forward_hooks) + len(each._forward_pre_hooks) for each in network.modules())


@contextmanager
def untouched(model: LoadedModel) -> Iterator[None]:
    """What is inside must leave no trace."""
    kept = {key: value.clone() for key, value in model.network.state_dict().items()}
    configs = {id(each.config): each.config for each in model.network.modules() if isinstance(each, PreTrainedModel)}
    before = {key: config.to_dict() | {"kernel": config._attn_implementation} for key, config in configs.items()}
    attached, states = hooks(model.network), states_of(model)
    yield
    after = model.network.state_dict()
    assert list(after) == list(kept)
    assert all(torch.equal(value, after[key]) for key, value in kept.items())
    assert before == {key: each.to_dict() | {"kernel": each._attn_implementation} for key, each in configs.items()}
    assert hooks(model.network) == attached
    assert torch.equal(states_of(model), states)
    assert ACTIVE.get() is None
    assert model.mitigated_by == []
    assert model.lock.acquire(blocking=False)
    model.lock.release()


@pytest.mark.parametrize("name", TEXT)
def test_the_model_is_left_as_it_was(name: str) -> None:
    model = tiny(name)
    with untouched(model):
        with Intervention(model, parse(BOTH)).active():
            assert model.mitigated_by == [str(each) for each in parse(BOTH)]
            changed = states_of(model)
        assert not torch.equal(changed, states_of(model))


class BrokenError(Exception):
    pass


def interrupt(error: BaseException) -> Callable[[str, Tensor], None]:
    def consumer(point: str, _: Tensor) -> None:
        if point == "1":
            raise error

    return consumer


@pytest.mark.parametrize("name", ["bert", "albert", "llama", "t5", "deberta", "xlnet"])
@pytest.mark.parametrize("error", [BrokenError(), CancelledError("Stopped."), KeyboardInterrupt()])
def test_the_model_is_left_as_it_was_when_a_pass_is_cut_short(name: str, error: BaseException) -> None:
    model = tiny(name)
    with untouched(model):
        with pytest.raises(type(error)), Intervention(model, parse(BOTH)).active():
            record(model.anatomy, inputs(), interrupt(error))
        assert ACTIVE.get() is None


def test_a_pass_that_fails_does_not_spoil_the_next_in_the_same_block() -> None:
    model = tiny("bert")
    with Intervention(model, parse(BOTH)).active():
        expected = states_of(model)
        with pytest.raises(CancelledError):
            record(model.anatomy, inputs(), interrupt(CancelledError("Stopped.")))
        assert ACTIVE.get() is None
        assert torch.equal(states_of(model), expected)


def test_a_method_that_fails_names_itself_nowhere_and_leaves_nothing() -> None:
    class Failing(PairNorm):
        def _normalise(self, states: Tensor, _: StatesPlace) -> Tensor:
            raise BrokenError

    model = tiny("bert")
    with untouched(model), pytest.raises(BrokenError), Intervention(model, [Failing()]).active():
        states_of(model)


def test_hooks_are_taken_off_when_attaching_them_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny("bert")
    attach, calls = nn.Module.register_forward_hook, 0

    def failing(module: nn.Module, *args: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise BrokenError
        return attach(module, *args, **more)

    with untouched(model):
        with monkeypatch.context() as patch:
            patch.setattr(nn.Module, "register_forward_hook", failing)
            with pytest.raises(BrokenError), Intervention(model, parse(BOTH)).active():
                pass
        assert calls == 3


def test_a_second_intervention_on_one_model_is_refused_and_the_first_goes_on() -> None:
    model = tiny("bert")
    with untouched(model), Intervention(model, parse("attnscale")).active():
        expected = states_of(model)
        with pytest.raises(MitigationError) as told, Intervention(model, parse("pairnorm")).active():
            pass
        assert str(told.value) == ("This model is already mitigated: give all the methods to one call, in their order.")
        assert torch.equal(states_of(model), expected)


def test_two_models_can_be_mitigated_at_once() -> None:
    first, second = tiny("bert"), tiny("gpt2")
    texts = "attnscale:omega=0.5", "pairnorm"
    expected = []
    for model, text in zip((first, second), texts, strict=True):
        with Intervention(model, parse(text)).active():
            expected.append(states_of(model))
    one, other = Intervention(first, parse(texts[0])).active(), Intervention(second, parse(texts[1])).active()
    with one:
        with other:
            assert torch.equal(states_of(second), expected[1])
            assert torch.equal(states_of(first), expected[0])
        assert torch.equal(states_of(first), expected[0])


def test_both_sides_of_a_comparison_run_the_eager_kernel() -> None:
    model = tiny("bert")
    model.network.set_attn_implementation("eager")
    eager = states_of(model)
    model.network.set_attn_implementation("sdpa")
    for text in ("", "pairnorm:layers=none", "attnscale:omega=0"):
        with Intervention(model, parse(text) if text else ()).active():
            assert torch.equal(states_of(model), eager)
    assert model.network.config._attn_implementation == "sdpa"


def test_an_encoder_with_a_configuration_of_its_own_is_switched_alone() -> None:
    model = tiny("t5")
    with Intervention(model, parse("attnscale")).active():
        assert model.anatomy.network.config._attn_implementation == "oversmooth"
        assert model.network.config._attn_implementation == "sdpa"


def test_a_decoder_that_shares_the_configuration_of_the_encoder_stays_itself() -> None:
    # BART's decoder attends to the encoder through the same function.
    model = tiny("bart")
    decoder_states = torch.randn(1, 4, 32, generator=torch.Generator().manual_seed(0))
    given = {"inputs_embeds": decoder_states, "encoder_hidden_states": decoder_states[:, :3], "use_cache": False}
    decoder = model.network.get_decoder()
    model.network.set_attn_implementation("eager")
    with torch.inference_mode():
        expected = decoder(**given).last_hidden_state
    model.network.set_attn_implementation("sdpa")
    with Intervention(model, parse("attnscale:omega=-1")).active(), torch.inference_mode():
        assert torch.equal(decoder(**given).last_hidden_state, expected)


def block_method(change: Callable[[Tensor], Tensor], name: type[Mitigation]) -> Mitigation:
    """A method that does this to the output of the last block."""

    class Method(Mitigation):
        declaration = name.declaration

        def attach(self, sites: Sites) -> None:
            sites.block(LAYERS - 1, lambda states, _: change(states))

    return Method()


def test_methods_at_one_place_act_in_the_order_given() -> None:
    model = tiny("bert")
    add, double = block_method(lambda states: states + 3, PairNorm), block_method(lambda states: states * 2, AttnScale)
    alone = mitigated_states(model, "pairnorm:layers=none")
    with Intervention(model, [add, double]).active():
        torch.testing.assert_close(states_of(model), (alone + 3) * 2)
    with Intervention(model, [double, add]).active():
        torch.testing.assert_close(states_of(model), alone * 2 + 3)


def mitigated_states(model: LoadedModel, text: str, **given: Any) -> Tensor:
    with Intervention(model, parse(text)).active():
        return states_of(model, **given)


def test_only_the_chosen_layers_and_heads_are_changed() -> None:
    model = tiny("bert")
    seen: dict[str, Tensor] = {}

    def keep(into: dict[str, Tensor]) -> Callable[[str, Tensor], None]:
        return lambda point, states: into.__setitem__(point, states.clone())

    alone: dict[str, Tensor] = {}
    with Intervention(model, ()).active():
        record(model.anatomy, inputs(), keep(alone))
    with Intervention(model, parse("attnscale:omega=0.5,layers=1")).active():
        record(model.anatomy, inputs(), keep(seen))
    assert [torch.equal(seen[point], alone[point]) for point in ("embedding", "0", "1", "2")] == [
        True,
        True,
        False,
        False,
    ]

    def matrices(text: str) -> Tensor:
        with Intervention(model, parse(text)).active(), torch.inference_mode():
            attention: Tensor = model.network(**inputs(), output_attentions=True).attentions[1]
            return attention

    base, changed = matrices("attnscale:omega=0"), matrices("attnscale:omega=0.5,layers=1,heads=0/2")
    assert [torch.equal(base[:, head], changed[:, head]) for head in range(4)] == [False, True, False, True]


def test_layers_and_heads_that_are_not_there_are_refused() -> None:
    model = tiny("bert")
    with pytest.raises(MitigationError) as told:
        Intervention(model, parse("pairnorm:layers=1/3"))
    assert str(told.value) == "pairnorm: there is no block 3: they are counted from 0 to 2."
    with pytest.raises(MitigationError) as told:
        Intervention(model, parse("attnscale:heads=4"))
    assert str(told.value) == "attnscale: there are only 4 heads, counted from 0."


def test_a_pass_that_goes_by_a_place_is_refused() -> None:
    model = loaded(build("bert"))
    output = model.anatomy.blocks[1].get_submodule("attention.output")

    class Method(Mitigation):
        declaration = PairNorm.declaration

        def attach(self, sites: Sites) -> None:
            for layer in sites.layers():
                sites.before_norm(layer, "attention", lambda states, _: states)

    with Intervention(model, [Method()]).active():
        states_of(model)
        output.LayerNorm = _Bypass(output.get_submodule("LayerNorm"))
        with pytest.raises(MitigationError) as told:
            states_of(model)
    assert str(told.value) == (
        "pairnorm: the family “bert” went by 1 layer in which it should act (the first is 1), so its figures would "
        "show something else."
    )
    assert ACTIVE.get() is None


class _Bypass(nn.Module):
    """Does what a module does without calling it, so that its hooks never fire."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.work = [module]

    def forward(self, states: Tensor) -> Tensor:
        result: Tensor = self.work[0].forward(states)
        return result


def test_continuing_a_text_token_after_token_is_refused() -> None:
    for name, text in (("gpt2", "attnscale"), ("gpt2", "pairnorm"), ("bloom", "attnscale")):
        model = tiny(name)
        with untouched(model), Intervention(model, parse(text)).active(), torch.inference_mode():
            whole = model.network(**inputs(), use_cache=True)
            with pytest.raises(
                MitigationError, match="whole sequences, not on one token after another: pass use_cache"
            ):
                model.network(input_ids=torch.tensor([[7], [8]]), past_key_values=whole.past_key_values)


def test_masks_that_are_no_rows_of_tokens_are_refused() -> None:
    model = tiny("bert")
    refusal = pytest.raises(MitigationError, match="one row of 0 and 1 for each sequence")
    with untouched(model), Intervention(model, parse("pairnorm")).active():
        mask = torch.zeros(2, 1, 7, 7)
        with refusal:
            states_of(model, input_ids=inputs()["input_ids"], attention_mask=mask)


def test_a_mask_given_by_position_counts() -> None:
    model, given = tiny("bert"), inputs()
    given["attention_mask"][1, 4:] = 0
    with Intervention(model, parse("pairnorm")).active(), torch.inference_mode():
        named = model.network(**given).last_hidden_state
        by_position = model.network(given["input_ids"], given["attention_mask"]).last_hidden_state
        without = model.network(given["input_ids"]).last_hidden_state
    assert torch.equal(named, by_position)
    assert not torch.equal(named[1, :4], without[1, :4])


def test_padding_on_the_left_is_padding() -> None:
    model = tiny("llama")  # Its positions are relative.
    ids = inputs(1, 6)["input_ids"]
    left = torch.cat([torch.zeros(1, 3, dtype=torch.long), ids], dim=1)
    mask = torch.cat([torch.zeros(1, 3, dtype=torch.long), torch.ones_like(ids)], dim=1)
    for text in ("pairnorm", "attnscale:omega=0.5"):
        alone = mitigated_states(model, text, input_ids=ids, attention_mask=torch.ones_like(ids))
        beside = mitigated_states(model, text, input_ids=left, attention_mask=mask)
        torch.testing.assert_close(beside[:, 3:], alone, rtol=1e-4, atol=1e-5)


def test_a_finished_pass_keeps_nothing() -> None:
    model = tiny("bert")
    kept: list[weakref.ref[Tensor]] = []

    class Keeping(PairNorm):
        def _normalise(self, states: Tensor, place: StatesPlace) -> Tensor:
            mine = states.clone()
            place.memory[self, place.layer] = mine
            kept.append(weakref.ref(mine))
            return states

    with Intervention(model, [Keeping()]).active():
        states_of(model)
        gc.collect()
        assert len(kept) == 2 * LAYERS
        assert all(each() is None for each in kept)


def test_memory_begins_empty_in_every_pass() -> None:
    model = tiny("bert")
    sizes: list[int] = []

    class Remembering(PairNorm):
        def _normalise(self, states: Tensor, place: StatesPlace) -> Tensor:
            sizes.append(len(place.memory))
            place.memory[self, len(place.memory)] = 1
            return states

    with Intervention(model, [Remembering()]).active():
        states_of(model)
        states_of(model)
    assert sizes == [*range(2 * LAYERS)] * 2


class TestWhatAMethodIsShown:
    @pytest.mark.parametrize("name", [name for name in TEXT if "mlp" in tiny(name).anatomy.branches])
    def test_the_branches_and_their_stream_add_up(self, name: str) -> None:
        """What is added to what, against the points that are measured."""
        model = tiny(name)
        seen: dict[tuple[int, str], tuple[Tensor, BranchPlace]] = {}
        states: dict[str, Tensor] = {}

        def note(kind: str) -> Callable[[Tensor, BranchPlace], Tensor]:
            def change(branch: Tensor, place: BranchPlace) -> Tensor:
                seen[place.layer, kind] = branch, place
                return branch

            return change

        class Noting(Mitigation):
            declaration = PairNorm.declaration

            def attach(self, sites: Sites) -> None:
                for layer in sites.layers():
                    for kind in model.anatomy.branches:
                        sites.branch(layer, kind, note(kind))

        with Intervention(model, [Noting()]).active():
            record(model.anatomy, inputs(), lambda point, each: states.__setitem__(point, each.clone()), "all")
        assert len(seen) == LAYERS * len(model.anatomy.branches)
        for (layer, kind), (branch, place) in seen.items():
            entered = states["embedding"] if layer == 0 else states[str(layer - 1)]
            if kind == "attention":
                assert torch.equal(place.stream, entered)
                assert place.attention is not None
                assert place.attention.shape == (2, model.anatomy.heads, 7, 7)
                end = states.get(f"{layer}.attention")
            else:
                assert place.attention is None
                end = states.get(f"{layer}.mlp", states[str(layer)])
            if not model.anatomy.parallel:
                torch.testing.assert_close(place.stream + branch, end, rtol=1e-5, atol=1e-5)
            assert place.valid.all()
            assert place.causal == FAMILIES[name].causal

    @pytest.mark.parametrize(("name", "kind"), [("bert", "norm"), ("xlnet", "norm"), ("gpt2", "attention norm input")])
    def test_the_stream_beside_the_mlp_is_the_true_one_beside_other_changes(self, name: str, kind: str) -> None:
        """A change of a norm's output changes the stream of post-norm families, of its input never that of pre-norm."""
        model, streams = tiny(name), list[Tensor]()
        states: dict[str, Tensor] = {}

        class Changing(Mitigation):
            declaration = PairNorm.declaration

            def attach(self, sites: Sites) -> None:
                for layer in sites.layers():
                    sites.branch(layer, "mlp", self._note)
                    if kind == "norm":
                        sites.norm(layer, lambda normed, _: normed * 1.5)
                    else:
                        sites.before_norm(layer, "attention", lambda states, _: states * 1.5)

            def _note(self, branch: Tensor, place: BranchPlace) -> Tensor:
                streams.append(place.stream + branch)
                return branch

        with Intervention(model, [Changing()]).active():
            record(model.anatomy, inputs(), lambda point, each: states.__setitem__(point, each.clone()), "all")
        for layer, stream in enumerate(streams):
            torch.testing.assert_close(stream, states.get(f"{layer}.mlp", states[str(layer)]), rtol=1e-5, atol=1e-5)

    def test_sequences_come_one_by_one_without_their_padding(self) -> None:
        model, given = tiny("bert"), inputs(3, 6)
        given["attention_mask"][1, 4:] = 0
        given["attention_mask"][2, :1] = 0
        shapes: list[tuple[int, int, int]] = []

        class Noting(PairNorm):
            def _normalise(self, states: Tensor, place: StatesPlace) -> Tensor:
                assert place.entered.shape == states.shape
                shapes.append((place.layer, place.sequence, len(states)))
                return states + 1

        with Intervention(model, ()).active():
            alone = states_of(model, **given)
        with Intervention(model, [Noting(layers=(2,))]).active():
            states = states_of(model, **given)
        assert shapes == [(2, 0, 6), (2, 1, 4), (2, 2, 5)]
        valid = given["attention_mask"].bool()
        torch.testing.assert_close(states[valid], alone[valid] + 1)
        assert torch.equal(states[~valid], alone[~valid])  # Padding is left alone.

    def test_the_uniform_attention_is_over_what_may_be_seen(self) -> None:
        model, given = tiny("gpt2"), inputs()
        given["attention_mask"][1, 5:] = 0
        found: list[Tensor] = []

        class Noting(AttnScale):
            def _scale(self, attention: Tensor, place: AttentionPlace) -> Tensor:
                found.append(place.uniform.expand_as(attention))
                return attention

        with Intervention(model, [Noting(layers=(0,))]).active():
            states_of(model, **given)
        (uniform,) = found
        for row in range(7):
            expected = [1 / (row + 1) if key <= row else 0.0 for key in range(7)]
            torch.testing.assert_close(uniform[0, 0, row], torch.tensor(expected))
        torch.testing.assert_close(uniform[1, 0, 4], torch.tensor([0.2] * 5 + [0.0] * 2))


def test_a_read_out_is_made_of_the_outputs_of_all_blocks_and_changes_nothing() -> None:
    model, states = tiny("bert"), dict[str, Tensor]()
    intervention = Intervention(model, parse("fusion:mode=mean"))
    assert intervention.read_out is not None
    with pytest.raises(RuntimeError, match="no pass"):
        intervention.fused()
    with intervention.active():
        given = inputs()
        record(model.anatomy, given, lambda point, each: states.__setitem__(point, each.clone()))
        fused = intervention.fused()
    expected = sum(states[str(layer)] for layer in range(LAYERS)) / LAYERS
    torch.testing.assert_close(fused, expected)
    with Intervention(model, ()).active():
        assert torch.equal(states_of(model), states[str(LAYERS - 1)])
    with pytest.raises(RuntimeError, match="no pass"):
        intervention.fused()


@pytest.mark.parametrize("name", ["bert", "gpt2"])
def test_a_head_on_top_of_the_network_reads_the_mitigated_states(name: str) -> None:
    base: Any = build(name)
    head: Any = (BertForMaskedLM if name == "bert" else GPT2LMHeadModel)(base.config)
    setattr(head, head.base_model_prefix, base)
    head.train(False)
    model = loaded(head.base_model)
    given = inputs()
    last: list[Tensor] = []
    with Intervention(model, parse(BOTH)).active(), torch.inference_mode():
        logits = head(**given).logits
        last.append(model.network(**given).last_hidden_state)
    with torch.inference_mode():
        expected = head.cls(last[0]) if name == "bert" else head.lm_head(last[0])
        assert torch.equal(logits, expected)
        assert not torch.allclose(head(**given).logits, logits)
    assert hooks(head) == 0
