from __future__ import annotations

from mutants.fault import Fault

ANALYSIS = "oversmooth/measuring/analysis.py"
WATERFALL = "oversmooth/results/waterfall.py"
GAINS = "oversmooth/results/gains.py"
FIDELITY = "oversmooth/measuring/fidelity.py"
RETRIEVAL = "oversmooth/measuring/retrieval.py"
SETTINGS = "oversmooth/results/settings.py"
LANGUAGE_MODEL = "oversmooth/measuring/language_model.py"
RESOLUTION = "oversmooth/measuring/resolution.py"
OF_RESOLUTION = "tests/measuring/test_resolution.py tests/metrics/test_states.py"
WHY = "tests/results/test_waterfall.py tests/results/test_gains.py"
BESIDE = "tests/measuring/test_fidelity.py tests/measuring/test_comparing.py"

FAULTS = [
    Fault(
        ANALYSIS,
        "if place.text != self.shown:",
        "if place.text != 0:",
        "tests/measuring/test_analysis.py tests/test_shown_text.py",
    ),
    Fault(
        "oversmooth/metrics/similarity.py",
        "return sums / (sizes[:, None] * sizes)",
        "return sums / factor**2",
        "tests/measuring/test_analysis.py",
    ),
    Fault(
        ANALYSIS,
        "self.factor = -(-tokens // MAP_TOKENS)",
        "self.factor = tokens // MAP_TOKENS + 1",
        "tests/measuring/test_analysis.py tests/measuring/test_measuring.py",
    ),
    Fault(
        ANALYSIS,
        "(note.input, self.points[note.point])",
        "(self.points[note.point], note.input)",
        "tests/measuring/test_analysis.py tests/measuring/test_measuring.py",
    ),
    Fault(
        "oversmooth/measuring/measured_rows.py",
        "xp.all(xp.isfinite(stored), axis=(1, 2))",
        "~xp.any(xp.isnan(stored), axis=(1, 2))",
        "tests/measuring/test_analysis.py tests/measuring/test_measuring.py",
    ),
    Fault(WATERFALL, "both = np.isfinite(start) & np.isfinite(end)", "both = np.isfinite(end)", WHY),
    Fault(WATERFALL, "key=lambda step: -abs(step.change)", "key=lambda step: -step.change", WHY),
    Fault(
        WATERFALL,
        "yield found.values[index[span.start_point]], found.values[index[span.end_point]]",
        "yield found.values[index[span.end_point]], found.values[index[span.start_point]]",
        WHY,
    ),
    Fault(
        GAINS,
        "enters = points.block(layer - 1) if layer else points.EMBEDDING",
        "enters = points.block(layer) if layer else points.EMBEDDING",
        WHY,
    ),
    Fault(
        GAINS,
        'after = points.sub_layer(layer, "mlp") if post_norm else points.block(layer)',
        "after = points.block(layer)",
        WHY,
    ),
    Fault(GAINS, "normed if post_norm else middle, after", "normed, after", WHY),
    Fault(FIDELITY, "Place(place.text, self._last_block) if place.point == points.FUSION else place", "place", BESIDE),
    Fault(FIDELITY, "if points.is_block(name)][-1]", "if points.is_block(name)][0]", BESIDE),
    Fault(RETRIEVAL, "counted & (texts == place.text)", "counted", BESIDE),
    Fault(RETRIEVAL, "if len(identities) <= room:", "if len(identities) < room:", BESIDE),
    Fault(
        SETTINGS,
        "self.texts, self.special_tokens,",
        "self.texts,",
        f"{BESIDE} tests/measuring/test_measuring.py",
    ),
    Fault(
        SETTINGS,
        "self.max_tokens, self.points,",
        "self.points,",
        f"{BESIDE} tests/measuring/test_measuring.py",
    ),
    Fault(
        LANGUAGE_MODEL,
        "torch.tensor([at - 1 for _, at in asked]",
        "torch.tensor([at for _, at in asked]",
        "tests/measuring/test_language_model.py",
    ),
    Fault(
        LANGUAGE_MODEL,
        'read["input_ids"][rows, positions] = int(model.tokenizer.mask_token_id)\n',
        'read["input_ids"][rows, positions] += 0\n',
        "tests/measuring/test_language_model.py",
    ),
    Fault(
        LANGUAGE_MODEL,
        "torch.where(base == -torch.inf, 0.0, base.exp() * (base - log))",
        "log.exp() * (log - base)",
        "tests/measuring/test_language_model.py",
    ),
    Fault(LANGUAGE_MODEL, "each / asked for name", "each for name", "tests/measuring/test_language_model.py"),
    Fault(
        LANGUAGE_MODEL,
        'first = 1 if model.prediction == "causal" else 0',
        "first = 0",
        "tests/measuring/test_language_model.py",
    ),
    Fault(RESOLUTION, "self._drowned[number] = max(self._drowned[number], floor / differing)", "pass", OF_RESOLUTION),
    Fault(RESOLUTION, "max(size, self._sizes[number]) if self._is_sum(point) else size", "size", OF_RESOLUTION),
    Fault(RESOLUTION, "NEGLIGIBLE: Final = 1 / 64", "NEGLIGIBLE: Final = 64.0", OF_RESOLUTION),
    Fault(RESOLUTION, "if point == points.FUSION:", "if not point:", OF_RESOLUTION),
    Fault("oversmooth/metrics/numerics.py", "2.0**-18", "2.0**-24", OF_RESOLUTION),
]
