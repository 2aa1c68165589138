"""What the names of models and of their files mean, before anything is read: without torch and transformers."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from oversmooth.core.errors import ModelError
from oversmooth.core.wording import did_you_mean, shortened
from oversmooth.models import catalog

CONFIG: Final = "config.json"
"""The file that makes a folder a model's."""
_HUB_ID = re.compile(r"[\w.-]{1,96}(/[\w.-]{1,96})?", re.ASCII)
_SHOWN = 81
_LOOKS_LIKE_A_PATH = re.compile(r"[./~\\]|[A-Za-z]:[\\/]")


@dataclass(frozen=True)
class Meaning:
    """Where a name points."""

    kind: Literal["embedded", "hub", "folder"]
    identifier: str
    """The package, the id on the hub, or the name of the folder."""
    folder: Path | None = None
    """Of a local model."""


def meaning(name: str, revision: str | None = None) -> Meaning:
    """What a name points at: a catalog name, a local folder, or a hub id, in this order.

    A folder whose name is also a catalog name is meant when it is written with its path: ``./gpt2``. Refused is a name
    that means nothing, and a revision of what has none.
    """
    entry = catalog.find(name)
    if entry is not None and not entry.identifier:
        _refuse_revision(revision, name)
        return Meaning("embedded", catalog.EMBEDDED_PACKAGE)
    if entry is None and (folder := _folder(name)) is not None:
        _refuse_revision(revision, name)
        return Meaning("folder", folder.resolve().name, folder)
    identifier = entry.identifier if entry is not None else name
    if not _HUB_ID.fullmatch(identifier):
        raise ModelError(
            f"“{shortened(name, _SHOWN)}” names no model: type a name from `oversmooth models`, a hub id such as "
            "“google-bert/bert-base-uncased”, or the path of a local folder."
        )
    return Meaning("hub", identifier)


def _refuse_revision(revision: str | None, name: str) -> None:
    if revision is not None:
        raise ModelError(f"“{name}” is on this machine and has no revisions: leave out the revision “{revision}”.")


def _folder(name: str) -> Path | None:
    """The local folder of that name; None where the name can only be a hub id."""
    if not name.strip():
        return None  # Not the current folder, which is what the empty path means.
    try:
        path = Path(name).expanduser()
        is_folder, exists = path.is_dir(), path.exists()
    except (OSError, ValueError, RuntimeError):
        return None  # Too long or with characters that no path has: no path, then.
    if is_folder:
        return path
    if exists:
        kind = kind_of(path.name)
        if kind is not None:
            raise ModelError(f"“{name}” is {kind.what}. {kind.way}")
        raise ModelError(f"“{name}” is a file. Give the folder that holds it together with {CONFIG}.")
    name = name if name.isprintable() else ascii(name)[1:-1]
    if "://" not in name and (_LOOKS_LIKE_A_PATH.match(name) or name.count("/") > 1):
        here = [each.name for each in path.parent.iterdir() if each.is_dir()] if path.parent.is_dir() else []
        raise ModelError(f"There is no folder “{name}”{did_you_mean(path.name, here)}.")
    return None


@dataclass(frozen=True)
class Kind:
    """One form of weights."""

    pattern: str
    """Of the names of its files."""
    what: str
    """What such a file is, after “is”."""
    way: str
    """How to come to a model that is read: sentences."""


_CONVERT = "with transformers (from_pretrained, then save_pretrained)"
KINDS: Final = (
    Kind(
        r".*\.(bin|pt|pth|ckpt|pkl|pickle)",
        "a pickle",
        "Reading such a file can run code, so Oversmooth takes safetensors alone: where you trust it, convert it "
        f"{_CONVERT}, or name a revision that has model.safetensors.",
    ),
    Kind(
        r".*\.gguf",
        "a model in GGUF",
        "Such a file is quantised and made for other programs: measure the model that it was made from, or have "
        "transformers unpack it into safetensors (from_pretrained with gguf_file, then save_pretrained).",
    ),
    Kind(
        r".*\.(h5|keras|msgpack|pb)|.*\.ckpt[.-].*|checkpoint",
        "a checkpoint of TensorFlow or Flax",
        "Oversmooth takes safetensors of PyTorch alone: convert it with transformers 4 (from_pretrained with "
        "from_tf=True or from_flax=True, then save_pretrained), or look for a revision that has model.safetensors.",
    ),
    Kind(
        r".*\.onnx(_data)?",
        "a model in ONNX",
        "That is a program without its layers: measure the model that it was exported from, in safetensors.",
    ),
    Kind(r".*\.(zip|tar|tgz|gz|7z|xz|rar)", "an archive", "Unpack it, and give the folder that holds config.json."),
)


def kind_of(file: str) -> Kind | None:
    """The form of the weights in a file of that name; None where they are read, or where it holds none."""
    return next((kind for kind in KINDS if re.fullmatch(kind.pattern, file, re.IGNORECASE)), None)
