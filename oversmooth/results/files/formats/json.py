"""All of a result as one JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oversmooth.results.files.formats import number_format

if TYPE_CHECKING:
    from oversmooth.results.comparison import Comparison
    from oversmooth.results.measurement import Measurement

ORDER = 40
_FILE: Final = "data.json"


@number_format(title="JSON", media_type="application/json", file=_FILE, meaning="all of it as one JSON document")
def json(result: Measurement | Comparison) -> dict[str, bytes]:
    """See :class:`oversmooth.results.files.document.Document`."""
    from oversmooth.results.files.document import Document

    return {_FILE: Document.of(result).to_json()}
