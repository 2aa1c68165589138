"""What a server's list says of a model, from the model itself."""

from oversmooth.core.errors import ModelError
from oversmooth.core.progress import Report, silent
from oversmooth.models import families, files
from oversmooth.models.allowlist import AllowedModel
from oversmooth.models.loading import load
from oversmooth.models.names import CONFIG
from oversmooth.models.reading import read_fields
from oversmooth.models.sources import locate


def describe(name: str, *, revision: str | None = None, report: Report = silent) -> AllowedModel:
    """Fetch a model, try it, and describe it for the list; no local folder, and no architecture that is not known."""
    source = locate(name, revision=revision, report=report)
    if source.kind == "folder":
        raise ModelError(
            f"“{name}” is a local folder. A server measures models of the hub, pinned to a commit: upload it there, "
            "and allow it under its hub id."
        )
    model = load(name, revision=source.commit, device="cpu", report=report)
    # Of the whole, where only a part of it is measured: a server builds no architecture but those it is told.
    family = str(read_fields(source.folder / CONFIG, name)["model_type"])
    if family not in families.names():
        raise ModelError(
            f"“{name}” is of the architecture “{family}”, whose parts Oversmooth finds by trying alone. A server "
            "measures those that it knows."
        )
    wanted = files.wanted([each.name for each in source.folder.iterdir()])
    return AllowedModel(
        name=name,
        source=source.kind,
        identifier=source.identifier,
        commit=source.commit,
        files=files.hashes(source.folder, sorted(wanted), source.sha256, name),
        family=family,
        layers=model.record.layers,
        hidden_size=model.record.hidden_size,
        parameters=model.record.parameters,
        positions=model.anatomy.max_positions,
    )
