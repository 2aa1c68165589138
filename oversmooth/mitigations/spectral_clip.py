"""Spectral clip: the eigenvalues of each head's value–output map, brought into a range."""

from functools import partial

from oversmooth.mitigations.parameters import number
from oversmooth.mitigations.registry import AttentionMitigation, mitigation
from oversmooth.mitigations.sites import AttentionPlace, OnAttention, Sites, Tensor
from oversmooth.mitigations.spectral_shift import DOVONON_2024

ORDER = 60

TOLERANCE = 1e-6
"""Relative error with which the eigenvectors must give the matrix back; float32 values carry a tenth of it."""
NIL = 1e-12
"""Eigenvalues are 0 below this share of the largest: the sign of their rounding must not decide."""


@mitigation(
    name="spectral_clip",
    title="Spectral clip",
    formula=r"W_V^h W_O^h = P \Lambda P^{-1} \;\to\; "
    r"P\,\bigl(\operatorname{clip}(\operatorname{Re}\Lambda) + i\operatorname{Im}\Lambda\bigr)\,P^{-1}",
    paper=DOVONON_2024,
    meant="ablation",
    causal_safe=True,
    position="value weights of every head",
    paper_position="none: the paper parametrises the weights anew and trains with that",
    does="Clips the real part of each eigenvalue of each head's value–output map to a range around 0.",
    caveat="An ablation inspired by the paper, not its method; the weights were trained with the spectrum they have.",
)
class SpectralClip(AttentionMitigation):
    """Puts W_V h(M) in the place of a head's W_V, with M = W_O W_V, h(λ) = f(λ)/λ, h(0) = 1 and f the clip.

    W_V h(M) W_O has the eigenvectors of W_V W_O and its eigenvalues clipped, and needs no matrix of the model's width.
    Heads whose eigenvalues all lie within the range stay bit for bit as they are; biases always do. The gain of a norm
    before attention is not counted in.
    """

    low: float = number(-1.0, "Lowest real part of an eigenvalue.", low=-10, high=0)
    high: float = number(0.0, "Highest real part of an eigenvalue.", low=0, high=10)

    def attach(self, sites: Sites) -> None:
        """Act on the values of the chosen heads, whose eigenvectors must determine their map accurately."""
        sites.require_circuits()
        changes: dict[object, OnAttention] = {}
        for layer in sites.layers():
            module = sites.anatomy.circuits[layer].value
            changes[module] = changes.get(module) or self._clipping(sites, layer)
            sites.attention(layer, "values", changes[module])

    def _clipping(self, sites: Sites, layer: int) -> OnAttention:
        from oversmooth.models.circuit import output_weights, value_bias, value_weights

        anatomy, heads = sites.anatomy, sites.heads()
        first, second = (weights(anatomy, layer).cpu().double() for weights in (value_weights, output_weights))
        matrices = second @ first
        sites.require(bool(matrices.isfinite().all()), f"the weights of block {layer} are not all finite numbers")
        factors, inside, accurate = clip_factors(matrices, self.low, self.high)
        for head in heads:
            sites.require(
                bool(accurate[head]),
                f"the value–output map of head {head} in block {layer} has eigenvectors too nearly parallel to clip "
                "single eigenvalues; choose other heads or layers",
            )
        return partial(_project, factors, inside, value_bias(anatomy, layer))


def clip_factors(matrices: Tensor, low: float, high: float) -> tuple[Tensor, Tensor, Tensor]:
    """h(M) of each matrix M (head, head dim, head dim), float64, with low ≤ 0 ≤ high.

    Also, of each head, whether all eigenvalues lie within the range already, and whether the eigenvectors are far
    enough from parallel to give M back.
    """
    import torch

    values, vectors = torch.linalg.eig(matrices)
    inverse = torch.linalg.inv_ex(vectors).inverse
    clipped = torch.complex(values.real.clamp(low, high), values.imag)
    nil = values.abs() <= NIL * values.abs().amax(dim=-1, keepdim=True)
    kept = nil | (clipped == values)
    ones = torch.ones_like(values)
    gains = torch.where(kept, ones, clipped / torch.where(kept, ones, values))

    def compose(diagonal: Tensor) -> Tensor:
        composed: Tensor = (vectors * diagonal[:, None, :]) @ inverse
        return composed

    def gives_back(diagonal: Tensor, expected: Tensor) -> Tensor:
        error = (compose(diagonal) - expected).abs().amax(dim=(-2, -1))
        return error <= TOLERANCE * expected.abs().amax(dim=(-2, -1))

    identity = torch.eye(matrices.shape[-1], dtype=values.dtype)
    accurate = gives_back(values, matrices) & gives_back(ones, identity)
    return compose(gains).real, kept.all(dim=-1), accurate


def _project(factors: Tensor, inside: Tensor, bias: Tensor, values: Tensor, _: AttentionPlace) -> Tensor:
    changed = bias + (values - bias) @ factors.to(values)
    chosen: Tensor = values.where(inside.to(values.device)[:, None, None], changed)
    return chosen
