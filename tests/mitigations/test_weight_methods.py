"""Methods that use a layer's own weights, against NumPy computations from the weights alone."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from families import FAMILIES
from numpy_networks import Watched, bert, gpt2, watch
from reference.transformer import Layer, Matrix, Stack
from tiny import loaded, tiny

from oversmooth.core.errors import MitigationError
from oversmooth.measuring.intervention import Intervention
from oversmooth.mitigations import parse
from oversmooth.mitigations.sites import Sites
from oversmooth.mitigations.spectral_clip import SpectralClip, clip_factors
from oversmooth.mitigations.spectral_shift import SpectralShift
from oversmooth.models import circuit
from oversmooth.models.loaded import LoadedModel

STACKS: dict[str, Callable[..., Stack]] = {"bert": bert, "gpt2": gpt2}
REACHED = ("bert", "albert", "gpt2", "llama", "gpt_neox", "t5", "gemma")
OUT_OF_REACH = [name for name, family in FAMILIES.items() if not family.attention_reachable]
METHODS = ("neutreno_reprojected", "spectral_shift", "spectral_clip")
RANGES = [(-1.0, 0.0), (0.0, 1.0), (-0.02, 0.01), (0.0, 0.0)]


def run(stack: Stack, seen: Watched) -> Matrix:
    """Outputs of the NumPy blocks from the embeddings of the watched network."""
    stack.run(seen.entered[0][0].double().numpy())
    return np.stack(stack.streams[1:])


def strong(family: str) -> LoadedModel:
    """A tiny network whose value and output weights are large enough for a change to show."""
    torch.manual_seed(1)
    model = loaded(FAMILIES[family].model(tiny(family).network.config))
    model.network.train(False)
    with torch.no_grad():
        for parts in model.anatomy.circuits:
            for module in (parts.value, parts.projection):
                module.get_parameter("weight").normal_(std=0.25)
                bias = getattr(module, "bias", None)
                if bias is not None:
                    bias.normal_(std=0.3)
    return model


class TestReprojectedNeuTRENO:
    @pytest.mark.parametrize("family", STACKS)
    @pytest.mark.parametrize("heads", [None, (0, 3)])
    def test_the_network_is_that_of_numpy(self, family: str, heads: tuple[int, ...] | None) -> None:
        model, strength = strong(family), 0.6
        chosen = "" if heads is None else ",heads=0/3"
        seen = watch(model, f"neutreno_reprojected:strength={strength}{chosen}")
        stack = STACKS[family](model)
        first = seen.entered[0][0].double().numpy()

        def mix(number: int, attention: Matrix, values: Matrix) -> Matrix:
            layer, mixed = stack.layers[number], attention @ values
            reads = first if stack.post_norm else layer.attention_norm(first)
            drawn = mixed + strength * (layer.by_head(layer.value(reads), stack.heads) - values)
            for head in range(stack.heads) if heads is None else heads:
                mixed[head] = drawn[head] if number > 0 else mixed[head]
            return mixed

        stack.mix = mix
        expected = run(stack, seen)
        np.testing.assert_allclose(seen.blocks(), expected, rtol=2e-5, atol=2e-5)
        assert not np.allclose(seen.blocks(), watch(model).blocks(), atol=1e-3)

    @pytest.mark.parametrize("family", REACHED)
    def test_the_first_block_never_changes(self, family: str) -> None:
        model = tiny(family)
        plain = watch(model)
        for specification in ("neutreno_reprojected:strength=1", "neutreno_reprojected:strength=1,layers=0"):
            assert torch.equal(watch(model, specification).left[0], plain.left[0])
        assert not torch.equal(watch(model, "neutreno_reprojected:strength=1").left[1], plain.left[1])

    @pytest.mark.parametrize("layers", ["default", "1-2"])
    def test_with_shared_weights_it_is_the_method_of_the_paper(self, layers: str) -> None:
        model = strong("albert")
        ours = watch(model, f"neutreno_reprojected:strength=0.4,layers={layers}").blocks()
        paper = watch(model, f"neutreno:strength=0.4,layers={layers}").blocks()
        np.testing.assert_array_equal(ours, paper)
        other = strong("bert")
        ours = watch(other, "neutreno_reprojected:strength=0.4").blocks()
        assert not np.allclose(ours, watch(other, "neutreno:strength=0.4").blocks(), atol=1e-3)

    def test_where_nothing_moved_the_term_vanishes(self) -> None:
        # Without branches every block of a pre-norm network reads what the first one read.
        model = tiny("llama")
        still = "residual_scaling:weight=0"
        drawn, plain = watch(model, f"neutreno_reprojected:strength=1+{still}"), watch(model, still)
        assert all(map(torch.equal, drawn.attention, plain.attention))
        moving = watch(model, "neutreno_reprojected:strength=1").attention[1]
        assert not torch.allclose(moving, watch(model).attention[1])


class TestSpectralShift:
    @pytest.mark.parametrize("family", STACKS)
    @pytest.mark.parametrize("heads", [None, (1, 2)])
    def test_the_network_is_that_of_numpy(self, family: str, heads: tuple[int, ...] | None) -> None:
        model, kappa = tiny(family), 0.7
        chosen = "" if heads is None else ",heads=1-2"
        seen = watch(model, f"spectral_shift:kappa={kappa}{chosen}")

        def shift(branch: Matrix, attention: Matrix, reads: Matrix) -> Matrix:
            for head in range(len(attention)) if heads is None else heads:
                branch = branch - kappa / len(attention) * attention[head] @ reads
            return branch

        np.testing.assert_allclose(
            seen.blocks(), run(STACKS[family](model, on_branch=shift), seen), rtol=2e-5, atol=2e-5
        )

    @pytest.mark.parametrize("family", REACHED)
    def test_each_head_loses_its_share_of_the_identity(self, family: str) -> None:
        # The branch head by head, through the maps with and without the identity taken.
        anatomy, kappa = tiny(family).anatomy, 0.5
        sites = Sites(anatomy)
        sites.attach(SpectralShift(kappa=kappa))
        attention = torch.rand(2, anatomy.heads, 5, 5).softmax(dim=-1)
        reads = torch.randn(2, 5, anatomy.hidden_size)
        maps = circuit.value_weights(anatomy, 0) @ circuit.output_weights(anatomy, 0)
        eye = torch.eye(anatomy.hidden_size)

        branch = (attention @ reads[:, None] @ maps).sum(dim=1)
        shifted = sites.found[0].change(branch, SimpleNamespace(attention=attention, reads=reads))
        expected = (attention @ reads[:, None] @ (maps - kappa / anatomy.heads * eye)).sum(dim=1)
        torch.testing.assert_close(shifted, expected, rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize("family", ["gemma2", "gemma3_text"])
    def test_families_with_a_norm_behind_the_heads_are_refused(self, family: str) -> None:
        with pytest.raises(MitigationError) as raised:
            Intervention(tiny(family), parse("spectral_shift"))
        assert str(raised.value) == (
            f"spectral_shift: in the family “{family}” a norm follows the heads' outputs, so no shift of their maps "
            "can be added to the branch."
        )


def whole_map_clipped(layer: Layer, head: int, heads: int, low: float, high: float) -> Matrix:
    """f(W_V W_O) of one head from the eigenvectors of the whole d × d matrix."""
    width = layer.value.weight.shape[1] // heads
    part = slice(head * width, (head + 1) * width)
    matrix = layer.value.weight[:, part] @ layer.output.weight[part]
    values, vectors = np.linalg.eig(matrix)
    # The matrix has rank d_h: all other eigenvalues are 0 up to rounding, and stay what they are.
    clipped = np.clip(values.real, low, high) + 1j * values.imag
    clipped[np.argsort(np.abs(values))[: matrix.shape[0] - width]] = 0
    result: Matrix = (vectors * clipped @ np.linalg.inv(vectors)).real
    return result


class TestSpectralClip:
    @pytest.mark.parametrize(("low", "high"), RANGES)
    @pytest.mark.parametrize("family", STACKS)
    def test_the_network_is_that_of_numpy_with_whole_maps_clipped(self, family: str, low: float, high: float) -> None:
        model = strong(family)
        seen = watch(model, (SpectralClip(low=low, high=high),))
        stack = STACKS[family](model)

        def attention(number: int, layer: Layer, reads: Matrix) -> Matrix:
            """A X f(W_V W_O) for every head, with the biases as they are."""
            matrices: list[Matrix] = []

            def keep(_: int, probabilities: Matrix, values: Matrix) -> Matrix:
                matrices.extend(probabilities)
                return values * 0

            stack.mix = keep
            plain = original(number, layer, reads)
            bias = layer.value.bias @ layer.output.weight
            for head, probabilities in enumerate(matrices):
                plain = plain + probabilities @ reads @ whole_map_clipped(layer, head, stack.heads, low, high)
            return plain + bias

        original = stack._attention
        stack._attention = attention  # type: ignore[method-assign]
        expected = run(stack, seen)
        np.testing.assert_allclose(seen.blocks(), expected, rtol=1e-4, atol=1e-4)
        assert not np.allclose(seen.blocks(), watch(model).blocks(), atol=1e-3)

    @pytest.mark.parametrize("family", REACHED)
    @pytest.mark.parametrize(("low", "high"), RANGES)
    def test_eigenvalues_lie_within_the_range_afterwards(self, family: str, low: float, high: float) -> None:
        anatomy = strong(family).anatomy
        first, second = (f(anatomy, 0).double() for f in (circuit.value_weights, circuit.output_weights))
        factors, _, accurate = clip_factors(second @ first, low, high)
        assert accurate.all()
        before = torch.linalg.eigvals(first @ second)
        after = torch.linalg.eigvals(first @ factors @ second)
        assert before.real.max() > 0.02
        assert before.real.min() < -0.02
        assert after.real.max() <= high + 1e-6
        assert after.real.min() >= low - 1e-6
        # Imaginary parts stay.
        torch.testing.assert_close(after.imag.abs().sum(), before.imag.abs().sum(), rtol=1e-6, atol=1e-6)

    @pytest.mark.parametrize("family", REACHED)
    def test_a_range_that_holds_all_eigenvalues_changes_no_bit(self, family: str) -> None:
        model = strong(family)
        found = watch(model, "spectral_clip:low=-10,high=10").blocks()
        np.testing.assert_array_equal(found, watch(model).blocks())

    def test_only_the_heads_that_reach_beyond_the_range_change(self) -> None:
        matrices = torch.stack([torch.diag(torch.tensor(each)) for each in ([-0.5, -0.1], [0.5, -2.0])]).double()
        factors, inside, accurate = clip_factors(matrices, -1, 0)
        assert inside.tolist() == [True, False]
        assert accurate.all()
        torch.testing.assert_close(factors[1], torch.diag(torch.tensor([0.0, 0.5])).double())

    def test_heads_without_weights_stay_as_they_are(self) -> None:
        factors, inside, accurate = clip_factors(torch.zeros(1, 3, 3).double(), -1, 0)
        assert torch.equal(factors[0], torch.eye(3).double())
        assert inside.all()
        assert accurate.all()

    def test_the_rounding_of_a_zero_decides_nothing(self) -> None:
        # The eigenvalue 0 comes out as a little more or a little less.
        for seed in range(20):
            vectors = torch.tensor(np.random.default_rng(seed).standard_normal((3, 3)))
            matrix = vectors @ torch.diag(torch.tensor([2.0, 1.0, 0.0]).double()) @ torch.linalg.inv(vectors)
            factor = clip_factors(matrix[None], -1, 0)[0][0]
            torch.testing.assert_close(factor @ vectors[:, 2], vectors[:, 2])
            torch.testing.assert_close(factor @ vectors[:, 0], torch.zeros(3).double(), rtol=0, atol=1e-9)

    def test_maps_that_their_eigenvectors_do_not_determine_are_refused(self) -> None:
        model = strong("bert")
        width = model.anatomy.hidden_size // model.anatomy.heads
        with torch.no_grad():
            # Head 2 of block 1: W_O W_V is a Jordan block.
            value, output = model.anatomy.circuits[1].value, model.anatomy.circuits[1].projection
            part = slice(2 * width, 3 * width)
            value.get_parameter("weight")[part] = torch.eye(width, model.anatomy.hidden_size)
            jordan = torch.eye(width) + torch.diag(torch.ones(width - 1), 1)
            output.get_parameter("weight")[:, part] = torch.eye(model.anatomy.hidden_size, width) @ jordan.T
        with pytest.raises(MitigationError) as raised:
            Intervention(model, parse("spectral_clip"))
        assert str(raised.value) == (
            "spectral_clip: the value–output map of head 2 in block 1 has eigenvectors too nearly parallel to clip "
            "single eigenvalues; choose other heads or layers."
        )
        Intervention(model, parse("spectral_clip:heads=0-1/3"))
        Intervention(model, parse("spectral_clip:layers=0/2"))

    def test_weights_that_are_no_numbers_are_told(self) -> None:
        model = strong("bert")
        with torch.no_grad():
            model.anatomy.circuits[1].value.get_parameter("weight")[0, 0] = torch.nan
        with pytest.raises(MitigationError, match="spectral_clip: the weights of block 1 are not all finite"):
            Intervention(model, parse("spectral_clip"))

    @pytest.mark.parametrize("text", ["low=0.1", "high=-0.1", "low=-11", "high=inf"])
    def test_ranges_without_zero_are_refused(self, text: str) -> None:
        with pytest.raises(MitigationError, match=r"spectral_clip: “(low|high)” must be in"):
            parse(f"spectral_clip:{text}")


@pytest.mark.parametrize("method", METHODS)
class TestAll:
    @pytest.mark.parametrize("family", OUT_OF_REACH)
    def test_families_whose_projections_are_out_of_reach_are_refused(self, method: str, family: str) -> None:
        with pytest.raises(MitigationError) as raised:
            Intervention(tiny(family), parse(method))
        assert str(raised.value) == (
            f"{method}: the projections of values and outputs of the family “{family}” cannot be reached."
        )

    @pytest.mark.parametrize("heads", ["4", "0-9"])
    def test_heads_that_the_model_does_not_have_are_refused(self, method: str, heads: str) -> None:
        with pytest.raises(MitigationError, match=f"{method}: there are only 4 heads, counted from 0"):
            Intervention(tiny("bert"), parse(f"{method}:heads={heads}"))

    @pytest.mark.parametrize("family", REACHED)
    def test_no_head_and_no_layer_change_nothing(self, method: str, family: str) -> None:
        plain = watch(tiny(family)).blocks()
        for nothing in ("heads=none", "layers=none"):
            np.testing.assert_array_equal(watch(tiny(family), f"{method}:{nothing}").blocks(), plain)
