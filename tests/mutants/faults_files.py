from __future__ import annotations

from mutants.fault import Fault

TABLES = "oversmooth/export/tables.py"
FOLDER = "oversmooth/export/folder.py"
BUNDLE = "oversmooth/export/bundle.py"
LATEX = "oversmooth/export/latex.py"
LINKS = "oversmooth/permalink.py"
AGREEMENT = "oversmooth/agreement.py"
EXPLAINED = "oversmooth/export/explained.py"
LINK_TESTS = "tests/test_permalink.py tests/dashboard/test_permalinks.py"

FAULTS = [
    Fault(
        TABLES, 'rows["input"] = pd.array([pd.NA] * len(rows), dtype="Int64")', "pass", "tests/export/test_tables.py"
    ),
    Fault(TABLES, 'na_rep=""', 'na_rep="nan"', "tests/export/test_tables.py"),
    Fault(TABLES, 'if any(each.curves.sizes["input"] > 1 for each in sides.values()):', "if False:", "tests/export"),
    Fault(
        TABLES,
        'rows["component"] <= rows["input"].map(last)',
        'rows["component"] <= last.min()',
        "tests/export/test_tables.py",
    ),
    Fault(
        TABLES,
        '"low": found.low, "high": found.high',
        '"low": found.high, "high": found.low',
        "tests/export/test_tables.py",
    ),
    Fault(FOLDER, "if present and not force:", "if present and force:", "tests/export/test_folder.py"),
    Fault(FOLDER, "for name in set(_present(folder)) - set(found):", "for name in ():", "tests/export/test_folder.py"),
    Fault(FOLDER, "_remove_empty(made)\n", "pass\n", "tests/export/test_folder.py"),
    Fault(
        BUNDLE,
        "_DATE: Final = (1980, 1, 1, 0, 0, 0)",
        "_DATE: Final = __import__('time').localtime()[:6]",
        "tests/export/test_bundle.py",
    ),
    Fault(
        BUNDLE,
        "(path.exists() or path.is_symlink()) and not force",
        "path.is_symlink() and not force",
        "tests/export/test_bundle.py",
    ),
    Fault(
        LATEX,
        "each.left_out or each.characters_left_out",
        "each.characters_left_out",
        "tests/export/test_latex.py tests/test_shown_text.py",
    ),
    Fault(
        LATEX,
        "text {measurement.settings.shown + 1} of",
        "text {measurement.settings.shown} of",
        "tests/export/test_latex.py tests/test_shown_text.py",
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
        'rows.loc[rows["quantity"] == "deviation", "input"] = shown',
        'rows.loc[rows["quantity"] == "deviation", "input"] = 0',
        "tests/export/test_explained.py tests/test_shown_text.py",
    ),
]
