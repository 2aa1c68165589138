from __future__ import annotations

from mutants.fault import Fault

COMPARISON = "oversmooth/results/comparison.py"
RESAMPLING = "oversmooth/core/resampling.py"
JOBS = "oversmooth/service/engine/jobs.py"
TOKENS = "oversmooth/core/tokens.py"

FAULTS = [
    Fault(
        COMPARISON,
        "return ours - theirs.reindex(point=beside).values",
        "return theirs.reindex(point=beside) - ours.values",
        "tests/results/test_comparison.py",
    ),
    Fault(
        COMPARISON,
        "if depths[0] != depths[1]:",
        "if depths[0] > depths[1]:",
        "tests/results/test_comparison.py tests/measuring/test_comparing.py",
    ),
    Fault(
        COMPARISON,
        "key=lambda item: abs(item[1])",
        "key=lambda item: item[1]",
        "tests/results/test_comparison.py tests/report/findings",
    ),
    Fault(
        COMPARISON,
        "if point in theirs and math.isfinite(theirs[point]) != math.isfinite(ours[point]):",
        "if False:",
        "tests/results/test_comparison.py",
    ),
    Fault(
        COMPARISON,
        '(each.mean("input").expand_dims("input") for each in (theirs, ours))',
        "(each[:1] for each in (theirs, ours))",
        "tests/results/test_comparison.py",
    ),
    Fault(
        RESAMPLING,
        "_ENDS: Final = (0.5 - LEVEL / 200, 0.5 + LEVEL / 200)",
        "_ENDS: Final = (0.5 - LEVEL / 100, 0.5 + LEVEL / 200)",
        "tests/core/test_resampling.py",
    ),
    Fault(
        RESAMPLING, "np.where(known, flat - mean, 0.0)", "np.where(known, flat, 0.0)", "tests/core/test_resampling.py"
    ),
    Fault(
        RESAMPLING,
        "_shares(draws @ apart[:, some], draws @ known[:, some])",
        "draws @ apart[:, some] / texts",
        "tests/core/test_resampling.py",
    ),
    Fault(
        RESAMPLING,
        "RESAMPLES: Final = 2000",
        "RESAMPLES: Final = 200",
        "tests/core/test_resampling.py",
    ),
    Fault(JOBS, "self._rounds.serve(job.address)", "pass", "tests/service/engine/test_jobs.py"),
    Fault(JOBS, ">= self._in_flight:", "> self._in_flight:", "tests/service/engine/test_jobs.py"),
    Fault(JOBS, "+ self._limit:", "+ self._limit + 1:", "tests/service/engine/test_jobs.py"),
    Fault(JOBS, "if not job.wanted:", "if job.wanted:", "tests/service/engine/test_jobs.py"),
    Fault(JOBS, "self._results.put(job.key, outcome)", "pass", "tests/service/engine/test_jobs.py"),
    Fault(JOBS, "self._order().index(job) + 1", "self._order().index(job)", "tests/service/engine/test_jobs.py"),
    Fault(
        TOKENS,
        "step = -(-len(categories) // max_ticks) or 1",
        "step = len(categories) // max_ticks or 1",
        "tests/core/test_tokens.py",
    ),
    Fault(TOKENS, "return EMPTY\n", 'return ""\n', "tests/core/test_tokens.py"),
    Fault(TOKENS, "[:: factor * step]", "[::factor]", "tests/core/test_tokens.py"),
    Fault(
        TOKENS,
        "({positions[start]}–{positions[last]})",
        "({start}–{last})",
        "tests/core/test_tokens.py tests/core/test_token_numbers.py",
    ),
    Fault("oversmooth/core/bytecache.py", "self.pop(key, None)\n", "pass\n", "tests/core/test_bytecache.py"),
    Fault("oversmooth/core/bytecache.py", "<= self.maxsize", "< self.maxsize", "tests/core/test_bytecache.py"),
    Fault(
        "oversmooth/service/engine/cache.py",
        "variable.values.setflags(write=False)",
        "pass",
        "tests/service/engine/test_jobs.py tests/service/engine/test_cache.py",
    ),
    Fault("oversmooth/service/engine/cache.py", "file.st_ctime_ns", "0", "tests/service/engine/test_cache.py"),
    Fault(
        "oversmooth/service/engine/cache.py",
        "settings.key(), folder_fingerprint(settings.model)",
        "settings.key(), ()",
        "tests/service/engine/test_cache.py tests/service/engine/test_engine.py",
    ),
]
