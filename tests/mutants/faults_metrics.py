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
STACKS = "oversmooth/metrics/stacks.py"
NUMERICS = "oversmooth/metrics/numerics.py"

FAULTS = [
    Fault(SIMILARITY, "(size * squared_lengths(means) - 1.0) / (size - 1)", "squared_lengths(means)", TESTS),
    Fault(
        SIMILARITY,
        "_mean_pairwise_cosines(stack.values, stack.lengths)",
        "_mean_pairwise_cosines(stack.values, stack.lengths**2)",
        TESTS,
    ),
    Fault(SIMILARITY, "return (total - 1.0) / (states.count - 1)", "return total / states.count", TESTS),
    Fault(SIMILARITY, "return total / states.count\n", "return (total - 1.0) / (states.count - 1)\n", TESTS),
    Fault(SIMILARITY, "/ (count * (count - 1))", "/ count**2", TESTS),
    Fault(SIMILARITY, "RBF_WIDTH = 0.5", "RBF_WIDTH = 1.0", TESTS),
    Fault(
        RANK, "entropies: Float64 = (1.0 - rest) * -np.log1p(-rest) -", "entropies: Float64 = -np.log1p(-rest) -", TESTS
    ),
    Fault(RANK, "np.exp(_entropies(spectrum.shares))", "np.exp(_entropies(spectrum.energy_shares))", TESTS),
    Fault(RANK, "floats(_entropies(spectrum.energy_shares))", "floats(_entropies(spectrum.shares))", TESTS),
    Fault(RANK, "RANKME_OFFSET = 1e-7", "RANKME_OFFSET = 1e-5", TESTS),
    Fault(
        RANK, "divisors(squared_lengths(spectrum.energy_shares))", "divisors(squared_lengths(spectrum.shares))", TESTS
    ),
    Fault(RANK, "max(states.count, states.dimension)", "min(states.count, states.dimension)", TESTS),
    Fault(RANK, "1.0 / divisors(spectrum.energy_shares[:, 0])", "1.0 / divisors(spectrum.shares[:, 0])", TESTS),
    Fault(FREQUENCY, "float(states.residual_energy**0.5)", "float(states.residual_energy)", TESTS),
    Fault(
        FREQUENCY, "states.residual_energy / states.energy", "(states.residual_energy / states.energy) ** 0.5", TESTS
    ),
    Fault(FREQUENCY, "states.count * states.residual_energy", "states.residual_energy", TESTS),
    Fault(SCALE, "stack.norms.sum(axis=1) / stack.count", "stack.norms.sum(axis=1) / stack.dimension", TESTS),
    Fault(SCALE, "sizes[:, :middle].max(axis=1)", "sizes[:, :middle].min(axis=1)", TESTS),
    Fault(SCALE, "if sizes.shape[1] % 2 == 0:", "if sizes.shape[1] % 2 == 1:", TESTS),
    Fault(
        SPECTRUM,
        "thirds = np.vecdot(deviations * deviations, deviations) / size",
        "thirds = np.vecdot(deviations, deviations) / size",
        TESTS,
    ),
    Fault(SPECTRUM, "/ size) ** 1.5)", "/ size) ** 3)", TESTS),
    Fault(SPECTRUM, "return _middle(states.relative)", "return _middle(states.shares)", TESTS),
    Fault(SPECTRUM, "ordered[(count - 1) // 2]", "ordered[count // 2]", TESTS),
    Fault(IDENTITY, "counted & (own > other)", "counted & (own >= other)", TESTS),
    Fault(IDENTITY, "apart & ~same", "apart", TESTS),
    Fault(FIDELITY, "NEIGHBOURS: Final = 12", "NEIGHBOURS: Final = 6", TESTS),
    Fault(FIDELITY, "squares - 2.0 * towards + combined", "squares - towards + combined", TESTS),
    Fault(
        FIDELITY,
        "(baseline.gram_norm * float(np.linalg.norm(gram)))",
        "(baseline.gram_norm * float(np.linalg.norm(gram)) ** 2)",
        TESTS,
    ),
    Fault(
        FIDELITY, "resolved=states.residual_resolved,", "resolved=True,", TESTS + " tests/measuring/test_fidelity.py"
    ),
    Fault(STACKS, "centred -= offset\n", "centred -= 0.5 * offset\n", TESTS),
    Fault(
        STACKS,
        "offsets = self._along_means + 0.5 * self.mean_energies[:, None]",
        "offsets = self._along_means + self.mean_energies[:, None]",
        TESTS,
    ),
    Fault(
        STACKS,
        "if self.count <= self.dimension:\n            squares = eigenvalues(self.centred_grams)[:, 1:]",
        "if self.count <= self.dimension:\n            squares = eigenvalues(self.centred_grams)",
        TESTS,
    ),
    Fault(STACKS, "self._centred_scatters + self.count * outer", "self._centred_scatters + outer", TESTS),
    Fault(STACKS, "WIDE_SPREAD = 1e5", "WIDE_SPREAD = 1e50", TESTS),
    Fault(NUMERICS, "values[row] = accurately(row, values[row, 0])[: squares.shape[1]]", "pass", TESTS),
    Fault(NUMERICS, "squares[:, ::-1]", "squares", TESTS),
    Fault(
        NUMERICS,
        "return np.concatenate([eigenvalues(each[None]) for each in matrices])",
        "return np.full(matrices.shape[:2], np.nan)",
        f"{TESTS} tests/measuring/test_analysis.py",
    ),
]
