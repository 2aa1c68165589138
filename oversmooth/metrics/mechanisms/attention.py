"""Attention matrices as weighted graphs over the tokens: how far a mixing draws these together (Shi et al. 2022).

All are over every token that is no padding, special ones included: without these, rows would not sum to 1.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from oversmooth.metrics.mechanisms.declared_attention import NULL, SINK_THRESHOLD
from oversmooth.metrics.mechanisms.registry import names
from oversmooth.metrics.mechanisms.singular_values import leading_singular_values
from oversmooth.metrics.numerics import Float64, arithmetic_of

DOUBLINGS: Final = 4
"""Squarings of a matrix whose spectral radius is bounded."""
SMALLEST: Final = 1e-150
"""Norms below are taken for 0."""


@torch.inference_mode()
def attention_quantities(attention: Tensor, *, causal: bool, seed: int) -> dict[str, Float64]:
    """The quantities of attention by their names, each float64 (head).

    NaN where they are not defined: all of them for a single token, which has no graph, and for a head whose matrix is
    not finite. √λ and the spectral gap are 0 where they do not rise above what a pass makes of 0, 64 roundings of
    ‖A‖_F; the others are sums of entries, which are as good as these. Keys that lie farther off than any head of the
    layer looks are taken to be out of its window.

    Args:
        attention: after the softmax (head, query, key), rows sum to 1; computed on the CPU.
        causal: whether a query sees no later key.
        seed: of the permutations that shuffle the rows.
    """
    matrices = attention.detach().to("cpu", torch.promote_types(attention.dtype, torch.float32))
    heads, tokens, _ = matrices.shape
    finite = matrices.flatten(1).isfinite().all(dim=1)
    if tokens < 2 or not finite.any():
        # The cosine to the block before is of all heads together.
        of_heads = (name for name in names() if name.startswith("attention_") and name != "attention_adjacent_cosine")
        return {name: np.full(heads, math.nan) for name in of_heads}
    matrices = torch.where(finite[:, None, None], matrices, 0.0) if not finite.all() else matrices
    visible = _visible(matrices, causal=causal)
    shuffled = shuffle_rows(matrices, causal=causal, seed=seed)
    leading = leading_singular_values(matrices, shuffled)
    mass = _sink_mass(matrices, visible)
    floors = arithmetic_of(matrices.dtype).in_pass * matrices.flatten(1).norm(dim=1)
    found = {
        "attention_root_lambda": _above(leading.centred, floors),
        "attention_spectral_gap": _above(leading.first - leading.second, floors),
        "attention_entropy": _entropy(matrices, visible),
        "attention_diagonal_mass": _diagonal_mass(matrices),
        "attention_sink_rate": (mass > SINK_THRESHOLD).double(),
        "attention_sink_mass": mass,
        "attention_root_lambda" + NULL: _above(leading.shuffled, floors),
        "attention_diagonal_mass" + NULL: _diagonal_mass(shuffled),
    }
    return {name: torch.where(finite, each, math.nan).numpy() for name, each in found.items()}


def _above(values: Tensor, floors: Tensor) -> Tensor:
    return torch.where(values <= floors, 0.0, values)


@torch.inference_mode()
def shuffle_rows(attention: Tensor, *, causal: bool, seed: int) -> Tensor:
    """The null model that ``attention_quantities`` sets beside attention: rows of the same entries, elsewhere.

    Args:
        attention: after the softmax (head, query, key).
        causal: whether a query sees no later key.
        seed: of the permutations, which all heads share.
    """
    return attention.gather(-1, _permutations(_visible(attention, causal=causal), seed).expand_as(attention))


def adjacent_cosine(previous: Tensor, current: Tensor) -> float:
    """Cosine of two blocks' attention, each averaged over its heads, as long vectors, in [0, 1].

    NaN for a single token, and where a matrix is not finite.

    Args:
        previous: of the block before (head, query, key).
        current: of a block (head, query, key), over the same tokens.
    """
    if current.shape[-1] < 2:
        return math.nan
    one, other = (each.detach().to("cpu").mean(dim=0).double().flatten() for each in (previous, current))
    return float((one @ other) / (one.norm() * other.norm()))


@torch.inference_mode()
def attention_eigenvalues(attention: Tensor, *, causal: bool) -> NDArray[np.complex128]:
    """Eigenvalues of attention matrices (head, token), that of the constant direction, which is 1, first.

    All others are those of the map between differences of tokens. The constant vector is left as it is, so x ↦ Ax maps
    differences to differences: (Ax)_i − (Ax)_n = Σ_j (A_ij − A_nj)(x_j − x_n), since rows have equal sums. The
    eigenvalues of that (n − 1) × (n − 1) matrix are those of A without this 1, however many other 1s there are.
    Causal matrices are triangular: theirs are on the diagonal, the 1 of the constant direction in the first row.
    NaN for a head whose matrix is not finite.

    Args:
        attention: after the softmax (head, query, key), rows sum to 1.
        causal: whether a query sees no later key.
    """
    matrices: Float64 = attention.detach().to("cpu", torch.float64).numpy()
    found = np.full(matrices.shape[:2], np.nan, np.complex128)
    finite = np.isfinite(matrices).all(axis=(1, 2))
    found[finite, 0] = 1.0
    if causal:
        found[finite, 1:] = matrices[finite].diagonal(axis1=1, axis2=2)[:, 1:]
    else:
        found[finite, 1:] = np.linalg.eigvals(_between_differences(matrices[finite]))
    return found


def _between_differences(matrices: Float64) -> Float64:
    """What matrices with rows of equal sums do to the differences of tokens from the last: (head, n − 1, n − 1)."""
    return matrices[:, :-1, :-1] - matrices[:, -1:, :-1]


@torch.inference_mode()
def other_radius(attention: Tensor) -> Float64:
    """An upper bound of |λ| over all eigenvalues but that of the constant direction: (head), from ‖Bᵏ‖^(1/k), k = 16.

    NaN for a head whose matrix is not finite.

    Args:
        attention: after the softmax (head, query, key), rows sum to 1.
    """
    matrices: Float64 = attention.detach().to("cpu", torch.float64).numpy()
    power = torch.from_numpy(_between_differences(matrices))
    radius = torch.ones(len(power), dtype=torch.float64)
    for doublings in range(1, DOUBLINGS + 1):
        power = torch.bmm(power, power)
        # Scaled back, lest small powers vanish.
        norms = torch.linalg.matrix_norm(power)
        power /= norms.clamp_min(SMALLEST)[:, None, None]
        radius *= norms ** (0.5**doublings)
    found: Float64 = radius.numpy()
    return found


def _visible(matrices: Tensor, *, causal: bool) -> Tensor:
    """Whether a query may see a key (query, key): within the window of the farthest look of any head."""
    behind = _behind(matrices.shape[-1])
    window = int(behind[matrices.amax(dim=0) > 0].abs().max())
    within = behind.abs() <= (window or len(behind))  # Heads that leave every token alone are no window.
    return within & (behind >= 0) if causal else within


def _behind(tokens: int) -> Tensor:
    """How far a key lies behind a query (query, key)."""
    return torch.arange(tokens)[:, None] - torch.arange(tokens)


def _permutations(visible: Tensor, seed: int) -> Tensor:
    """For each query a permutation of the keys that it may see (query, key).

    These lie side by side: the others, which get no attention, are kept to the left and to the right of them.
    """
    draws = torch.rand(visible.shape, generator=torch.Generator().manual_seed(seed))
    outside = torch.where(_behind(len(visible)) > 0, -1.0, 2.0)
    return torch.where(visible, draws, outside).argsort(dim=-1)


def _entropy(matrices: Tensor, visible: Tensor) -> Tensor:
    most = visible.sum(dim=-1).double().log()
    # Quicker than torch.special.entr, and 0 ln 0 = 0 all the same.
    logarithms = matrices.clamp_min(torch.finfo(matrices.dtype).tiny).log_()
    rows = -(matrices * logarithms).sum(dim=-1).double()
    choosing = most > 0
    return (rows[:, choosing] / most[choosing]).mean(dim=-1).clamp(0.0, 1.0)


def _diagonal_mass(matrices: Tensor) -> Tensor:
    return matrices.diagonal(dim1=1, dim2=2).double().mean(dim=-1)


def _sink_mass(matrices: Tensor, visible: Tensor) -> Tensor:
    queries = visible.sum(dim=0)
    often = 2 * queries >= queries.max()
    return (matrices.sum(dim=1).double()[:, often] / queries[often]).amax(dim=-1)
