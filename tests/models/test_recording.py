"""The states that are handed on are the model's own, at the right places, and nothing else is touched."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import torch
from concurrency import at_once
from families import FAMILIES, IMAGE, LAYERS, WIDTH, build
from torch import Tensor, nn
from torch.nn.functional import gelu
from torch.testing import assert_close

from oversmooth.core.errors import CancelledError, ModelError
from oversmooth.core.points import PointSet
from oversmooth.models.anatomy import Anatomy, dissect
from oversmooth.models.recording import expected_points, record

Inputs = dict[str, Tensor]
Recorded = dict[str, Tensor]

PRE_NORM = {name for name, family in FAMILIES.items() if family.sub_layers and "mlp" not in family.sub_layers}
"""Or with norms on their branches alone."""
POST_NORM = {name for name, family in FAMILIES.items() if "mlp" in family.sub_layers}

BRANCHES = {name: family.branches for name, family in FAMILIES.items() if family.branches}


@cache
def anatomy_of(name: str) -> Anatomy:
    return dissect(build(name))


def inputs_of(name: str, texts: int = 2, tokens: int = 7) -> Inputs:
    draw = torch.Generator().manual_seed(1)
    if FAMILIES[name].image:
        size = IMAGE["image_size"]
        return {"pixel_values": torch.randn(texts, 3, size, size, generator=draw)}
    ids = torch.randint(5, 99, (texts, tokens), generator=draw)
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def recorded(anatomy: Anatomy, inputs: Inputs, which: PointSet = "blocks") -> Recorded:
    states: Recorded = {}

    def keep(point: str, arrived: Tensor) -> None:
        assert point not in states, f"{point} arrived twice"
        states[point] = arrived.clone()

    record(anatomy, inputs, keep, which)
    return states


def run(anatomy: Anatomy, inputs: Inputs, **options: Any) -> Any:
    with torch.inference_mode():
        return anatomy.network(**inputs, **options)


def hooks(network: nn.Module) -> int:
    return sum(len(each._forward_hooks) + len(each._forward_pre_hooks) for each in network.modules())


@pytest.mark.parametrize("name", FAMILIES)
class TestEveryFamily:
    @pytest.mark.parametrize("which", ["blocks", "all"])
    def test_every_expected_point_arrives_once_and_in_order(self, name: str, which: PointSet) -> None:
        family = FAMILIES[name]
        states = recorded(anatomy_of(name), inputs_of(name), which)

        inside = family.sub_layers if which == "all" else ()
        by_block = [*(f"{{}}.{part}" for part in inside), "{}"]
        end = ["final_norm"] if family.final_norm else []
        blocks = [point.format(index) for index in range(LAYERS) for point in by_block]
        assert list(states) == ["embedding", *blocks, *end]
        assert tuple(states) == expected_points(anatomy_of(name), which)

    def test_every_point_has_the_same_shape_batch_first(self, name: str) -> None:
        states = recorded(anatomy_of(name), inputs_of(name, texts=2, tokens=7), "all")
        shapes = {tuple(each.shape) for each in states.values()}
        assert len(shapes) == 1
        (shape,) = shapes
        assert shape[0] == 2
        assert shape[2] == WIDTH
        assert FAMILIES[name].image or shape[1] == 7

    def test_states_are_those_that_transformers_reports(self, name: str) -> None:
        anatomy = anatomy_of(name)
        states = recorded(anatomy, inputs_of(name))
        outputs = run(anatomy, inputs_of(name), output_hidden_states=True)

        reported = outputs.hidden_states
        assert len(reported) == LAYERS + 1
        assert torch.equal(states["embedding"], reported[0])
        same = LAYERS if FAMILIES[name].hidden_states == "all" else LAYERS - 1
        for index in range(same):
            assert torch.equal(states[str(index)], reported[index + 1]), index
        last = "final_norm" if FAMILIES[name].final_norm else str(LAYERS - 1)
        assert torch.equal(states[last], outputs.last_hidden_state)

    def test_recording_leaves_no_trace(self, name: str) -> None:
        anatomy = anatomy_of(name)
        before = {key: value.clone() for key, value in anatomy.network.state_dict().items()}
        run(anatomy, inputs_of(name), output_hidden_states=True)  # transformers attaches hooks of its own, for good.
        attached = hooks(anatomy.network)
        alone = run(anatomy, inputs_of(name)).last_hidden_state

        recorded(anatomy, inputs_of(name), "all")

        assert hooks(anatomy.network) == attached
        assert torch.equal(run(anatomy, inputs_of(name)).last_hidden_state, alone)
        after = anatomy.network.state_dict()
        assert all(torch.equal(value, after[key]) for key, value in before.items())


def after_branch(states: Recorded, index: int, branch: str) -> tuple[Tensor, Tensor] | None:
    """The stream after a branch as the sum says, and as it was recorded; None where a family lacks one of them."""
    before = states[str(index - 1)] if index else states["embedding"]
    after = states.get(f"{index}.attention")
    if branch == "mlp":
        post_norm = f"{index}.mlp" in states
        before = states.get(f"{index}.attention_norm" if post_norm else f"{index}.attention", before)
        after = states.get(f"{index}.mlp", states[str(index)])
    added = states.get(f"{index}.{branch}_branch")
    return None if added is None or after is None else (before + added, after)


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if not family.image])
def test_a_branch_is_what_is_added_to_the_stream(name: str) -> None:
    anatomy = anatomy_of(name)
    states = recorded(anatomy, inputs_of(name), "branches")
    assert tuple(point for point in states if point in expected_points(anatomy, "all")) == expected_points(
        anatomy, "all"
    )
    assert set(states) == set(expected_points(anatomy, "branches"))
    for index in range(LAYERS):
        if anatomy.parallel:
            before = states[str(index - 1)] if index else states["embedding"]
            both = states[f"{index}.attention_branch"] + states[f"{index}.mlp_branch"]
            assert torch.allclose(before + both, states[str(index)], atol=1e-5)
            continue
        pairs = {branch: after_branch(states, index, branch) for branch in ("attention", "mlp")}
        assert {branch for branch, pair in pairs.items() if pair is not None} == set(anatomy.branches)
        assert all(torch.equal(*pair) for pair in pairs.values() if pair is not None)


@pytest.mark.parametrize("name", ["gpt2", "llama", "gpt_neox", "falcon", "modernbert", "t5"])
def test_attention_reads_the_norm_before_it(name: str) -> None:
    anatomy = anatomy_of(name)
    states = recorded(anatomy, inputs_of(name), "branches")
    norm = anatomy.start_norms[1]
    with torch.inference_mode():
        assert torch.equal(norm(states["0"]), states["1.attention_read"])


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if family.final_norm])
def test_the_last_block_is_not_the_final_norm(name: str) -> None:
    states = recorded(anatomy_of(name), inputs_of(name))
    assert not torch.allclose(states[str(LAYERS - 1)], states["final_norm"], atol=1e-2)


class TestSubLayerPoints:
    """The stream after each branch: what was there before, plus what the branch's last module put out."""

    def test_every_family_with_points_inside_is_covered(self) -> None:
        assert set(BRANCHES) == PRE_NORM | POST_NORM

    @pytest.mark.parametrize("name", [name for name, (attention, _) in BRANCHES.items() if attention])
    def test_the_stream_after_attention(self, name: str) -> None:
        states, branches = with_branches(name)
        for index, before in enumerate(streams(states)):
            added = branches[index][0] * gain(name, index, "lambda_1")
            assert_close(states[f"{index}.attention"], before + added, rtol=1e-5, atol=1e-5)

    @pytest.mark.parametrize("name", sorted(PRE_NORM))
    def test_pre_norm_blocks_end_with_the_stream_after_the_mlp(self, name: str) -> None:
        states, branches = with_branches(name)
        for index in range(LAYERS):
            added = branches[index][1] * gain(name, index, "lambda_2")
            assert_close(states[str(index)], states[f"{index}.attention"] + added, rtol=1e-5, atol=1e-5)

    @pytest.mark.parametrize("name", sorted(POST_NORM))
    def test_post_norm_blocks_end_with_the_norm_of_the_stream_after_the_mlp(self, name: str) -> None:
        states, branches = with_branches(name)
        for index in range(LAYERS):
            stream = states[f"{index}.attention_norm"] + branches[index][1]
            assert_close(states[f"{index}.mlp"], stream, rtol=1e-5, atol=1e-5)
            assert not torch.allclose(states[f"{index}.mlp"], states[str(index)], atol=1e-2)

    @pytest.mark.parametrize(
        ("name", "mlp"),
        [("bert", "intermediate"), ("distilbert", "ffn"), ("gpt2", "mlp"), ("llama", "mlp"), ("xlnet", "ff")],
    )
    def test_the_mlp_reads_the_attention_norm(self, name: str, mlp: str) -> None:
        anatomy = anatomy_of(name)
        read: list[Tensor] = []
        handles = [
            block.get_submodule(mlp).register_forward_pre_hook(lambda _, given: read.append(given[0].clone()))
            for block in anatomy.blocks
        ]
        states = recorded(anatomy, inputs_of(name), "all")
        for handle in handles:
            handle.remove()
        for index in range(LAYERS):
            expected = states[f"{index}.attention_norm"]
            assert torch.equal(read[index].transpose(0, 1) if name == "xlnet" else read[index], expected)


def gain(name: str, index: int, which: str) -> Tensor | float:
    """BEiT scales each branch by a bare parameter before it is added."""
    return getattr(anatomy_of(name).blocks[index], which).detach() if name == "beit" else 1.0


def streams(states: Recorded) -> Iterator[Tensor]:
    """What each block reads."""
    yield states["embedding"]
    yield from (states[str(index)] for index in range(LAYERS - 1))


@cache
def with_branches(name: str) -> tuple[Recorded, list[tuple[Tensor, Tensor]]]:
    """All points, and what the last module of both branches put out, block by block."""
    anatomy = anatomy_of(name)
    put_out: dict[int, list[Tensor]] = {0: [], 1: []}
    handles = []
    for block in dict.fromkeys(anatomy.blocks):
        for number, path in enumerate(BRANCHES[name]):
            module = block.get_submodule(path)
            handles.append(
                module.register_forward_hook(lambda _, __, output, number=number: put_out[number].append(output))
            )
    states = recorded(anatomy, inputs_of(name), "all")
    for handle in handles:
        handle.remove()
    shape = states["embedding"].shape

    def laid_out(output: Any) -> Tensor:
        tensor: Tensor = output[0] if isinstance(output, tuple) else output
        return tensor.transpose(0, 1) if anatomy.time_first else tensor.reshape(shape)

    return states, [(laid_out(first), laid_out(second)) for first, second in zip(put_out[0], put_out[1], strict=True)]


def attend(query: Tensor, key: Tensor, value: Tensor, heads: int, *, causal: bool = False) -> Tensor:
    """Softmax attention, written out (batch, token, dim)."""

    def split(states: Tensor) -> Tensor:
        return states.view(*states.shape[:2], heads, -1).transpose(1, 2)

    scores = split(query) @ split(key).transpose(-1, -2) / (query.shape[-1] / heads) ** 0.5
    if causal:
        future = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        scores = scores.masked_fill(future, -torch.inf)
    mixed: Tensor = (scores.softmax(-1) @ split(value)).transpose(1, 2).flatten(-2)
    return mixed


def close(actual: Tensor, expected: Tensor) -> None:
    assert_close(actual, expected, rtol=1e-5, atol=1e-5)


class TestByHand:
    """Blocks computed again from their weights, starting from the recorded embedding alone."""

    @pytest.fixture(autouse=True)
    def _without_gradients(self) -> Iterator[None]:
        with torch.inference_mode():
            yield

    def test_bert(self) -> None:
        anatomy = anatomy_of("bert")
        states = recorded(anatomy, inputs_of("bert"), "all")
        stream = states["embedding"]
        for index, block in enumerate(anatomy.blocks):
            part: Any = block
            own = part.attention.self
            mixed = attend(own.query(stream), own.key(stream), own.value(stream), heads=4)
            after_attention = stream + part.attention.output.dense(mixed)
            normed = part.attention.output.LayerNorm(after_attention)
            after_mlp = normed + part.output.dense(gelu(part.intermediate.dense(normed)))
            stream = part.output.LayerNorm(after_mlp)
            close(states[f"{index}.attention"], after_attention)
            close(states[f"{index}.attention_norm"], normed)
            close(states[f"{index}.mlp"], after_mlp)
            close(states[str(index)], stream)

    def test_albert_runs_one_block_again_and_again(self) -> None:
        anatomy = anatomy_of("albert")
        states = recorded(anatomy, inputs_of("albert"), "all")
        part: Any = anatomy.blocks[0].get_submodule("albert_layers.0")
        own = part.attention
        stream = states["embedding"]
        for index in range(LAYERS):
            mixed = attend(own.query(stream), own.key(stream), own.value(stream), heads=4)
            after_attention = stream + own.dense(mixed)
            normed = own.LayerNorm(after_attention)
            after_mlp = normed + part.ffn_output(gelu(part.ffn(normed), approximate="tanh"))
            stream = part.full_layer_layer_norm(after_mlp)
            close(states[f"{index}.attention"], after_attention)
            close(states[f"{index}.attention_norm"], normed)
            close(states[f"{index}.mlp"], after_mlp)
            close(states[str(index)], stream)

    def test_gpt2(self) -> None:
        anatomy = anatomy_of("gpt2")
        states = recorded(anatomy, inputs_of("gpt2"), "all")
        stream = states["embedding"]
        for index, block in enumerate(anatomy.blocks):
            part: Any = block
            query, key, value = part.attn.c_attn(part.ln_1(stream)).chunk(3, dim=-1)
            after_attention = stream + part.attn.c_proj(attend(query, key, value, heads=4, causal=True))
            normed = part.ln_2(after_attention)
            stream = after_attention + part.mlp.c_proj(gelu(part.mlp.c_fc(normed), approximate="tanh"))
            close(states[f"{index}.attention"], after_attention)
            close(states[f"{index}.attention_norm"], normed)
            close(states[str(index)], stream)
        final: Any = anatomy.network
        close(states["final_norm"], final.ln_f(stream))

    def test_llama(self) -> None:
        anatomy = anatomy_of("llama")
        states = recorded(anatomy, inputs_of("llama"), "all")
        stream = states["embedding"]
        network: Any = anatomy.network
        turns = network.rotary_emb(stream, torch.arange(stream.shape[1])[None])
        for index, block in enumerate(anatomy.blocks):
            part: Any = block
            attended, _ = part.self_attn(part.input_layernorm(stream), position_embeddings=turns, attention_mask=None)
            after_attention = stream + attended
            normed = part.post_attention_layernorm(after_attention)
            own = part.mlp
            gated = torch.nn.functional.silu(own.gate_proj(normed)) * own.up_proj(normed)
            stream = after_attention + own.down_proj(gated)
            close(states[f"{index}.attention"], after_attention)
            close(states[f"{index}.attention_norm"], normed)
            close(states[str(index)], stream)
        close(states["final_norm"], network.norm(stream))

    def test_t5_encoder(self) -> None:
        anatomy = anatomy_of("t5")
        states = recorded(anatomy, inputs_of("t5"), "all")
        bias: Tensor | None = None
        stream = states["embedding"]
        for index, block in enumerate(anatomy.blocks):
            part: Any = block
            own, mlp = part.layer[0], part.layer[1]
            # The first block computes the bias of relative positions, which all share.
            attended, *rest = own.SelfAttention(own.layer_norm(stream), position_bias=bias)
            bias = rest[0] if bias is None else bias
            after_attention = stream + attended
            normed = mlp.layer_norm(after_attention)
            stream = after_attention + mlp.DenseReluDense.wo(torch.relu(mlp.DenseReluDense.wi(normed)))
            close(states[f"{index}.attention"], after_attention)
            close(states[f"{index}.attention_norm"], normed)
            close(states[str(index)], stream)


class TestConsumer:
    @pytest.mark.parametrize("name", ["bert", "albert", "gpt2", "t5", "xlnet"])
    def test_no_hook_is_left_when_the_consumer_stops_the_pass(self, name: str) -> None:
        anatomy = dissect(build(name))
        assert hooks(anatomy.network) == 0
        arrived = []

        def stop(point: str, states: Tensor) -> None:
            arrived.append(point)
            if point == "1":
                raise CancelledError("enough")

        with pytest.raises(CancelledError, match="enough"):
            record(anatomy, inputs_of(name), stop)

        assert arrived == ["embedding", "0", "1"]
        assert hooks(anatomy.network) == 0
        states = recorded(anatomy, inputs_of(name))
        assert tuple(states) == expected_points(anatomy, "blocks")

    def test_a_network_that_passes_by_its_blocks_is_told(self) -> None:
        anatomy = dissect(build("bert"))
        encoder: Any = anatomy.network.get_submodule("encoder")
        encoder.layer = encoder.layer[:2]
        with pytest.raises(ModelError, match="This bert network ran 2 of its 3 blocks"):
            record(anatomy, inputs_of("bert"), lambda point, states: None)

    @pytest.mark.parametrize("name", ["bert", "gpt2", "llama", "t5"])
    def test_nothing_is_kept(self, name: str) -> None:
        """Every tensor of a point is gone two points later, so memory does not grow with depth."""
        alive: dict[str, weakref.ref[Tensor]] = {}

        def forget(point: str, states: Tensor) -> None:
            # The tensor that was handed on may be a view; its base holds the memory.
            alive[point] = weakref.ref(states if states._base is None else states._base)
            held = [each for each, reference in alive.items() if reference() is not None]
            assert len(held) <= 2, held

        record(anatomy_of(name), inputs_of(name), forget)
        assert [point for point, reference in alive.items() if reference() is not None] == []

    def test_peak_memory_does_not_grow_with_depth(self) -> None:
        tokens, width = 256, 64
        growth = peak_bytes(24, tokens, width) - peak_bytes(6, tokens, width)
        assert growth <= 2 * tokens * width * 4


def peak_bytes(layers: int, tokens: int, width: int) -> int:
    """Most bytes that tensors held at once during a recorded pass, over what they held before."""
    from torch.profiler import ProfilerActivity, profile
    from transformers import BertConfig, BertModel

    config = BertConfig(
        hidden_size=width, num_hidden_layers=layers, num_attention_heads=4, intermediate_size=64, vocab_size=99
    )
    network = BertModel(config)
    network.train(False)
    anatomy = dissect(network)
    ids = torch.full((1, tokens), 7)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        record(anatomy, {"input_ids": ids, "attention_mask": torch.ones_like(ids)}, lambda point, states: None)
    held = peak = 0
    for event in profiler.profiler.kineto_results.events():
        if event.name() == "[memory]":
            held += event.nbytes()
            peak = max(peak, held)
    assert peak > tokens * width * 4
    return peak


def test_two_threads_on_one_model_get_their_own_states() -> None:
    anatomy = anatomy_of("bert")
    lock = threading.RLock()
    lengths = (5, 9)
    alone = {tokens: recorded(anatomy, inputs_of("bert", tokens=tokens)) for tokens in lengths}
    wrong: list[str] = []

    def work(tokens: int) -> None:
        for _ in range(20):
            with lock:
                states = recorded(anatomy, inputs_of("bert", tokens=tokens))
            if not all(torch.equal(states[point], alone[tokens][point]) for point in states):
                wrong.append(f"{tokens} tokens")

    at_once(work, lengths)
    assert wrong == []
