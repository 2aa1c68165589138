"""JSON schemas of what is written: settings, records and data, for programs that are not ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode

from oversmooth.results.comparison_settings import ComparisonSettings
from oversmooth.results.files.document import Document
from oversmooth.results.record import ComparisonRecord, Record
from oversmooth.results.settings import Settings

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_KINDS: Final[Mapping[str, tuple[type[BaseModel], JsonSchemaMode]]] = {
    # What a person writes may leave out what has a default; what Oversmooth writes leaves out nothing.
    "settings": (Settings, "validation"),
    "comparison-settings": (ComparisonSettings, "validation"),
    "record": (Record, "serialization"),
    "comparison-record": (ComparisonRecord, "serialization"),
    "data": (Document, "serialization"),
}


def schemas() -> dict[str, str]:
    """File name → JSON schema."""
    return {
        f"{name}.schema.json": json.dumps(_plain({"$schema": DIALECT, **kind.model_json_schema(mode=mode)}), indent=2)
        + "\n"
        for name, (kind, mode) in _KINDS.items()
    }


def _plain(schema: Any) -> Any:  # noqa: ANN401  whatever JSON holds
    """The same with descriptions for readers of JSON: what a class says of Python is left out."""
    if isinstance(schema, dict):
        return {
            key: value.partition("\n\n")[0].replace("``", "`").replace("\n", " ")
            if key == "description" and isinstance(value, str)
            else _plain(value)
            for key, value in schema.items()
        }
    return [_plain(each) for each in schema] if isinstance(schema, list) else schema
