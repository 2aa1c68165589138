"""The largest singular values of many matrices at once, far quicker than a decomposition, and as good as one.

A block of vectors is filtered by a Chebyshev polynomial of the Gram matrix in float32; the values it gives in the
matrix's own precision are certified by their residuals. A matrix that is not certified is decomposed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import torch
from torch import Tensor

BLOCK: Final = 8
"""Vectors that are filtered together: two are wanted, the others widen the gap that the filter works with."""
DEGREES: Final = (4, 6)
"""Of the polynomials, between which the block is made orthonormal."""
SMALLEST: Final = 1e-30
"""Eigenvalues below are taken for 0."""
POWER_STEPS: Final = 6
"""Towards the first eigenvector; where these are too few, its residual tells."""
LARGEST_AMPLIFICATION: Final = 100.0
"""Ratio of the largest eigenvalue to the cut, beyond which float32 would lose the others beside it."""
TOLERANCE: Final = 1e-9
"""Twice the error of a singular value, as a share of the largest."""
SHUFFLED_TOLERANCE: Final = 1e-5
"""Of the shuffled matrices, which are a draw of chance anyway."""
SMALL: Final = 32
"""Up to this size a decomposition costs no more."""


@dataclass(frozen=True)
class Leading:
    """The leading singular values of row-stochastic matrices, each float64 (matrix)."""

    centred: Tensor
    """s₁ of RA, R = I − 11ᵀ/n."""
    first: Tensor
    """s₁ of A."""
    second: Tensor
    """s₂ of A."""
    shuffled: Tensor
    """s₁ of RÃ, for the matrix that is set beside A."""


def leading_singular_values(matrices: Tensor, shuffled: Tensor) -> Leading:
    """Of matrices A and others Ã beside them, both (matrix, n, n) with n > 1 and entries not below 0."""
    if matrices.shape[-1] <= SMALL:
        root, beside = (_decomposed(_centred(each), 1) for each in (matrices, shuffled))
        whole = _decomposed(matrices, 2)
        return Leading(root[:, 0], whole[:, 0], whole[:, 1], beside[:, 0])
    count = len(matrices)
    mean = matrices.mean(dim=1, keepdim=True).float()
    both = torch.cat((_centred(matrices).float(), _centred(shuffled).float()))
    gram = both.new_empty(3 * count, *both.shape[1:])
    torch.bmm(both.mT, both, out=gram[: 2 * count])
    first = _first(gram[:count], mean)
    _without(first, gram[:count], mean, out=gram[2 * count :])
    rows = _leading(gram)
    precise = matrices.double()
    # Once more in full precision: what float32 left in it would hide a second value that is far smaller.
    first = torch.bmm(torch.bmm(first.double(), precise.mT), precise)
    root = _certified(precise, rows[:count], 1, TOLERANCE, centre=True)
    whole = _certified(precise, torch.cat((first, rows[2 * count :].double()), dim=1), 2, TOLERANCE)
    beside = _certified(both[count:], rows[count : 2 * count], 1, SHUFFLED_TOLERANCE)
    return Leading(root[:, 0], whole[:, 0], whole[:, 1], beside[:, 0])


def _centred(matrices: Tensor) -> Tensor:
    return matrices - matrices.mean(dim=1, keepdim=True)


def _first(gram: Tensor, mean: Tensor) -> Tensor:
    """The first eigenvector (matrix, 1, n) of AᵀA = (RA)ᵀRA + n mᵀm, by steps from m, which in attention is near it.

    Args:
        gram: (RA)ᵀRA of each matrix.
        mean: m, the mean row of each (matrix, 1, n).
    """
    first = mean
    for _ in range(POWER_STEPS):
        along = mean.shape[-1] * (first * mean).sum(dim=-1, keepdim=True)
        first = torch.nn.functional.normalize(torch.bmm(first, gram) + along * mean, dim=-1)
    return first


def _without(first: Tensor, gram: Tensor, mean: Tensor, out: Tensor) -> None:
    """(I − v vᵀ)AᵀA(I − v vᵀ), v the first eigenvector: beside its value, float32 would not see the others.

    From (RA)ᵀRA and what of the mean row is not along v, so that nothing large is subtracted.
    """
    mapped = torch.bmm(first, gram)
    half = mapped - 0.5 * (mapped * first).sum(dim=-1, keepdim=True) * first
    rest = mean - (mean * first).sum(dim=-1, keepdim=True) * first
    left, right = torch.cat((first, half, rest), dim=1), torch.cat((half, first, -mean.shape[-1] * rest), dim=1)
    torch.baddbmm(gram, left.mT, right, alpha=-1, out=out)


def _leading(gram: Tensor) -> Tensor:
    """Orthonormal rows (matrix, block, n) that nearly hold the leading eigenvectors of Gram matrices in float32."""
    rows = torch.bmm(_start(gram.shape[-1]).expand(len(gram), -1, -1), gram)
    for degree in DEGREES:
        values, rows = _rotated(gram, rows)
        rows = _filtered(gram, rows, values, degree)
    return rows


@lru_cache(maxsize=64)
def _start(size: int) -> Tensor:
    """Directions that have something of every eigenvector: drawn once and for all."""
    return torch.randn(BLOCK, size, generator=torch.Generator().manual_seed(0))


def _orthonormal(rows: Tensor) -> Tensor:
    directions: Tensor = torch.linalg.qr(rows.mT).Q.mT
    return directions


def _rotated(gram: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Rayleigh–Ritz: the best eigenvalues, ascending (matrix, block), and eigenvectors that combine the rows."""
    rows = _orthonormal(rows)
    values, turn = torch.linalg.eigh(torch.bmm(torch.bmm(rows, gram), rows.mT))
    return values, torch.bmm(turn.mT, rows)


def _filtered(gram: Tensor, rows: Tensor, values: Tensor, degree: int) -> Tensor:
    """T(2G/c − 1) applied to the rows: eigenvalues up to the cut c stay below 1, those above grow with the degree."""
    cut = torch.maximum(values[:, 0], values.abs().amax(dim=-1) / LARGEST_AMPLIFICATION)
    scale = torch.where(cut > SMALLEST, 2.0 / cut, 0.0)[:, None, None]
    before, now = rows, torch.bmm(rows, gram).mul_(scale).sub_(rows)
    scale = 2.0 * scale
    for _ in range(degree - 1):
        following = torch.bmm(now, gram).mul_(scale).sub_(now, alpha=2.0).sub_(before)
        before, now = now, following
    return now


def _certified(matrices: Tensor, rows: Tensor, count: int, tolerance: float, *, centre: bool = False) -> Tensor:
    """Singular values (matrix, count), descending, on the span of the rows; by a decomposition where that errs.

    Args:
        matrices: A, in the precision of the result.
        rows: that nearly hold the leading eigenvectors (matrix, row, n).
        count: of values.
        tolerance: relative error of their squares.
        centre: of RA instead of A.
    """
    rows = _orthonormal(rows.to(matrices.dtype))
    images = torch.bmm(rows, matrices.mT)
    if centre:
        images -= images.mean(dim=-1, keepdim=True)
    squares, turn = torch.linalg.eigh(torch.bmm(images, images.mT))
    rows, images = torch.bmm(turn.mT, rows), torch.bmm(turn.mT, images)
    residuals = torch.bmm(images, matrices).sub_(rows * squares[:, :, None]).double().square().sum(dim=-1).flip(-1)
    squares = squares.double().flip(-1).clamp_min(0.0)
    found: Tensor = squares[:, :count].sqrt()
    failed = ~_converged(squares, residuals, count, tolerance)
    if failed.any():
        found[failed] = _decomposed(_centred(matrices[failed]) if centre else matrices[failed], count)
    return found


def _converged(squares: Tensor, residuals: Tensor, count: int, tolerance: float) -> Tensor:
    """Whether the leading eigenvalues err by less than the tolerance, by their squared residuals: (matrix,).

    An eigenvalue θ_k errs by at most ‖r_k‖, and, with the first j ≥ k beside a gap to the next, by at most
    (‖r_1‖² + … + ‖r_j‖²)/(θ_k − θ_{j+1}) (Temple, Kato).
    """
    together = residuals.cumsum(dim=-1)
    good: Tensor = torch.ones(len(squares), dtype=torch.bool)
    for k in range(count):
        # An error of θ_k is one of s_k = √θ_k, divided by 2 s_k: the tolerance is a share of s₁.
        allowed = tolerance * (squares[:, :1] * squares[:, k : k + 1]).sqrt()
        gaps = squares[:, k : k + 1] - squares[:, k + 1 :]
        apart = (together[:, k:-1] <= allowed * gaps) & (gaps > 0)
        good = good & (apart.any(dim=-1) | (residuals[:, k] <= allowed[:, 0].square()))
    return good


def _decomposed(matrices: Tensor, count: int) -> Tensor:
    """The leading singular values, descending: float64 (matrix, count)."""
    # NumPy's, one matrix after the other: beside torch's team of threads its small decompositions are quicker.
    precise = matrices.double().numpy()
    if count == 1:
        # The largest loses nothing in a Gram matrix, which is decomposed in a quarter of the time.
        squares = np.linalg.eigvalsh(precise.swapaxes(1, 2) @ precise)[:, -1:]
        return torch.from_numpy(np.sqrt(np.maximum(squares, 0.0)))
    return torch.from_numpy(np.linalg.svd(precise, compute_uv=False)[:, :count])
