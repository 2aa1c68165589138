"""The base of what is written as a JSON document."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """Fields that never change, none unknown; their docstrings describe them in the schema."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, json_schema_serialization_defaults_required=True
    )


class OwnFile(Frozen):
    """A document that is a file of its own, and is read back."""

    def to_json(self) -> str:
        """As a JSON document that ``from_json`` reads back to an equal object."""
        return self.model_dump_json(indent=2) + "\n"
