"""Attention as a graph, against NumPy's decompositions and loops over queries and keys."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.attention_matrices import awkward, random_attention, softmax
from reference.sample import Matrix
from tiny import tiny

from oversmooth.metrics.mechanisms import get, names
from oversmooth.metrics.mechanisms.attention import (
    adjacent_cosine,
    attention_eigenvalues,
    attention_quantities,
    other_radius,
    shuffle_rows,
)

BY_HEAD = [name for name in names() if name.startswith("attention_") and name != "attention_adjacent_cosine"]


def quantities(matrices: Matrix, *, causal: bool = False, seed: int = 0) -> dict[str, Matrix]:
    return attention_quantities(torch.from_numpy(matrices), causal=causal, seed=seed)


def root_lambda(matrix: Matrix) -> float:
    """By its definition: the largest eigenvalue of AᵀRA."""
    tokens = len(matrix)
    centring = np.eye(tokens) - np.ones((tokens, tokens)) / tokens
    return float(np.linalg.svd(centring @ matrix, compute_uv=False)[0])


@pytest.mark.parametrize("tokens", [2, 7, 33, 90])
def test_spectra_of_awkward_matrices_are_those_of_numpy(tokens: int) -> None:
    if tokens < 3:
        cases = {"even": np.full((2, 2), 0.5), "identity": np.eye(2), "uneven": np.array([[0.9, 0.1], [0.3, 0.7]])}
    else:
        cases = awkward(tokens)
    found = quantities(np.stack([*cases.values()]))
    for number, (name, matrix) in enumerate(cases.items()):
        singular = np.linalg.svd(matrix, compute_uv=False)
        root, gap = (found[each][number] for each in ("attention_root_lambda", "attention_spectral_gap"))
        assert root == pytest.approx(root_lambda(matrix), rel=1e-8, abs=1e-12), name
        assert gap == pytest.approx(singular[0] - singular[1], rel=1e-8, abs=1e-8 * singular[0]), name


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("sharpness", [0.3, 2.0, 6.0])
def test_spectra_of_random_attention_are_those_of_numpy(causal: bool, sharpness: float) -> None:
    matrices = random_attention(6, 70, sharpness=sharpness, causal=causal).astype(np.float32)
    found = attention_quantities(torch.from_numpy(matrices), causal=causal, seed=4)
    shuffled = shuffle_rows(torch.from_numpy(matrices), causal=causal, seed=4).double().numpy()
    singular = np.linalg.svd(matrices.astype(np.float64), compute_uv=False)
    roots = [root_lambda(matrix) for matrix in matrices.astype(np.float64)]
    np.testing.assert_allclose(found["attention_root_lambda"], roots, rtol=1e-8)
    np.testing.assert_allclose(found["attention_spectral_gap"], singular[:, 0] - singular[:, 1], rtol=1e-8)
    np.testing.assert_allclose(
        found["attention_root_lambda_null"], [root_lambda(matrix) for matrix in shuffled], rtol=1e-5
    )
    np.testing.assert_allclose(
        found["attention_diagonal_mass_null"], [matrix.trace() / 70 for matrix in shuffled], rtol=1e-6
    )


@pytest.mark.parametrize("family", ["bert", "gpt2", "llama", "gpt_neox", "gemma"])
def test_of_the_attention_of_networks(family: str) -> None:
    model = tiny(family)
    model.network.set_attn_implementation("eager")
    ids = torch.tensor([[5, 9, 7, 11, 3, 8, 20, 5]])
    with torch.inference_mode():
        layers = model.network(input_ids=ids, output_attentions=True).attentions
    assert len(layers) == len(model.anatomy.blocks)
    for attention in layers:
        found = attention_quantities(attention[0], causal=model.anatomy.causal, seed=0)
        for head, matrix in enumerate(attention[0].double().numpy()):
            singular = np.linalg.svd(matrix, compute_uv=False)
            row = loops(matrix, causal=model.anatomy.causal)
            row |= {
                "attention_root_lambda": root_lambda(matrix),
                "attention_spectral_gap": singular[0] - singular[1],
            }
            for name, value in row.items():
                assert found[name][head] == pytest.approx(value, rel=1e-6), name


def loops(matrix: Matrix, *, causal: bool, window: int | None = None) -> dict[str, float]:
    """Entropy and masses, entry by entry."""
    tokens = len(matrix)
    window = tokens if window is None else window
    entropies, masses = [], {}
    sees = {i: [j for j in range(tokens) if abs(i - j) <= window and not (causal and j > i)] for i in range(tokens)}
    for keys, row in zip(sees.values(), matrix, strict=True):
        if len(keys) > 1:
            entropies.append(-sum(p * math.log(p) for p in row[keys] if p > 0) / math.log(len(keys)))
    seen_by = {j: [i for i in range(tokens) if j in sees[i]] for j in range(tokens)}
    most = max(map(len, seen_by.values()))
    for key, queries in seen_by.items():
        if 2 * len(queries) >= most:
            masses[key] = sum(matrix[i, key] for i in queries) / len(queries)
    return {
        "attention_entropy": sum(entropies) / len(entropies),
        "attention_diagonal_mass": sum(matrix[i, i] for i in range(tokens)) / tokens,
        "attention_sink_mass": max(masses.values()),
        "attention_sink_rate": float(max(masses.values()) > 0.3),
    }


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("window", [None, 3])
def test_entropy_and_masses_are_those_of_loops(causal: bool, window: int | None) -> None:
    tokens = 11
    logits = 2 * np.random.default_rng(5).standard_normal((4, tokens, tokens))
    logits[0, :, 1] += 4
    offsets = np.arange(tokens)[:, None] - np.arange(tokens)
    seen = (np.abs(offsets) <= (window or tokens)) & ((offsets >= 0) | (not causal))
    matrices = softmax(np.where(seen, logits, -np.inf))
    found = quantities(matrices, causal=causal)
    assert found["attention_sink_rate"][0] == 1.0
    for head, matrix in enumerate(matrices):
        for name, value in loops(matrix, causal=causal, window=window).items():
            assert found[name][head] == pytest.approx(value, rel=1e-12), name


def test_entropy_ranges_from_one_key_to_all_that_may_be_seen() -> None:
    causal = np.tri(20) / np.arange(1, 21)[:, None]
    assert quantities(causal[None], causal=True)["attention_entropy"] == pytest.approx(1.0, abs=1e-12)
    assert quantities(np.full((1, 20, 20), 0.05))["attention_entropy"] == pytest.approx(1.0, abs=1e-12)
    assert quantities(np.eye(20)[None])["attention_entropy"] == pytest.approx(0.0, abs=1e-12)


def test_the_last_keys_of_a_causal_model_are_no_sinks() -> None:
    """The last token attends to itself alone, as the first must."""
    matrix = np.tri(30) / np.arange(1, 31)[:, None]
    matrix[-1] = np.eye(30)[-1]
    found = quantities(np.stack([matrix, random_attention(1, 30, causal=True)[0]]), causal=True)
    assert found["attention_sink_mass"][0] == pytest.approx(sum(1 / k for k in range(1, 30)) / 30)
    assert found["attention_sink_rate"][0] == 0.0


@pytest.mark.parametrize("causal", [False, True])
def test_the_null_model_keeps_each_row_and_what_it_may_see(causal: bool) -> None:
    matrices = torch.from_numpy(random_attention(3, 40, causal=causal))
    shuffled = shuffle_rows(matrices, causal=causal, seed=1)
    assert not torch.equal(shuffled, matrices)
    assert torch.equal(shuffled.sort(dim=-1).values, matrices.sort(dim=-1).values)
    if causal:
        assert not shuffled.triu(1).any()
    one, same, other = (attention_quantities(matrices, causal=causal, seed=seed) for seed in (1, 1, 2))
    of_null = attention_quantities(shuffled, causal=causal, seed=1)
    np.testing.assert_allclose(of_null["attention_entropy"], one["attention_entropy"], rtol=1e-12)
    assert all((one[name] == same[name]).all() for name in one)
    assert (one["attention_root_lambda_null"] != other["attention_root_lambda_null"]).all()


def test_entries_are_shuffled_to_every_place_alike() -> None:
    tokens, draws = 6, 600
    matrix = 0.9 * torch.eye(tokens) + 0.1 / tokens
    mean = (
        sum((shuffle_rows(matrix[None], causal=False, seed=seed)[0] for seed in range(draws)), torch.zeros(1)) / draws
    )
    assert mean.flatten().tolist() == pytest.approx([1 / tokens] * tokens**2, abs=0.07)


def test_null_of_what_no_shuffling_changes_is_itself() -> None:
    for causal, matrix in ((False, np.full((50, 50), 0.02)), (True, np.tri(50) / np.arange(1, 51)[:, None])):
        found = quantities(matrix[None], causal=causal)
        for name in ("attention_root_lambda", "attention_diagonal_mass"):
            assert found[name + "_null"] == pytest.approx(found[name], rel=1e-5, abs=1e-7)


def test_heads_that_give_each_key_its_query_stand_out_from_their_null() -> None:
    found = quantities(awkward(60)["permutation"][None])
    assert found["attention_root_lambda"][0] == pytest.approx(1.0)
    assert found["attention_root_lambda_null"][0] > 1.5


@given(tokens=st.integers(2, 40), heads=st.integers(1, 3), seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_one_mixing_widens_the_distance_to_the_mean_by_root_lambda_at_most(tokens: int, heads: int, seed: int) -> None:
    matrices = random_attention(heads, tokens, seed=seed)
    rng = np.random.default_rng(seed)
    states = rng.standard_normal((tokens, 5))
    roots = quantities(matrices)["attention_root_lambda"]
    for matrix, root in zip(matrices, roots, strict=True):
        mixed = matrix @ states
        before, after = (np.linalg.norm(each - each.mean(axis=0)) for each in (states, mixed))
        assert after <= root * before * (1 + 1e-9)
        # The bound is met by some tokens.
        worst = np.linalg.svd(matrix - matrix.mean(axis=0))[2][0][:, None]
        widened = np.linalg.norm(matrix @ worst - (matrix @ worst).mean())
        assert widened == pytest.approx(root * np.linalg.norm(worst - worst.mean()), rel=1e-6)


@given(tokens=st.integers(2, 60), seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_known_cases(tokens: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.ones(6))
    doubly = sum(share * np.eye(tokens)[rng.permutation(tokens)] for share in shares)
    equal_rows = np.tile(rng.dirichlet(np.ones(tokens)), (tokens, 1))
    matrix = random_attention(1, tokens, seed=seed)[0]
    order = rng.permutation(tokens)
    found = quantities(np.stack([doubly, equal_rows, matrix, matrix[order], matrix[order][:, order]]))
    roots, gaps = found["attention_root_lambda"], found["attention_spectral_gap"]
    assert roots[0] <= 1 + 1e-9
    assert roots[1] == pytest.approx(0, abs=1e-12)
    assert roots[3:].tolist() == pytest.approx([roots[2]] * 2, rel=1e-8)
    assert gaps[3:].tolist() == pytest.approx([gaps[2]] * 2, rel=1e-7)
    assert found["attention_diagonal_mass"][4] == pytest.approx(found["attention_diagonal_mass"][2])


def test_half_precision_is_widened_before_anything_is_computed() -> None:
    matrices = torch.from_numpy(random_attention(3, 50)).to(torch.bfloat16)
    found = attention_quantities(matrices, causal=False, seed=0)
    wide = attention_quantities(matrices.double(), causal=False, seed=0)
    for name, values in found.items():
        assert values.dtype == np.float64
        np.testing.assert_allclose(values, wide[name], rtol=2e-5, err_msg=name)


def test_what_is_not_defined_is_missing() -> None:
    alone = quantities(np.ones((2, 1, 1)))
    assert set(alone) == set(BY_HEAD)
    assert all(np.isnan(values).all() and values.shape == (2,) for values in alone.values())
    assert math.isnan(adjacent_cosine(torch.ones(2, 1, 1), torch.ones(2, 1, 1)))
    broken = random_attention(3, 40)
    whole = quantities(broken[[0, 2]])
    broken[1, 4, 4] = np.nan
    for name, values in quantities(broken).items():
        assert np.isnan(values[1])
        np.testing.assert_allclose(values[[0, 2]], whole[name], rtol=1e-5)
    broken[:] = np.inf
    assert all(np.isnan(values).all() for values in quantities(broken).values())


def test_every_quantity_is_declared_and_lies_in_its_range() -> None:
    found = quantities(np.stack([*awkward(40).values()]))
    assert list(found) == BY_HEAD
    for name, values in found.items():
        definition = get(name)
        assert (values >= definition.lower - 1e-12).all()
        assert (values <= definition.upper).all()
    assert found["attention_root_lambda"].max() == pytest.approx(math.sqrt(40 / 2))  # two sinks
    assert found["attention_spectral_gap"].max() == pytest.approx(math.sqrt(40))  # one sink


def test_adjacent_cosine_is_of_the_mean_over_heads() -> None:
    one, other = random_attention(3, 9, seed=1), random_attention(3, 9, seed=2)
    first, second = one.mean(axis=0).ravel(), other.mean(axis=0).ravel()
    expected = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
    assert adjacent_cosine(torch.from_numpy(one), torch.from_numpy(other)) == pytest.approx(expected, rel=1e-6)
    assert adjacent_cosine(torch.from_numpy(one), torch.from_numpy(one[[2, 0, 1]])) == pytest.approx(1.0, rel=1e-6)


class TestEigenvalues:
    @pytest.mark.parametrize("causal", [False, True])
    def test_are_those_of_numpy_with_the_constant_first(self, causal: bool) -> None:
        matrices = random_attention(4, 17, causal=causal)
        found = attention_eigenvalues(torch.from_numpy(matrices), causal=causal)
        assert found.shape == (4, 17)
        assert (found[:, 0] == 1.0).all()
        for values, matrix in zip(found, matrices, strict=True):
            # Power sums say what the values are, whatever their order.
            for power in range(1, 6):
                trace = np.trace(np.linalg.matrix_power(matrix, power))
                assert (values**power).sum() == pytest.approx(trace, abs=1e-10)
            theirs = np.sort_complex(np.round(np.linalg.eigvals(matrix), 9))
            np.testing.assert_allclose(np.sort_complex(np.round(values, 9)), theirs, atol=1e-7)

    def test_a_second_eigenvalue_of_one_stays_beside_the_constant(self) -> None:
        groups = np.kron(np.eye(2), np.full((4, 4), 0.25))
        values = attention_eigenvalues(torch.from_numpy(groups[None]), causal=False)[0]
        assert np.isclose(values, 1.0).sum() == 2
        assert np.isclose(values[1:], 1.0).sum() == 1

    def test_rounded_rows_change_nothing(self) -> None:
        matrix = random_attention(1, 30)
        coarse = attention_eigenvalues(torch.from_numpy(matrix).float(), causal=False)
        fine = attention_eigenvalues(torch.from_numpy(matrix), causal=False)
        np.testing.assert_allclose(np.sort(np.abs(coarse)), np.sort(np.abs(fine)), atol=1e-4)
        assert np.abs(coarse[0, 1:]).max() < 0.9

    def test_their_bound_holds(self) -> None:
        matrices = np.stack([*awkward(40).values()])
        radius = other_radius(torch.from_numpy(matrices))
        largest = np.abs(attention_eigenvalues(torch.from_numpy(matrices), causal=False)[:, 1:]).max(axis=1)
        # Repeated eigenvalues of 0 come out as the 40th root of rounding.
        assert (radius >= np.where(largest < 0.1, 0.0, largest * (1 - 1e-9))).all()

    def test_a_broken_head_is_missing(self) -> None:
        matrices = random_attention(2, 12)
        matrices[1, 3, 3] = np.inf
        found = attention_eigenvalues(torch.from_numpy(matrices), causal=False)
        assert np.isfinite(found[0]).all()
        assert np.isnan(found[1]).all()


@pytest.mark.parametrize("tokens", [9, 60])
def test_what_rounding_makes_of_queries_that_attend_alike_is_nothing(tokens: int) -> None:
    alike = np.tile(softmax(np.random.default_rng(0).normal(size=(2, 1, tokens))), (1, tokens, 1))
    rounded = alike * (1.0 + 2.0**-22 * np.random.default_rng(1).uniform(-1, 1, alike.shape))
    single, precise = quantities(rounded.astype(np.float32)), quantities(rounded)
    assert (single["attention_root_lambda"] == 0.0).all()
    assert precise["attention_root_lambda"] == pytest.approx([root_lambda(each) for each in rounded], rel=1e-6)
    assert (precise["attention_root_lambda"] > 0.0).all()
    # Far above, nothing is lost.
    clear = alike * (1.0 + 1e-3 * np.random.default_rng(1).uniform(-1, 1, alike.shape))
    found = quantities(clear.astype(np.float32))["attention_root_lambda"]
    assert found == pytest.approx([root_lambda(each) for each in clear], rel=1e-2)
