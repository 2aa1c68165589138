"""Skip connections, MLPs and norms taken away or scaled, against blocks computed a second time in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import transformers
from families import COMMON
from numpy_networks import TOKENS, Watched, bert, gpt2, watch
from reference.transformer import Layer, Linear, Matrix, Norm, Stack, add
from tiny import loaded, tiny
from torch import Tensor

from oversmooth.core.errors import MitigationError
from oversmooth.measuring.intervention import Intervention
from oversmooth.mitigations import parse
from oversmooth.models.loaded import LoadedModel

STACKS = {"bert": bert, "gpt2": gpt2}
SEQUENTIAL = ("bert", "albert", "gpt2", "llama", "gemma2", "t5", "opt", "deberta")
PARALLEL = ("gpt_neox", "falcon", "phi")


def replace(_: Matrix, branch: Matrix) -> Matrix:
    return branch


def pass_by(stream: Matrix, _: Matrix) -> Matrix:
    return stream


def passed(_: int, read: Matrix, __: Matrix) -> Matrix:
    return read


def scaled(weight: float) -> Any:
    return lambda stream, branch: stream + weight * branch


def expected(family: str, model: LoadedModel, seen: Watched, **changes: Any) -> Matrix:
    """Outputs of the blocks as NumPy computes them from the same embeddings."""
    stack: Stack = STACKS[family](model, **changes)
    stack.run(seen.entered[0][0].double().numpy())
    return np.stack(stack.streams[1:])


@pytest.mark.parametrize("family", STACKS)
@pytest.mark.parametrize(
    ("specification", "changes"),
    [
        ("", {}),
        ("no_skip", {"after_attention": replace, "after_mlp": replace}),
        ("no_skip:branch=attention", {"after_attention": replace}),
        ("no_skip:branch=mlp", {"after_mlp": replace}),
        ("no_mlp", {"after_mlp": pass_by}),
        ("no_norm", {"on_norm": passed}),
        ("no_skip+no_mlp", {"after_attention": replace, "after_mlp": pass_by}),
        ("no_mlp+no_skip", {"after_attention": replace, "after_mlp": pass_by}),
        ("no_mlp+no_norm+no_skip", {"after_attention": replace, "after_mlp": pass_by, "on_norm": passed}),
        ("residual_scaling:weight=0.3", {"after_attention": scaled(0.3), "after_mlp": scaled(0.3)}),
        ("residual_scaling:weight=1.7,branch=attention", {"after_attention": scaled(1.7)}),
        ("residual_scaling:weight=0,branch=mlp", {"after_mlp": pass_by}),
    ],
)
def test_whole_networks_are_those_of_numpy(family: str, specification: str, changes: dict[str, Any]) -> None:
    model = tiny(family)
    seen = watch(model, parse(specification) if specification else ())
    np.testing.assert_allclose(seen.blocks(), expected(family, model, seen, **changes), rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize(("specification", "layers"), [("no_skip:layers=1", (1,)), ("no_norm:layers=0/2", (0, 2))])
def test_only_the_chosen_layers_change(specification: str, layers: tuple[int, ...]) -> None:
    model = tiny("bert")
    plain, seen = watch(model), watch(model, specification)
    for layer in range(min(layers)):
        assert torch.equal(plain.left[layer], seen.left[layer])
    for layer in range(len(model.anatomy.blocks)):
        kept = torch.equal(seen.middle[layer], seen.entered[layer] + seen.attention[layer])
        assert kept == (layer not in layers or specification.startswith("no_norm"))


class TestNoSkip:
    @pytest.mark.parametrize("family", SEQUENTIAL)
    def test_a_branch_replaces_the_stream(self, family: str) -> None:
        seen = watch(tiny(family), "no_skip")
        for layer in range(len(seen.left)):
            torch.testing.assert_close(seen.middle[layer], seen.attention[layer], rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(seen.end[layer], seen.mlp[layer], rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize("family", PARALLEL)
    def test_parallel_branches_lose_their_one_skip_connection_once(self, family: str) -> None:
        seen = watch(tiny(family), "no_skip")
        for layer in range(len(seen.left)):
            both = seen.attention[layer] + seen.mlp[layer]
            torch.testing.assert_close(seen.left[layer], both, rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize("family", PARALLEL)
    def test_attention_alone_is_left_of_parallel_branches_without_the_mlp(self, family: str) -> None:
        for specification in ("no_skip+no_mlp", "no_mlp+no_skip"):
            seen = watch(tiny(family), specification)
            for layer in range(len(seen.left)):
                torch.testing.assert_close(seen.left[layer], seen.attention[layer], rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize("branch", ["attention", "mlp"])
    def test_one_skip_connection_of_two_cannot_be_taken_from_parallel_branches(self, branch: str) -> None:
        with pytest.raises(MitigationError) as raised:
            Intervention(tiny("gpt_neox"), parse(f"no_skip:branch={branch}"))
        assert str(raised.value) == (
            "no_skip: attention and MLP share one skip connection in the family “gpt_neox”, so leave branch=both."
        )

    def test_a_branch_that_is_not_known_is_told(self) -> None:
        with pytest.raises(MitigationError, match=r"no_skip: the attention branch cannot be told apart in .* “xlnet”"):
            Intervention(tiny("xlnet"), parse("no_skip"))
        seen = watch(tiny("xlnet"), "no_skip:branch=mlp")
        for layer in range(len(seen.left)):
            torch.testing.assert_close(seen.end[layer], seen.mlp[layer], rtol=1e-4, atol=1e-5)

    def test_it_contradicts_a_weight_of_the_same_branches(self) -> None:
        with pytest.raises(MitigationError, match="“no_skip” and “residual_scaling” contradict each other"):
            parse("no_skip+residual_scaling")


class TestNoMLP:
    @pytest.mark.parametrize("family", SEQUENTIAL)
    def test_the_stream_passes_the_mlp_by(self, family: str) -> None:
        model = tiny(family)
        seen = watch(model, "no_mlp")
        for layer in range(len(seen.left)):
            stream = seen.middle_normed[layer] if model.anatomy.post_norm else seen.middle[layer]
            assert torch.equal(seen.end[layer], stream)

    @pytest.mark.parametrize("family", PARALLEL)
    def test_attention_stays_beside_it(self, family: str) -> None:
        seen = watch(tiny(family), "no_mlp")
        for layer in range(len(seen.left)):
            torch.testing.assert_close(seen.left[layer], seen.entered[layer] + seen.attention[layer])


class TestNoNorm:
    def test_the_mlp_reads_the_stream_itself(self) -> None:
        model = tiny("llama")
        read: list[Tensor] = []
        handles = [
            block.get_submodule("mlp.gate_proj").register_forward_hook(lambda _, inputs, __: read.append(inputs[0]))
            for block in model.anatomy.blocks
        ]
        seen = watch(model, "no_norm")
        for handle in handles:
            handle.remove()
        assert all(map(torch.equal, read, seen.middle))

    def test_the_final_norm_and_those_on_a_branch_stay(self) -> None:
        model = tiny("gemma2")
        final = model.anatomy.final_norm
        assert final is not None
        outputs: list[Tensor] = []
        branch_norms = [block.get_submodule("post_attention_layernorm") for block in model.anatomy.blocks]
        calls: list[tuple[Tensor, Tensor]] = []
        handles = [module.register_forward_hook(lambda _, i, o: calls.append((i[0], o))) for module in branch_norms]
        handles.append(final.register_forward_hook(lambda _, __, output: outputs.append(output)))
        with Intervention(model, parse("no_norm")).active(), torch.inference_mode():
            found = model.anatomy.network(input_ids=TOKENS).last_hidden_state
        for handle in handles:
            handle.remove()
        assert torch.equal(found, outputs[0])
        assert not torch.allclose(calls[0][0], calls[0][1])


class TestResidualScaling:
    @pytest.mark.parametrize("family", [*SEQUENTIAL, *PARALLEL])
    def test_the_branches_are_scaled_and_nothing_else(self, family: str) -> None:
        model, weight = tiny(family), 0.4
        seen = watch(model, f"residual_scaling:weight={weight}")
        for layer in range(len(seen.left)):
            if model.anatomy.parallel:
                expected = seen.entered[layer] + weight * (seen.attention[layer] + seen.mlp[layer])
            else:
                torch.testing.assert_close(seen.middle[layer], seen.entered[layer] + weight * seen.attention[layer])
                stream = seen.middle_normed[layer] if model.anatomy.post_norm else seen.middle[layer]
                expected = stream + weight * seen.mlp[layer]
            torch.testing.assert_close(seen.end[layer], expected)

    def test_without_weight_a_pre_norm_block_gives_what_it_read(self) -> None:
        seen = watch(tiny("llama"), "residual_scaling:weight=0")
        assert all(map(torch.equal, seen.entered, seen.left))


class TestLayerNormScaling:
    @pytest.mark.parametrize("power", [0.5, 1.0])
    def test_the_network_is_that_of_numpy(self, power: float) -> None:
        model = tiny("gpt2")
        seen = watch(model, f"layernorm_scaling:power={power}")
        smaller = expected("gpt2", model, seen, on_norm=lambda layer, _, normed: normed / (layer + 1) ** power)
        np.testing.assert_allclose(seen.blocks(), smaller, rtol=2e-5, atol=2e-5)

    def test_outputs_shrink_with_the_root_of_the_layer_and_the_first_block_stays(self) -> None:
        model = tiny("llama")
        read: list[Tensor] = []
        handles = [
            block.get_submodule("mlp.gate_proj").register_forward_hook(lambda _, inputs, __: read.append(inputs[0]))
            for block in model.anatomy.blocks
        ]
        plain, seen = watch(model), watch(model, "layernorm_scaling")
        for handle in handles:
            handle.remove()
        assert torch.equal(plain.left[0], seen.left[0])
        for layer, reads in enumerate(read[len(read) // 2 :]):
            weight = model.anatomy.blocks[layer].get_parameter("post_attention_layernorm.weight").detach()
            root_mean_square = (reads / weight).square().mean(dim=-1).sqrt()
            # Not closer: the norm adds its epsilon to mean squares near 3e-4.
            torch.testing.assert_close(
                root_mean_square, torch.full_like(root_mean_square, (layer + 1) ** -0.5), rtol=0.01, atol=0
            )

    def test_the_factor_counts_from_the_first_block_whichever_are_chosen(self) -> None:
        model = tiny("gpt2")
        seen = watch(model, "layernorm_scaling:layers=2")
        third = expected(
            "gpt2", model, seen, on_norm=lambda layer, _, normed: normed / 3**0.5 if layer == 2 else normed
        )
        np.testing.assert_allclose(seen.blocks(), third, rtol=2e-5, atol=2e-5)

    @pytest.mark.parametrize("family", ["bert", "albert", "xlnet"])
    def test_norms_after_the_branches_are_refused(self, family: str) -> None:
        with pytest.raises(MitigationError, match=f"layernorm_scaling: the family “{family}” has its norms after"):
            Intervention(tiny(family), parse("layernorm_scaling"))

    def test_it_contradicts_no_norms(self) -> None:
        with pytest.raises(MitigationError, match="contradict each other"):
            parse("layernorm_scaling+no_norm")


def spread(states: Matrix) -> float:
    """‖X − 1x̄ᵀ‖ / ‖X‖: 0 where all tokens are equal."""
    return float(np.linalg.norm(states - states.mean(axis=0)) / np.linalg.norm(states))


class TestPureAttentionLosesRank:
    """Without skip connections and MLPs tokens become equal, and ever faster."""

    def test_a_random_bert_collapses_within_a_few_blocks(self) -> None:
        torch.manual_seed(0)
        config = transformers.BertConfig(**COMMON | {"num_hidden_layers": 8}, initializer_range=0.1)
        model = loaded(transformers.BertModel(config).eval())
        with_skip = [spread(states) for states in watch(model, "no_mlp+no_norm").blocks()]
        without = [spread(states) for states in watch(model, "no_skip+no_mlp+no_norm").blocks()]
        assert with_skip[-1] > 0.1
        assert without[0] < 0.5 * with_skip[0]
        assert min(without) < 1e-4 * with_skip[-1]

    def test_a_toy_stack_does_so_doubly_exponentially(self) -> None:
        # Each block cubes the distance from equality, up to a constant: log d is multiplied by 3.
        rng = np.random.default_rng(0)
        width, heads, tokens = 16, 2, 8

        def linear(scale: float) -> Linear:
            return Linear(scale * rng.standard_normal((width, width)) / np.sqrt(width), np.zeros(width))

        nothing = Linear(np.zeros((width, width)), np.zeros(width))
        norm = Norm(np.ones(width), np.zeros(width), 1e-12)
        query, key, value, output = linear(0.4), linear(0.4), linear(0.7), linear(0.7)
        layers = [Layer(query, key, value, output, nothing, nothing, norm, norm)] * 3
        sums: dict[str, Any] = {"after_attention": replace, "after_mlp": pass_by, "on_norm": passed}
        stack = Stack(layers, heads, np.abs, post_norm=True, causal=False, **sums)
        stack.run(rng.standard_normal((tokens, width)))
        residuals = [spread(states) * np.linalg.norm(states) for states in stack.streams]
        logs = np.log(residuals[1:])
        assert logs[1] / logs[0] > 2.5
        assert logs[2] / logs[1] > 2.5
        kept = Stack(layers, heads, np.abs, post_norm=True, causal=False, **sums | {"after_attention": add})
        kept.run(stack.streams[0])
        assert spread(kept.streams[-1]) > 0.1
