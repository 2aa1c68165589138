from __future__ import annotations

from mutants.fault import Fault

TESTS = "tests/report/findings"


def _of(name: str, right: str, wrong: str, tests: str = TESTS) -> Fault:
    return Fault(f"oversmooth/report/findings/{name}.py", right, wrong, tests)


FAULTS = [
    _of("changes", "both = known[:, [start]] & known[:, [end]]", "both = known[:, [start]] | known[:, [end]]"),
    _of(
        "changes",
        "names = [point for point in measurement.main_points if point != points.FINAL_NORM]",
        "names = list(measurement.main_points)",
    ),
    _of("changes", "most * (1 - TIE)", "0.5 * most"),
    _of("changes", "found = band(self.values[:, -1])", "found = band(self.values[:, 0])"),
    _of("changes", "return self.last - self.first", "return self.first - self.last"),
    _of("changes", "ratio if ratio >= APART or ratio <= 1 / APART else 1.0", "1.0"),
    _of("changes", "FLAT_COSINE = 0.02", "FLAT_COSINE = 0.2"),
    _of("changes", "means[first_point], means[last_point]", "means[last_point], means[first_point]"),
    _of("collapse", "COLLAPSED_SHARE: Final = 1e-4", "COLLAPSED_SHARE: Final = 1e-2"),
    _of(
        "collapse",
        'first = (first or point) if state == "collapsed" else None',
        'first = first or (point if state == "collapsed" else None)',
    ),
    _of("collapse", "most = COLLAPSED_SHARE if point in outliers else BESIDE_LARGEST", "most = 1e9"),
    _of("collapse", "np.nan_to_num(most).max(axis=0)", "np.nan_to_num(most).min(axis=0)"),
    _of("collapse", "found[point] >= MASSIVE", "found[point] >= 0.1 * MASSIVE"),
    _of(
        "collapse",
        "reached = np.nan_to_num(activation_ratios(measurement)).max(axis=0, initial=0.0)",
        "reached = np.nan_to_num(activation_ratios(measurement))[0]",
    ),
    _of("explanations", "share = change.size / change.total", "share = change.total / change.size"),
    _of("explanations", "if 0.5 < share <= 1 + TIE:", "if 0.1 < share <= 1 + TIE:"),
    _of("whether", "return self.within - self.between", "return self.between - self.within"),
    _of("whether", "if self.own < 0:", "if self.own < -9:"),
    _of("whether", "100 * over.share:.0f", "100 * over.between:.0f"),
    _of(
        "whether",
        'first = (first or point) if each.kind == "own" else None',
        'first = first or (point if each.kind == "own" else None)',
    ),
    _of("spread", "found.low.tolist(), found.high.tolist()", "found.high.tolist(), found.low.tolist()"),
    _of("spread", 'if found is None or found.sizes["input"] < 2:', "if found is None:"),
    _of("changes", 'if note.kind == "missing":', "if note.kind:", "tests/report/findings tests/cli/test_cli.py"),
    _of(
        "comparisons",
        "sizes = [abs(each.delta_to(baseline)) for each in defined]",
        "sizes = [each.delta_to(baseline) for each in defined]",
    ),
    _of(
        "comparisons",
        "measurement.curve(name)[end]\n        if name in measurement.metrics",
        "measurement.curve(name)[next(iter(measurement.curve(name)))]\n        if name in measurement.metrics",
    ),
]
