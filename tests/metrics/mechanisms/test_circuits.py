"""Eigenvalues of circuits against the full matrices of the modules, and what dominates against the update itself."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable

import numpy as np
import pytest
import torch
from families import LAYERS, build
from numpy.typing import NDArray
from reference.attention_matrices import awkward, random_attention
from reference.sample import Matrix
from torch import nn

from oversmooth.metrics import UndefinedError
from oversmooth.metrics.mechanisms import circuits
from oversmooth.metrics.mechanisms.attention import attention_eigenvalues
from oversmooth.metrics.mechanisms.circuits import circuit_eigenvalues, dominance, dominance_under
from oversmooth.models.anatomy import dissect

Complex = NDArray[np.complex128]
HEADS, WIDE, WIDTH = 4, 8, 32


def weight(block: nn.Module, name: str) -> Matrix:
    """As the module keeps it."""
    matrix: Matrix = block.get_parameter(name).detach().double().numpy()
    return matrix


def of_bert(block: nn.Module, head: int) -> Matrix:
    mine = slice(head * WIDE, (head + 1) * WIDE)
    values, output = weight(block, "attention.self.value.weight"), weight(block, "attention.output.dense.weight")
    return values.T[:, mine] @ output.T[mine]


def of_gpt2(block: nn.Module, head: int) -> Matrix:
    mine = slice(head * WIDE, (head + 1) * WIDE)
    values = weight(block, "attn.c_attn.weight")[:, 2 * WIDTH :][:, mine]
    return np.diag(weight(block, "ln_1.weight")) @ values @ weight(block, "attn.c_proj.weight")[mine]


def of_llama(block: nn.Module, head: int) -> Matrix:
    mine, shared = slice(head * WIDE, (head + 1) * WIDE), slice(head // 2 * WIDE, (head // 2 + 1) * WIDE)
    values, output = weight(block, "self_attn.v_proj.weight"), weight(block, "self_attn.o_proj.weight")
    return np.diag(weight(block, "input_layernorm.weight")) @ values.T[:, shared] @ output.T[mine]


def of_gemma(block: nn.Module, head: int) -> Matrix:
    """Its norm multiplies by 1 + w."""
    gain = weight(block, "input_layernorm.weight")
    return np.diag((1 + gain) / gain) @ of_llama(block, head)


def of_neox(block: nn.Module, head: int) -> Matrix:
    """Query, key and value stand together for each head."""
    first = (3 * head + 2) * WIDE
    values = weight(block, "attention.query_key_value.weight").T[:, first : first + WIDE]
    output = weight(block, "attention.dense.weight").T[head * WIDE : (head + 1) * WIDE]
    return np.diag(weight(block, "input_layernorm.weight")) @ values @ output


BY_HAND: dict[str, Callable[[nn.Module, int], Matrix]] = {
    "bert": of_bert,
    "gpt2": of_gpt2,
    "llama": of_llama,
    "gemma": of_gemma,
    "gpt_neox": of_neox,
}


@pytest.mark.parametrize("family", BY_HAND)
def test_eigenvalues_are_those_of_the_whole_circuit(family: str) -> None:
    anatomy = dissect(build(family))
    found = circuit_eigenvalues(anatomy)
    assert found.shape == (LAYERS, HEADS, WIDE)
    for layer, block in enumerate(anatomy.blocks):
        for head in range(HEADS):
            whole = BY_HAND[family](block, head)
            assert np.linalg.matrix_rank(whole) == WIDE
            values, scale = found[layer, head], np.abs(found[layer, head]).max()
            # The traces of a matrix's powers say what its eigenvalues are: zeros add nothing.
            for power in range(1, WIDE + 1):
                trace = np.trace(np.linalg.matrix_power(whole / scale, power))
                assert ((values / scale) ** power).sum() == pytest.approx(trace, abs=1e-5)
            largest = np.abs(np.linalg.eigvals(whole)).max()
            assert scale == pytest.approx(largest, rel=1e-5)


def test_they_are_sorted_by_modulus_then_real_then_imaginary_part() -> None:
    for values in circuit_eigenvalues(dissect(build("t5"))).reshape(-1, WIDE):
        keys = [(-abs(value), -value.real, -value.imag) for value in values]
        assert keys == sorted(keys)
        assert any(value.imag > 0 for value in values) or not values.imag.any()


def test_layers_that_share_weights_share_eigenvalues() -> None:
    shared = circuit_eigenvalues(dissect(build("albert")))
    assert len(shared) == LAYERS
    assert (shared == shared[0]).all()
    own = circuit_eigenvalues(dissect(build("bert")))
    assert (own[0] != own[1]).any()


def test_they_are_kept_with_the_network_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = dissect(build("bert", seed=1)), dissect(build("bert", seed=2))
    found = circuit_eigenvalues(one)
    assert (circuit_eigenvalues(other) != found).any()
    monkeypatch.setattr(circuits, "_of_all_layers", lambda _: pytest.fail("computed again"))
    assert circuit_eigenvalues(one) is found
    with pytest.raises(ValueError, match="read-only"):
        found[0, 0, 0] = 0
    network = weakref.ref(other.network)
    del other
    gc.collect()
    assert network() is None


def test_families_without_circuits_are_told() -> None:
    with pytest.raises(UndefinedError, match="not known for the family “xlnet”"):
        circuit_eigenvalues(dissect(build("xlnet")))


def test_weights_that_are_no_numbers_are_told() -> None:
    anatomy = dissect(build("bert", seed=3))
    with torch.no_grad():
        anatomy.circuits[1].value.get_parameter("weight")[0, 0] = float("nan")
    with pytest.raises(UndefinedError, match="not all finite"):
        circuit_eigenvalues(anatomy)


def eigenvalues(attention: Matrix, *, causal: bool = False) -> Complex:
    return attention_eigenvalues(torch.from_numpy(attention[None]), causal=causal)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_the_dominant_gain_is_the_largest_eigenvalue_of_the_update(causal: bool, seed: int) -> None:
    """vec(X + A X H) = (I + Hᵀ ⊗ A) vec(X), columns stacked."""
    rng = np.random.default_rng(seed)
    attention = random_attention(1, 5, causal=causal, seed=seed)[0]
    circuit, states = rng.standard_normal((3, 3)), rng.standard_normal((5, 3))
    update = np.eye(15) + np.kron(circuit.T, attention)
    step = states + attention @ states @ circuit
    np.testing.assert_allclose(update @ states.ravel(order="F"), step.ravel(order="F"), atol=1e-12)

    at_circuit, at_attention = np.linalg.eigvals(circuit), eigenvalues(attention, causal=causal)
    products = 1 + at_circuit[:, None] * at_attention
    of_update = np.linalg.eigvals(update)
    for power in range(1, 7):
        assert (products**power).sum() == pytest.approx((of_update**power).sum(), rel=1e-8)
    found = dominance(at_circuit[None].astype(np.complex128), at_attention)
    assert found.gain[0] == pytest.approx(max(np.abs(of_update).max(), 1.0))
    if found.reading[0] != "neutral":
        pair = found.circuit_eigenvalue[0] * found.attention_eigenvalue[0]
        assert abs(1 + pair) == pytest.approx(found.gain[0])


def test_the_reading_is_what_repeating_the_update_does() -> None:
    rng = np.random.default_rng(0)
    readings = set()
    for seed in range(12):
        attention = random_attention(1, 6, sharpness=1.0, seed=seed)[0]
        if seed % 2:
            attention = 0.1 * attention + 0.9 * np.roll(np.eye(6), 3, axis=1)  # eigenvalues near −1
        basis = rng.standard_normal((4, 4))
        values = rng.uniform(-0.9, -0.2, 4) if seed % 2 else rng.uniform(0.2, 0.9, 4)
        circuit = basis @ np.diag(values) @ np.linalg.inv(basis)
        found = dominance(np.linalg.eigvals(circuit)[None].astype(np.complex128), eigenvalues(attention))
        states = rng.standard_normal((6, 4))
        for _ in range(3000):
            states = states + attention @ states @ circuit
            states /= np.linalg.norm(states)
        spread = np.linalg.norm(states - states.mean(axis=0)) / np.linalg.norm(states)
        assert found.reading[0] == ("smoothing" if spread < 0.01 else "sharpening")
        readings.add(str(found.reading[0]))
    assert readings == {"smoothing", "sharpening"}


def one(circuit: list[complex], attention: list[complex]) -> tuple[float, str, complex, complex]:
    found = dominance(np.array([circuit], np.complex128), np.array([attention], np.complex128))
    return (
        float(found.gain[0]),
        str(found.reading[0]),
        complex(found.circuit_eigenvalue[0]),
        complex(found.attention_eigenvalue[0]),
    )


def test_readings_by_hand() -> None:
    assert one([0.5, -0.2], [1, 0.3, -0.4]) == (1.5, "smoothing", 0.5, 1)
    assert one([-0.5, -0.2], [1, 0.3, -0.4]) == (1.2, "sharpening", -0.5, -0.4)
    # Between −1 and 0 with positive attention: nothing grows.
    assert one([-0.5, -0.2], [1, 0.3, 0.0]) == (1.0, "neutral", 0, 1)
    # Below −2 the constant direction wins again, with alternating sign.
    assert one([-3.0], [1, 0.5, -0.2]) == (2.0, "smoothing", -3, 1)
    assert one([0.5, 0.1], [1, 1, 0.2])[1] == "tied"
    assert one([0.5j], [1, 0.9, -0.1])[1] == "smoothing"
    # What differs by less than one in a million is the same.
    assert one([0.5], [1, 1 - 1e-7])[1] == "tied"
    assert one([0.5], [1, 1 - 1e-5])[1] == "smoothing"
    # A single token has the constant direction alone.
    assert one([0.5], [1])[:2] == (1.5, "smoothing")
    assert one([-0.5], [1])[:2] == (1.0, "neutral")


def test_several_heads_are_read_each_by_itself() -> None:
    rng = np.random.default_rng(1)
    circuit = rng.standard_normal((5, 4)) + 1j * rng.standard_normal((5, 4))
    attention = random_attention(5, 9)
    values = attention_eigenvalues(torch.from_numpy(attention), causal=False)
    values[2] = np.nan
    together = dominance(circuit, values)
    for head in (0, 1, 3, 4):
        gains = [(abs(1 + h * a), h, a) for h in circuit[head] for a in values[head]]
        best = max(gains, key=lambda each: each[0])
        assert together.gain[head] == pytest.approx(best[0])
        assert together.circuit_eigenvalue[head] == best[1]
        assert together.attention_eigenvalue[head] == best[2]
        assert together.reading[head] == ("smoothing" if best[2] == 1 else "sharpening")
    assert np.isnan(together.gain[2])
    assert together.reading[2] == ""


@pytest.mark.parametrize("causal", [False, True])
def test_what_is_plain_without_a_decomposition_is_what_it_gives(causal: bool) -> None:
    rng = np.random.default_rng(2)
    matrices = random_attention(12, 40, causal=causal) if causal else np.stack([*awkward(40).values()])
    circuit = (0.5 * rng.standard_normal((2 * len(matrices), 6))).view(np.complex128).reshape(len(matrices), 6)
    circuit[::2] = np.abs(circuit[::2])
    attention = torch.from_numpy(matrices)
    quick = dominance_under(circuit, attention, causal=causal)
    whole = dominance(circuit, attention_eigenvalues(attention, causal=causal))
    for name in ("gain", "circuit_eigenvalue", "attention_eigenvalue", "reading"):
        np.testing.assert_array_equal(getattr(quick, name), getattr(whole, name), err_msg=name)
    assert {"smoothing", "tied"} <= set(quick.reading) or causal
