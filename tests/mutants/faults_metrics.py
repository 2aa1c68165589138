from __future__ import annotations

from mutants.fault import Fault

TESTS = "tests/metrics"
SIMILARITY = "oversmooth/metrics/similarity.py"
RANK = "oversmooth/metrics/rank.py"
FREQUENCY = "oversmooth/metrics/frequency.py"
SCALE = "oversmooth/metrics/scale.py"
SPECTRUM = "oversmooth/metrics/spectrum.py"
IDENTITY = "oversmooth/metrics/identity.py"
FIDELITY = "oversmooth/metrics/fidelity.py"
BASELINE = "oversmooth/metrics/baseline.py"
STATES = "oversmooth/metrics/states.py"
EVALUATING = "oversmooth/metrics/evaluating.py"
REQUIREMENTS = "oversmooth/metrics/requirements.py"
NUMERICS = "oversmooth/metrics/numerics.py"

FAULTS = [
    Fault(SIMILARITY, "(size * squared_lengths(means) - 1.0) / (size - 1)", "squared_lengths(means)", TESTS),
    Fault(
        SIMILARITY,
        "_mean_pairwise_cosines(states.values, states.lengths)",
        "_mean_pairwise_cosines(states.values, states.lengths**2)",
        TESTS,
    ),
    Fault(SIMILARITY, "(total - (states.count - others)) / divisors(others)", "total / states.count", TESTS),
    Fault(SIMILARITY, "return states.count - states.xp.astype(", "return states.count - 0 * states.xp.astype(", TESTS),
    Fault(SIMILARITY, "/ (size * (size - 1))", "/ size**2", TESTS),
    Fault(SIMILARITY, "RBF_WIDTH = 0.5", "RBF_WIDTH = 1.0", TESTS),
    Fault(RANK, "return (1.0 - rest) * -xp.log1p(-rest) -", "return -xp.log1p(-rest) -", TESTS),
    Fault(RANK, "states.xp.exp(_entropies(states.shares))", "states.xp.exp(_entropies(states.energy_shares))", TESTS),
    Fault(RANK, "return _entropies(states.energy_shares)", "return _entropies(states.shares)", TESTS),
    Fault(RANK, "RANKME_OFFSET = 1e-7", "RANKME_OFFSET = 1e-5", TESTS),
    Fault(RANK, "divisors(squared_lengths(states.energy_shares))", "divisors(squared_lengths(states.shares))", TESTS),
    Fault(RANK, "max(states.count, states.dimension)", "min(states.count, states.dimension)", TESTS),
    Fault(RANK, "1.0 / divisors(states.energy_shares[:, 0])", "1.0 / divisors(states.shares[:, 0])", TESTS),
    Fault(FREQUENCY, "return states.xp.sqrt(states.residual_sums)", "return states.residual_sums", TESTS),
    Fault(
        FREQUENCY,
        "states.residual_sums / divisors(states.energies)",
        "(states.residual_sums / divisors(states.energies)) ** 0.5",
        TESTS,
    ),
    Fault(FREQUENCY, "states.count * states.residual_sums", "states.residual_sums", TESTS),
    Fault(
        SCALE,
        "states.xp.sum(states.norms, axis=1) / states.count",
        "states.xp.sum(states.norms, axis=1) / states.dimension",
        TESTS,
    ),
    Fault(NUMERICS, "xp.max(ordered[:, :half], axis=-1)", "xp.min(ordered[:, :half], axis=-1)", TESTS),
    Fault(NUMERICS, "if values.shape[-1] % 2:", "if values.shape[-1] % 2 == 0:", TESTS),
    Fault(
        SPECTRUM,
        "thirds = states.xp.vecdot(deviations * deviations, deviations)",
        "thirds = states.xp.vecdot(deviations, deviations)",
        TESTS,
    ),
    Fault(SPECTRUM, "divisors(_variances(states)) ** 1.5", "divisors(_variances(states)) ** 3", TESTS),
    Fault(SPECTRUM, "return _middle(states.relative)", "return _middle(states.shares)", TESTS),
    Fault(SPECTRUM, "ordered[:, (size - 1) // 2]", "ordered[:, size // 2]", TESTS),
    Fault(IDENTITY, "counted & on_host(own > other)", "counted & on_host(own >= other)", TESTS),
    Fault(IDENTITY, "(apart & equal, apart & ~equal)", "(apart & equal, apart)", TESTS),
    Fault(BASELINE, "NEIGHBOURS: Final = 12", "NEIGHBOURS: Final = 6", TESTS),
    Fault(BASELINE, "squares - 2.0 * towards + combined", "squares - towards + combined", TESTS),
    Fault(
        FIDELITY,
        "baseline.gram_norms * frobenius_norms(grams)",
        "baseline.gram_norms * frobenius_norms(grams) ** 2",
        TESTS,
    ),
    Fault(
        FIDELITY,
        "return states.residual_resolved & baseline.resolved",
        "return states.residual_resolved",
        TESTS + " tests/measuring/test_fidelity.py",
    ),
    Fault(BASELINE, " and [row for _, row in texts] == list(range(len(first.means)))", "", TESTS),
    Fault(STATES, "centred -= offset\n", "centred -= 0.5 * offset\n", TESTS),
    Fault(
        STATES,
        "offsets = self._along_means + 0.5 * self.mean_energies[:, None]",
        "offsets = self._along_means + self.mean_energies[:, None]",
        TESTS,
    ),
    Fault(
        STATES,
        "if self.count <= self.dimension:\n            squares = eigenvalues(self.centred_grams)[:, 1:]",
        "if self.count <= self.dimension:\n            squares = eigenvalues(self.centred_grams)",
        TESTS,
    ),
    Fault(STATES, "self._centred_scatters + self.count * outer", "self._centred_scatters + outer", TESTS),
    Fault(STATES, "WIDE_SPREAD = 1e5", "WIDE_SPREAD = 1e50", TESTS),
    Fault(STATES, 'for name in ("shares", "energy_shares", "relative"):', "for name in ():", TESTS),
    Fault(NUMERICS, "values[row, :] = accurately(row, values[row, 0])[: squares.shape[1]]", "pass", TESTS),
    Fault(NUMERICS, "xp.flip(squares, axis=1)", "squares", TESTS),
    Fault(
        NUMERICS,
        "return xp.concat([eigenvalues(matrices[row : row + 1]) for row in range(matrices.shape[0])])",
        "return xp.full_like(matrices[:, 0], np.nan)",
        f"{TESTS} tests/measuring/test_analysis.py",
    ),
    Fault(
        EVALUATING,
        "missing.setdefault((number, text), failures",
        "missing.setdefault((number, 0), failures",
        TESTS,
    ),
    Fault(EVALUATING, "if tuple(values.shape) != (states.texts,):", "if False:", TESTS),
    Fault(EVALUATING, "if states.texts == 1:", "if True:", TESTS),
    Fault(REQUIREMENTS, "states.xp.all(states.norms > 0.0, axis=1), _zeros", "states.energies > 0.0, _zeros", TESTS),
]
