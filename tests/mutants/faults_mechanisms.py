from __future__ import annotations

from mutants.fault import Fault

TESTS = "tests/metrics/mechanisms"
CORPUS = "tests/metrics/mechanisms/test_corpus.py"


def _of(name: str, right: str, wrong: str, tests: str = TESTS) -> Fault:
    return Fault(f"oversmooth/metrics/mechanisms/{name}.py", right, wrong, tests)


FAULTS = [
    _of("attention", "return matrices[:, :-1, :-1] - matrices[:, -1:, :-1]", "return matrices[:, :-1, :-1]"),
    _of("attention", "within & (behind >= 0) if causal else within", "within"),
    _of("attention", "(rows[:, choosing] / most[choosing]).mean", "rows[:, choosing].mean"),
    _of("attention", "often = 2 * queries >= queries.max()", "often = queries >= 0"),
    _of(
        "attention",
        "matrices.diagonal(dim1=1, dim2=2).double().mean(dim=-1)",
        "matrices.diagonal(dim1=1, dim2=2).double().amax(dim=-1)",
    ),
    _of(
        "attention",
        "found[finite, 1:] = matrices[finite].diagonal(axis1=1, axis2=2)[:, 1:]",
        "found[finite, 1:] = matrices[finite].diagonal(axis1=1, axis2=2)[:, :-1]",
    ),
    _of("attention", "radius *= norms ** (0.5**doublings)", "radius *= norms ** 0.5"),
    _of("attention", "leading.first - leading.second", "leading.second - leading.first"),
    _of("attention", "(one.norm() * other.norm())", "one.norm() ** 2"),
    _of("singular_values", "images -= images.mean(dim=-1, keepdim=True)\n", "images = images * 1.0\n"),
    _of("singular_values", "if failed.any():", "if False:"),
    _of(
        "singular_values",
        "return torch.from_numpy(np.sqrt(np.maximum(squares, 0.0)))",
        "return torch.from_numpy(np.maximum(squares, 0.0))",
    ),
    _of("bound", "(1 + roots * heads * s)", "(1 + roots * s)"),
    _of("bound", "(gains.prod(axis=-1) / deviations.prod(axis=-1))", "(1.0 / deviations.prod(axis=-1))"),
    _of("bound", "np.maximum(self.attention, self.mlp)", "self.attention"),
    _of(
        "bound",
        "distances[..., 1:] / distances[..., :-1], np.nan)",
        "distances[..., :-1] / distances[..., 1:], np.nan)",
    ),
    _of("bound", "[-1].sqrt())", "[0].sqrt())"),
    _of("bound", "if not anatomy.post_norm:", "if anatomy.post_norm:"),
    _of("norms", 'if kind == "LayerNorm":', 'if kind == "RMSNorm":'),
    _of("norms", "float((gain < 0).mean())", "float((gain <= 0).sum())"),
    _of("circuits", "gain[:, None] * values", "values"),
    _of("circuits", "np.abs(smoothing - sharpening) <= TIE * gain", "smoothing == np.inf"),
    _of(
        "circuits", 'np.where(token == 0, "smoothing", "sharpening")', 'np.where(token == 0, "sharpening", "smoothing")'
    ),
    _of("circuits", "gain <= 1.0 + NEUTRAL", "gain <= 1.5"),
    _of("circuits", "reach = 1.0 + other_radius(attention)", "reach = other_radius(attention)"),
    _of("corpus", "- 1.0) / (lengths - 1.0)", ") / lengths", CORPUS),
    _of("corpus", "(total @ total - np.vdot(known, known)) / (size * (size - 1))", "(total @ total) / size**2", CORPUS),
    _of("corpus", "centred[:, varied] / deviations[varied]", "centred[:, varied]", CORPUS),
    _of("corpus", "within[lengths < 2] = np.nan\n", "within[lengths < 1] = np.nan\n", CORPUS),
    _of("corpus", "products += 2.0 * (beyond @ beyond.T)", "products += beyond @ beyond.T", CORPUS),
    _of(
        "corpus",
        "sum(total <= limit for total in accumulate(self._lengths))",
        "sum(total <= limit for total in self._lengths)",
        CORPUS,
    ),
    _of("corpus", "each[list(numbers)] = found.within_each", "each[: len(numbers)] = found.within_each", CORPUS),
]
