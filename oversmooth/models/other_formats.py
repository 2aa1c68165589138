"""Files that hold weights in a form that is not read, and the way on from each. Without torch and transformers."""

import re
from dataclasses import dataclass
from typing import Final


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
