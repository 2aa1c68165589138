from __future__ import annotations

from mutants.fault import Fault

LIMITS = "oversmooth/service/hosting/limits.py"
HEADERS = "oversmooth/service/server/headers.py"
HOSTS = "oversmooth/service/server/hosts.py"
ROUNDS = "oversmooth/service/engine/rounds.py"
TEXTS = "oversmooth/core/texts.py"
SEPARATORS = "oversmooth/core/reading/separators.py"
DESCRIBING = "oversmooth/models/describing.py"
INPUTS = "oversmooth/models/inputs.py"
OBSERVING = "oversmooth/measuring/intervention/observing.py"
CONTEXT = "oversmooth/measuring/intervention/context.py"
OF_LIMITS = "tests/service/hosting/test_limits.py"
OF_SERVER = "tests/service/server"
OF_TEXTS = "tests/core/test_texts.py"
OF_TOKENS = "tests/models/test_inputs.py tests/core/test_pairs.py"

FAULTS = [
    Fault(LIMITS, "read > limits.characters", "read > 10 * limits.characters", OF_LIMITS),
    Fault(LIMITS, "texts > limits.texts", "texts >= limits.texts", OF_LIMITS),
    Fault(LIMITS, "settings.max_tokens > limits.tokens", "settings.max_tokens > limits.tokens + 1", OF_LIMITS),
    Fault(LIMITS, "sides = 1 + len(settings.mitigations)", "sides = 1", OF_LIMITS),
    Fault(LIMITS, "max(tokens) ** 2 * PAIR_BYTES * maps", "max(tokens) * PAIR_BYTES * maps", OF_LIMITS),
    Fault(LIMITS, "if settings.revision not in (None, model.commit):", "if False:", OF_LIMITS),
    Fault(
        LIMITS,
        "model.parameters * (1 + twice) <= limits.parameters",
        "model.parameters <= limits.parameters",
        OF_LIMITS,
    ),
    Fault(HEADERS, '"form-action": "\'none\'",', '"form-action": "\'self\'",', OF_SERVER),
    Fault(HEADERS, '"x-content-type-options": "nosniff",', "", OF_SERVER),
    Fault(HEADERS, '"connect-src": "\'self\'",', '"connect-src": "*",', OF_SERVER),
    Fault(
        HOSTS,
        "if origin is not None and _authority(origin) !=",
        "if origin is None and _authority(origin) !=",
        OF_SERVER,
    ),
    Fault(HOSTS, "*([_LOCALHOST] if loopback else ())", '*([_LOCALHOST, "*"] if loopback else ())', OF_SERVER),
    Fault(
        ROUNDS,
        "served.get(each, -1)",
        "served.get(each, 10**9)",
        "tests/service/engine/test_jobs.py tests/service/engine/test_engine.py",
    ),
    Fault(
        ROUNDS,
        "self._served.pop(address, None)",
        "pass",
        "tests/service/engine/test_jobs.py tests/service/engine/test_engine.py",
    ),
    Fault(TEXTS, "MOST_TEXTS = 1000", "MOST_TEXTS = 1001", f"{OF_TEXTS} tests/cli/test_cli_texts.py"),
    Fault(
        TEXTS,
        "if all(map(str.strip, given)):",
        "if any(map(str.strip, given)):",
        f"{OF_TEXTS} tests/core/test_pairs.py",
    ),
    Fault(SEPARATORS, "skip = 1 if told else 0", "skip = 0", OF_TEXTS),
    Fault(SEPARATORS, "return rows if len({len(row) for row in rows}) <= 1 else None", "return rows", OF_TEXTS),
    Fault(DESCRIBING, 'return "special" if number in model.special_ids else "content"', 'return "content"', OF_TOKENS),
    Fault(DESCRIBING, "if segment is None and number == cls), None)", "if number == cls), None)", OF_TOKENS),
    Fault(DESCRIBING, "measured=special_tokens or kind", "measured=kind", OF_TOKENS),
    Fault(INPUTS, "CHARACTERS_PER_TOKEN = 16", "CHARACTERS_PER_TOKEN = 1", OF_TOKENS),
    Fault(OBSERVING, "self._see = None\n", "pass\n", "tests/measuring/intervention/test_observing.py"),
    Fault(
        OBSERVING,
        "if self._next is not None:\n                raise RuntimeError",
        "if False:\n                raise RuntimeError",
        "tests/measuring/intervention/test_observing.py",
    ),
    Fault(
        CONTEXT,
        "stack.callback(self._model.mitigated_by.clear)\n",
        "pass\n",
        "tests/measuring/intervention/test_context.py",
    ),
]
