from __future__ import annotations

from mutants.fault import Fault

TABLES = "oversmooth/results/files/tables.py"
FOLDER = "oversmooth/report/export/folder.py"
BUNDLE = "oversmooth/report/export/bundle.py"
LATEX = "oversmooth/report/export/latex.py"
LINKS = "oversmooth/results/permalink.py"
AGREEMENT = "oversmooth/results/agreement.py"
EXPLAINED = "oversmooth/results/files/explained.py"
LINK_TESTS = "tests/results/test_permalink.py tests/dashboard/test_permalinks.py"

FAULTS = [
    Fault(
        TABLES,
        'rows["input"] = pd.array([pd.NA] * len(rows), dtype="Int64")',
        "pass",
        "tests/report/export/test_tables.py",
    ),
    Fault(TABLES, 'na_rep=""', 'na_rep="nan"', "tests/report/export/test_tables.py"),
    Fault(
        TABLES,
        'any(each.curves.sizes["input"] > 1 for',
        "any(False for",
        "tests/report/export",
    ),
    Fault(
        TABLES,
        'rows["component"] <= rows["input"].map(last)',
        'rows["component"] <= last.min()',
        "tests/report/export/test_tables.py",
    ),
    Fault(
        TABLES,
        '"low": found.low, "high": found.high',
        '"low": found.high, "high": found.low',
        "tests/report/export/test_tables.py",
    ),
    Fault(FOLDER, "if present and not force:", "if present and force:", "tests/report/export/test_folder.py"),
    Fault(
        FOLDER,
        "for name in set(_present(folder)) - set(found):",
        "for name in ():",
        "tests/report/export/test_folder.py",
    ),
    Fault(FOLDER, "_remove_empty(made)\n", "pass\n", "tests/report/export/test_folder.py"),
    Fault(
        BUNDLE,
        "_DATE: Final = (1980, 1, 1, 0, 0, 0)",
        "_DATE: Final = __import__('time').localtime()[:6]",
        "tests/report/export/test_bundle.py",
    ),
    Fault(
        BUNDLE,
        "(path.exists() or path.is_symlink()) and not force",
        "path.is_symlink() and not force",
        "tests/report/export/test_bundle.py",
    ),
    Fault(
        LATEX,
        "each.left_out or each.characters_left_out",
        "each.characters_left_out",
        "tests/report/export/test_latex.py tests/test_shown_text.py",
    ),
    Fault(
        LATEX,
        "text {measurement.settings.shown + 1} of",
        "text {measurement.settings.shown} of",
        "tests/report/export/test_latex.py tests/test_shown_text.py",
    ),
    Fault(
        LINKS,
        'query.pop("shown", None)',
        'query.pop("nothing", None)',
        LINK_TESTS,
    ),
    Fault(
        LINKS,
        "for place, entry in enumerate(entries[:MOST_VARIANTS], 1):",
        "for place, entry in enumerate(entries, 1):",
        LINK_TESTS,
    ),
    Fault(LINKS, "text = given[-1]", "text = given[0]", LINK_TESTS),
    Fault(LINKS, "or [_NO_VARIANT]", 'or [""]', LINK_TESTS),
    Fault(LINKS, "if view.edited != 1 and not 0 <= view.edited <= len(labels):", "if False:", LINK_TESTS),
    Fault(
        EXPLAINED,
        'rows.loc[rows["quantity"] == "deviation", "input"] = measurement.settings.shown',
        'rows.loc[rows["quantity"] == "deviation", "input"] = 0',
        "tests/report/export/test_explained.py tests/test_shown_text.py",
    ),
]
