"""What measurements say, in sentences and in the few numbers of a summary. No drawing, no markup."""

from oversmooth.findings.changes import Change, caveats, changes, reason
from oversmooth.findings.comparisons import Difference, Side, comparison_headline, differences
from oversmooth.findings.gaps import missing
from oversmooth.findings.headlines import headline
from oversmooth.findings.numerals import arrow, number, signed
from oversmooth.findings.outlying import warnings_beside

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
    "reason",
    "signed",
    "warnings_beside",
]
