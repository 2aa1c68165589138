"""What a measurement says, in sentences and in the few numbers of a summary. No drawing, no markup."""

from oversmooth.findings.changes import Change, caveats, changes, headline, reason
from oversmooth.findings.numerals import arrow, number

__all__ = [
    "Change",
    "arrow",
    "caveats",
    "changes",
    "headline",
    "number",
    "reason",
]
