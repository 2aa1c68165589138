from __future__ import annotations

from mutants.fault import Fault

ATTENTION = (
    "tests/mitigations/test_attention_formulas.py tests/mitigations/test_attention_invariants.py "
    "tests/mitigations/test_attention_masks.py tests/mitigations/test_attention_methods.py"
)
STATES = "tests/mitigations/test_state_methods.py tests/mitigations/test_state_methods_in_models.py"
WEIGHTS = "tests/mitigations/test_weight_methods.py"
ABLATIONS = "tests/mitigations/test_ablations.py"
CALIBRATED = "tests/mitigations/test_calibrated_methods.py"


def _of(name: str, right: str, wrong: str, tests: str) -> Fault:
    return Fault(f"oversmooth/mitigations/{name}.py", right, wrong, tests)


FAULTS = [
    _of("all_but_the_top", "svd(tokens - centre,", "svd(tokens,", CALIBRATED),
    _of("all_but_the_top", "directions[: self.components]", "directions[-self.components :]", CALIBRATED),
    _of("all_but_the_top", "(sites.depth - 1,)", "(0,)", f"{CALIBRATED} {STATES}"),
    _of("attention_temperature", "self.beta * logits", "logits / self.beta", ATTENTION),
    _of("attention_window", "~near(self.width, logits)", "~near(self.width + 1, logits)", ATTENTION),
    _of("attnscale", "(attention - place.uniform)", "(attention - 1.0 / attention.shape[-1])", ATTENTION),
    _of("attnscale", "attention + self.omega", "attention - self.omega", ATTENTION),
    _of(
        "centred_attention",
        "attention - self.kappa * place.uniform",
        "attention + self.kappa * place.uniform",
        ATTENTION,
    ),
    _of("contranorm", "/ self.temperature", "* self.temperature", STATES),
    _of("contranorm", "self.scale * (states - logits", "self.scale * (0.0 * states - logits", STATES),
    _of("contranorm", "triu(diagonal=1)", "triu(diagonal=0)", STATES),
    _of(
        "contranorm",
        'sites.before_norm(layer, "attention", self._contrast)',
        'sites.before_norm(layer, "mlp", self._contrast)',
        STATES,
    ),
    _of("dgn", "/ (2 * spread)", "/ spread", CALIBRATED),
    _of("dgn", "np.square(shares).T @", "shares.T @", CALIBRATED),
    _of(
        "featscale",
        "self.dc * (states - differing) + self.hc * differing",
        "self.hc * (states - differing) + self.dc * differing",
        STATES,
    ),
    _of(
        "fusion",
        "layers = layers[-self.last :]",
        "layers = layers[: self.last or None]",
        "tests/mitigations/test_fusion.py",
    ),
    _of("fusion", "return (1 / blocks,) * blocks", "return (1.0,) * blocks", "tests/mitigations/test_fusion.py"),
    _of("gfsa", "self.weight * (self.order - 1)", "self.weight * self.order", ATTENTION),
    _of("gfsa", "(1 + self.weight - second)", "(1 + self.weight)", ATTENTION),
    _of(
        "high_frequency_gain",
        "self.gain * high(states, causal=place.causal)",
        "self.gain * high(states, causal=False)",
        STATES,
    ),
    _of("laplacian_heads", "identity - attention[:, heads]", "attention[:, heads] - identity", ATTENTION),
    _of("laplacian_heads", "* len(heads) + 0.5", "* len(heads)", ATTENTION),
    _of("layernorm_scaling", "float(layer + 1)", "float(layer + 2)", "tests/mitigations"),
    _of("local_convolution", "place.allowed & near(self.width, attention)", "near(self.width, attention)", ATTENTION),
    _of("local_convolution", "range(0, sites.depth, 2)", "range(1, sites.depth, 2)", ATTENTION),
    _of("neutreno", "mixed + self.strength", "mixed - self.strength", ATTENTION),
    _of("no_skip", "branch - place.stream", "branch", ABLATIONS),
    _of("noise", "(self.seed, place.layer)", "(self.seed, 0)", STATES),
    _of("noise", "states.new_tensor(drawn)", "states.new_tensor(drawn).abs()", STATES),
    _of("pairnorm", "centred.square().sum(dim=1).mean().sqrt()", "centred.square().mean().sqrt()", STATES),
    _of("residual_scaling", "self.weight * branch", "branch", "tests/mitigations"),
    _of("shared_attention", "range(self.first + 1, self.last + 1)", "range(self.first + 1, self.last)", ATTENTION),
    _of("sites", "allowed.sum(dim=-1, keepdim=True).clamp(min=1)", "allowed.shape[-1]", ATTENTION),
    _of("softdecay", "(values[0] / decayed[0])", "(1.0 / decayed[0])", "tests/mitigations/test_softdecay.py"),
    _of("softdecay", "self.blend * (changed - exact)", "self.blend * changed", "tests/mitigations/test_softdecay.py"),
    _of(
        "softdecay",
        "decayed.clamp(min=0) if self.safe else decayed",
        "decayed.clamp(min=0)",
        "tests/mitigations/test_softdecay.py",
    ),
    _of("spectral_clip", "values.real.clamp(low, high)", "values.real.clamp(high, low)", WEIGHTS),
    _of("spectral_clip", "bias + (values - bias)", "values", WEIGHTS),
    _of("spectral_shift", "/ place.attention.shape[1]", "/ len(heads)", WEIGHTS),
    _of("value_residual", "range(1, sites.depth)", "range(2, sites.depth)", ATTENTION),
    _of("wave", "(place.entered - before)", "(states - before)", STATES),
    _of(
        "wave", "before: Tensor = place.memory[self, place.sequence]", "before: Tensor = place.memory[self, 0]", STATES
    ),
]
