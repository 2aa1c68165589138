"""What measurements say, in sentences and in the few numbers of a summary. No drawing, no markup."""

from oversmooth.core.numerals import arrow, number, signed
from oversmooth.report.findings.changes import Change, caveats, changes, missing
from oversmooth.report.findings.collapse import warnings_beside
from oversmooth.report.findings.comparisons import Difference, Side, comparison_headline, differences, told_once
from oversmooth.report.findings.explanations import headline

__all__ = [
    "Change",
    "Difference",
    "Side",
    "arrow",
    "caveats",
    "changes",
    "comparison_headline",
    "differences",
    "headline",
    "missing",
    "number",
    "signed",
    "told_once",
    "warnings_beside",
]
