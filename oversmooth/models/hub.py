"""Models from the Hugging Face hub: asked about first, then exactly one commit downloaded."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from huggingface_hub import (
    HfApi,
    constants,
    get_cached_repo_tree,
    get_hf_file_metadata,
    hf_hub_url,
    snapshot_download,
    try_to_load_from_cache,
)
from huggingface_hub.errors import (
    CachedRepoTreeNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    IncompleteSnapshotError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.hf_api import ModelInfo

from oversmooth.core.errors import ModelError
from oversmooth.core.progress import Progress, Report
from oversmooth.core.wording import bytes_in_words, did_you_mean
from oversmooth.models import files
from oversmooth.models.catalog import CATALOG
from oversmooth.models.download import DownloadError, download
from oversmooth.models.given import DEFAULT_MODEL, Precision
from oversmooth.models.names import CONFIG
from oversmooth.models.refusal import reason
from oversmooth.models.unread import refuse_unreadable

TIMEOUT = 5.0
"""Seconds that the hub may take to answer the first question."""
_TRANSIENT = (429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Source:
    """Where a model's files lie and how they came there."""

    kind: Literal["embedded", "hub", "folder"]
    identifier: str
    folder: Path
    commit: str | None = None
    sha256: Mapping[str, str] = field(default_factory=dict)
    """Published hashes of files, which the bytes must match."""


def fetch(
    identifier: str, *, revision: str | None, name: str, report: Report, precision: Precision = "float32"
) -> Source:
    """The model's files at the commit to which ``revision`` resolves, downloaded where they are not cached yet.

    When the hub cannot be asked, a copy that is whole in the local cache is used.

    Raises:
        ModelError: no such model or revision, gated, no network, weights as pickles only, too large.
        CancelledError: from ``report``; the download stops.
    """
    try:
        info = _inquire(identifier, revision, name)
    except _UnreachableError as error:
        snapshot = _cached(identifier, revision, name)
        if snapshot is None:
            raise ModelError(
                f"{error} There is no complete copy of “{name}”{_meant(name)} in the local cache either. "
                f"The model {DEFAULT_MODEL} and local folders work without a network."
            ) from error.__cause__
        report(Progress("load", detail=f"{error} The local copy of commit {snapshot.folder.name[:12]} is used."))
        return snapshot
    commit = str(info.sha)
    listed = {each.rfilename: each for each in info.siblings or ()}
    refuse_unreadable(list(listed), name)
    chosen = {each: listed[each].size or 0 for each in files.wanted(list(listed))}
    _require_room(info, chosen, name, precision)
    folder = _bring(identifier, revision, commit, chosen, name, report)
    if folder.name != commit:
        raise ModelError(f"“{name}” was changed on the hub during the download. Load it again.")
    hashes = {each: lfs.sha256 for each in chosen if (lfs := listed[each].lfs) is not None}
    return Source("hub", identifier, folder, commit, hashes)


def _bring(
    identifier: str, revision: str | None, commit: str, chosen: Mapping[str, int], name: str, report: Report
) -> Path:
    """The folder in the cache that holds the chosen files, after downloading what it lacks."""
    missing = [each for each in chosen if _cached_file(identifier, each, commit) is None]
    # Under the name of the branch it is found without a network as well; the download writes that name down.
    known = _cached_file(identifier, CONFIG, revision or constants.DEFAULT_REVISION)
    if known is not None and not missing and Path(known).parent.name == commit:
        return Path(known).parent
    size = sum(chosen[each] for each in missing)
    _require_disk(size, name)
    try:
        return download(identifier, revision, chosen, size, report)
    except DownloadError as error:
        cause = error.__cause__
        refusal = _refusal(cause, identifier, revision, name) if cause is not None else None
        raise ModelError(refusal or f"The download of “{name}” broke off: {error} What has arrived is kept.") from error


def _cached_file(identifier: str, file: str, revision: str) -> str | None:
    path = try_to_load_from_cache(identifier, file, revision=revision)
    return path if isinstance(path, str) else None


def cached_folder(identifier: str, commit: str) -> Path | None:
    """The folder of one commit in the local cache, nothing asked of the hub; None where it is not there."""
    path = _cached_file(identifier, CONFIG, commit)
    return None if path is None else Path(path).parent


class _UnreachableError(Exception):
    """The hub did not answer the question; the message says so in a sentence."""


def _inquire(identifier: str, revision: str | None, name: str) -> ModelInfo:
    """Ask the hub about the model, once and without retries: `from_pretrained` would take 23 s to give up."""
    if constants.is_offline_mode():
        raise _UnreachableError("The hub is switched off (HF_HUB_OFFLINE is set).")
    try:
        info = HfApi().model_info(identifier, revision=revision, files_metadata=True, timeout=TIMEOUT)
        if info.gated:
            # The listing of a gated model is public; only touching a file tells whether it may be read.
            get_hf_file_metadata(hf_hub_url(identifier, CONFIG, revision=info.sha), timeout=TIMEOUT)
    except Exception as error:
        if (refusal := _refusal(error, identifier, revision, name)) is not None:
            raise ModelError(refusal) from error
        if isinstance(error, HfHubHTTPError):
            status = error.response.status_code
            said = "has answered too many questions from here" if status == 429 else "has a fault"
            raise _UnreachableError(f"The hub {said} (HTTP {status}); try again in a few minutes.") from error
        # Whatever else comes back, refused connection or a login page in place of an answer, is no hub.
        raise _UnreachableError(f"The hub at {constants.ENDPOINT} cannot be reached: {reason(error)}") from error
    return info


def _refusal(error: BaseException, identifier: str, revision: str | None, name: str) -> str | None:
    """The sentence for an answer that asking again will not change."""
    match error:
        case GatedRepoError():
            return (
                f"“{name}” is gated: accept its terms at {constants.ENDPOINT}/{identifier}, "
                "sign in with `hf auth login`, and try again."
            )
        case RevisionNotFoundError():
            return f"“{name}” has no revision “{revision}” on the hub: name a branch, a tag or a commit of it."
        case RepositoryNotFoundError():
            return (
                f"The hub has no model “{name}”{_meant(name)}, or it is private and "
                "`hf auth login` has not been run here."
            )
        case HFValidationError():
            return f"“{name}” is no hub id: {reason(error)}"
        case HfHubHTTPError() if error.response.status_code not in _TRANSIENT:
            return f"The hub refuses “{name}” (HTTP {error.response.status_code}): {reason(error)}"
    return None


def _meant(name: str) -> str:
    return did_you_mean(name, [each for entry in CATALOG for each in (entry.name, entry.identifier) if each])


def _cached(identifier: str, revision: str | None, name: str) -> Source | None:
    """The copy of ``revision`` in the local cache, if it is whole."""
    try:
        # With one pattern that every model matches: what else must be there is decided below.
        folder = Path(snapshot_download(identifier, revision=revision, allow_patterns=[CONFIG], local_files_only=True))
    except (LocalEntryNotFoundError, IncompleteSnapshotError, HFValidationError):
        return None
    present = [each.name for each in folder.iterdir()]
    try:
        expected = files.wanted([each.path for each in get_cached_repo_tree(identifier, revision=folder.name)])
    except CachedRepoTreeNotFoundError:
        expected = []  # Cached by a tool that keeps no listing: the weights' own index is all there is to go by.
    try:
        refuse_unreadable(present, name)
        files.read_checkpoint(folder, name)
    except ModelError:
        return None
    return Source("hub", identifier, folder, folder.name) if set(expected) <= set(present) else None


def _require_room(info: ModelInfo, chosen: Mapping[str, int], name: str, precision: Precision) -> None:
    """Refuse before the download what will not fit into memory after it."""
    stored = sum(size for each, size in chosen.items() if each.endswith(".safetensors"))
    # The hub counts parameters for most models; else float32 is assumed, the type with fewest per byte.
    counted = info.safetensors
    parameters = stored // files.BYTES_PER_PARAMETER["float32"] if counted is None else counted.total
    files.require_memory(parameters, name, precision)


def _require_disk(needed: int, name: str) -> None:
    cache = Path(constants.HF_HUB_CACHE)
    there = next(folder for folder in (cache, *cache.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if needed > free:
        raise ModelError(
            f"“{name}” does not fit on the disk: {bytes_in_words(needed)} to download, and "
            f"{bytes_in_words(free)} are free in {there}."
        )
