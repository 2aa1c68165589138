"""Model folders that somebody made to do harm: what each is, how it is made of a good one, and what it must end as."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
CANARY = "ran"
"""In the folder beside the model: written by every payload that runs."""
SECRET = "secret"
"""A word of files beside the model, and the name of one: no message may hold it and no tokenizer come to know it."""

Build = Callable[[Path, Path], None]
"""Makes a good model folder (the first) hostile; the second lies outside of it."""


@dataclass(frozen=True)
class Hostile:
    """One folder: its name here, how it is made, and words of its refusal; with None it loads as the good one does."""

    name: str
    build: Build
    words: str | None


ANY = ""
"""Words of a case that may load or not: what counts is that it does no harm."""

CASES: list[Hostile] = []


def case(name: str, words: str | None) -> Callable[[Build], Build]:
    def add(build: Build) -> Build:
        CASES.append(Hostile(name, build, words))
        return build

    return add


def edit(path: Path, **fields: object) -> None:
    """Set fields of a JSON file; None takes one out."""
    content = (json.loads(path.read_text()) if path.exists() else {}) | fields
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


def configured(name: str, words: str | None, file: str = "config.json", **fields: object) -> None:
    """A case that differs from a good folder by some fields of a JSON file."""
    CASES.append(Hostile(name, lambda folder, _: edit(folder / file, **fields), words))


class Payload:
    """What a pickle can hold: unpickling it writes the canary."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"echo x > '{self.canary}'",)


def code(canary: Path) -> str:
    """A module that writes the canary when it is imported."""
    return f"open({str(canary)!r}, 'w').close()\nclass Evil:\n    pass\n"


def pickled(path: Path, away: Path) -> None:
    """A file as `torch.save` writes it, with the payload in place of tensors."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Payload(away / CANARY)))
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/byteorder", "little")


def _added(number: int, text: str) -> dict[str, Any]:
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {"id": number, "content": text, **flags}


# Weights that are programs.


def in_place_of_the_weights(file: str, legacy: bool = False) -> Build:
    def build(folder: Path, away: Path) -> None:
        (folder / WEIGHTS).unlink()
        if legacy:
            (folder / file).write_bytes(pickle.dumps(Payload(away / CANARY)))
        else:
            pickled(folder / file, away)

    return build


for file in ("pytorch_model.bin", "model.pt", "weights.pth", "model.ckpt", "model.pkl"):
    CASES.append(Hostile(f"weights as {file} alone", in_place_of_the_weights(file), f"only as {file}"))
CASES.append(
    Hostile("an old pickle alone", in_place_of_the_weights("pytorch_model.bin", legacy=True), "only as pytorch_model")
)


@case("a pickle beside good weights", None)
def _(folder: Path, away: Path) -> None:
    for file in ("pytorch_model.bin", "training_args.bin", "optimizer.pt", "rng_state.pth"):
        pickled(folder / file, away)


@case("a pickle under the name of the weights", "damaged or incomplete")
def _(folder: Path, away: Path) -> None:
    pickled(folder / WEIGHTS, away)


@case("an index that names a pickle", "pytorch_model.bin")
def _(folder: Path, away: Path) -> None:
    (folder / WEIGHTS).unlink()
    pickled(folder / "pytorch_model.bin", away)
    (folder / INDEX).write_text(json.dumps({"weight_map": {"x": "pytorch_model.bin"}}))


@case("an index of pickles", "only as pytorch_model-00001")
def _(folder: Path, away: Path) -> None:
    (folder / WEIGHTS).unlink()
    pickled(folder / "pytorch_model-00001-of-00001.bin", away)
    (folder / "pytorch_model.bin.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": {"x": "pytorch_model-00001-of-00001.bin"}})
    )


@case("a zip bomb as weights", "only as pytorch_model.bin")
def _(folder: Path, away: Path) -> None:
    (folder / WEIGHTS).unlink()
    with zipfile.ZipFile(folder / "pytorch_model.bin", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(50_000_000))


@case("a 7z archive as weights", "only as pytorch_model.bin")
def _(folder: Path, away: Path) -> None:
    (folder / WEIGHTS).unlink()
    (folder / "pytorch_model.bin").write_bytes(b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(100))


for file in ("model.gguf", "tf_model.h5", "flax_model.msgpack", "model.onnx"):

    @case(f"{file} alone", "safetensors")
    def _(folder: Path, away: Path, file: str = file) -> None:
        (folder / WEIGHTS).rename(folder / file)


# Keys that lead to code.


def with_code(name: str, words: str | None, file: str, **fields: object) -> None:
    def build(folder: Path, away: Path) -> None:
        for module in ("modeling", "configuration", "tokenization", "processing"):
            (folder / f"{module}.py").write_text(code(away / CANARY))
        edit(folder / file, **fields)

    CASES.append(Hostile(name, build, words))


_MODEL = {"AutoModel": "modeling.Evil", "AutoConfig": "configuration.Evil"}
_AWAY = {"AutoModel": "nobody/repository--modeling.Evil", "AutoConfig": "nobody/repository--configuration.Evil"}
_TOKENIZER = {"AutoTokenizer": ["tokenization.Evil", "tokenization.Evil"]}

with_code("auto_map of a known architecture", None, "config.json", auto_map=_MODEL)
with_code("auto_map into another repository", None, "config.json", auto_map=_AWAY)
with_code("auto_map of an unknown architecture", "own program code", "config.json", model_type="evil", auto_map=_MODEL)
with_code("auto_map without an architecture", "own program code", "config.json", model_type=None, auto_map=_MODEL)
with_code("auto_map that is a list", None, "config.json", auto_map=["modeling.Evil", "modeling.Evil"])
with_code("auto_map with trust", None, "config.json", auto_map=_MODEL, trust_remote_code=True)
with_code("auto_map in a part", None, "config.json", text_config={"auto_map": _MODEL, "trust_remote_code": True})
with_code("auto_map in a list of parts", None, "config.json", parts=[[{"auto_map": _MODEL}]])
with_code("auto_map of the tokenizer", "own program code", "tokenizer_config.json", auto_map=_TOKENIZER)
with_code(
    "auto_map of the tokenizer, a list", "own program code", "tokenizer_config.json", auto_map=["tokenization.Evil"] * 2
)
with_code("auto_map of a processor", None, "processor_config.json", auto_map={"AutoProcessor": "processing.Evil"})
with_code(
    "auto_map of a feature extractor",
    None,
    "preprocessor_config.json",
    auto_map={"AutoFeatureExtractor": "processing.Evil"},
)
with_code("custom_pipelines", None, "config.json", custom_pipelines={"x": {"impl": "modeling.Evil", "pt": ["X"]}})
configured("trust_remote_code", None, trust_remote_code=True)

for key in (
    "attn_implementation",
    "_attn_implementation",
    "_attn_implementation_internal",
    "experts_implementation",
):
    # CVE-2026-4372: such a key named a repository whose code was fetched and run.
    configured(f"{key} names a repository", None, **{key: "nobody/kernel"})
configured("_attn_implementation for each part", None, _attn_implementation={"": "nobody/kernel"})
configured("_attn_implementation in a part", None, text_config={"_attn_implementation": "nobody/kernel"})
configured("kernel_config", None, kernel_config={"RMSNorm": "nobody/kernel:RMSNorm"}, use_kernels=True)

for method in ("bitsandbytes", "gptq", "nobody", 3):
    configured(f"quantised with {method}", "quantised", quantization_config={"quant_method": method})
configured("quantised in a part", "quantised", text_config={"quantization_config": {"quant_method": "awq"}})
configured("quantised, a word", "quantised", quantization_config="torchao")
configured("another weight file", "weight file of its own", transformers_weights="../secret")
configured("another weight file in a part", "weight file of its own", text_config={"transformers_weights": "x.bin"})

configured("a name elsewhere", None, _name_or_path="nobody/repository", name_or_path="nobody/repository")
configured("a name elsewhere in a part", None, text_config={"_name_or_path": "nobody/repository"})
configured("a commit elsewhere", None, _commit_hash="f" * 40)
configured("a generation that is code", None, generation_config={"custom_generate": "nobody/repository"})


@case("custom_generate", None)
def _(folder: Path, away: Path) -> None:
    (folder / "custom_generate").mkdir()
    (folder / "custom_generate" / "generate.py").write_text(code(away / CANARY))
    (folder / "custom_generate" / "requirements.txt").write_text("evil\n")


@case("Python files under names of libraries", None)
def _(folder: Path, away: Path) -> None:
    for module in ("torch", "json", "sitecustomize", "conftest", "__init__", "tokenizers"):
        (folder / f"{module}.py").write_text(code(away / CANARY))
    (folder / "README.md").write_text("---\nlibrary_name: evil\n---\n```python\nimport os\nos.system('x')\n```\n")
    (folder / "setup.py").write_text(code(away / CANARY))
    (folder / "requirements.txt").write_text("evil\n")


@case("the description of an adapter, left beside a whole model", None)
def _(folder: Path, away: Path) -> None:
    edit(folder / "adapter_config.json", base_model_name_or_path="nobody/repository", peft_type="LORA")


@case("a distributed checkpoint", "distributed training checkpoint")
def _(folder: Path, away: Path) -> None:
    shutil.copy(folder / WEIGHTS, folder / "shard-00000-model-00001-of-00001.safetensors")


# Architectures.

configured("an unknown architecture", "“evil”", model_type="evil")
configured("an architecture that is a path", "“../../evil”", model_type="../../evil")
configured("an architecture that is a module", "“os.path”", model_type="os.path")
configured("an architecture that is a list", "names no architecture", model_type=["bert"])
configured("a model of sound", "reads sound", model_type="whisper")
configured("a model of images", "reads images", model_type="vit")
configured("a backbone from the hub", "“{name}”", model_type="timm_wrapper", architecture="hf_hub:nobody/x")
configured(
    "an architecture whose part brings code",  # CVE-2026-5241
    "“{name}”",
    model_type="lightglue",
    keypoint_detector_config={"model_type": "evil", "trust_remote_code": True, "auto_map": _AWAY},
    trust_remote_code=True,
)
configured(
    "an encoder and a decoder from elsewhere",
    "“{name}”",
    model_type="encoder-decoder",
    encoder={"model_type": "evil", "auto_map": _AWAY},
    decoder={"model_type": "evil", "auto_map": _AWAY},
)
configured(
    "a retriever whose index is a pickle",
    "“{name}”",
    model_type="rag",
    question_encoder={"model_type": "bert"},
    generator={"model_type": "bart"},
    index_name="legacy",
    index_path=".",
)
configured(
    "text and images",
    "“{name}”",
    model_type="llava",
    text_config={"model_type": "evil", "auto_map": _AWAY},
    vision_config={"model_type": "timm_wrapper", "architecture": "hf_hub:nobody/x"},
)

# Numbers.

configured("more layers than the weights have", "lack 80 tensors", num_hidden_layers=6)
configured("a milliard layers", "1,000,000,000 layers", num_hidden_layers=10**9)
configured("layers as a word", "“{name}”", num_hidden_layers="3")
configured("layers below zero", "how many layers", num_hidden_layers=-1)
configured("no layers", "how many layers", num_hidden_layers=0)
configured("layers in halves", "“{name}”", num_hidden_layers=2.5)
configured("layers that are no number", "“{name}”", num_hidden_layers=float("nan"))
configured("layers without end", "“{name}”", num_hidden_layers=float("inf"))
configured("layers that are a list", "“{name}”", num_hidden_layers=[3])
configured("layers that are null", "“{name}”", layer_norm_eps=None, num_hidden_layers={})
configured("a width of a million", "does not fit into memory", hidden_size=2**20, intermediate_size=2**22)
configured("a width without end", "“{name}”", hidden_size=10**4000)
configured("a width below zero", "“{name}”", hidden_size=-32)
configured("no width", "“{name}”", hidden_size=0)
configured("a milliard of words", "“{name}”", vocab_size=10**9)
configured("more words than bytes", "cannot be built from its configuration", vocab_size=2**60)
configured("no heads", "“{name}”", num_attention_heads=0)
configured("heads that do not fit", "cannot be built from its configuration", num_attention_heads=5)
configured("positions without end", "“{name}”", max_position_embeddings=2**62)
configured("weights of another shape", "another shape for 3 tensors", intermediate_size=48)
configured("an activation that is code", "“{name}”", hidden_act="__import__('os').system('x')")
configured("a number type that is code", "“{name}”", dtype="os.system")
configured("an epsilon that is code", "“{name}”", layer_norm_eps="__import__('os')")
configured("labels without end", None, id2label={str(number): "x" for number in range(100_000)})
configured("a method's name as a key", "“{name}”", to_dict="x", from_pretrained="x", get_text_config="x")
configured("inner names of Python", "“{name}”", __class__="x", __dict__={}, __init__="x")


# The file config.json itself.


def content(name: str, words: str | None, text: str | bytes, file: str = "config.json") -> None:
    raw = text.encode() if isinstance(text, str) else text

    def build(folder: Path, _: Path) -> None:
        (folder / file).write_bytes(raw)

    CASES.append(Hostile(name, build, words))


content("a configuration of no bytes", "is not JSON", "")
content("a configuration that is cut off", "is not JSON", '{"model_type": "bert"')
content("a configuration that is a list", "is not a JSON object", '[{"model_type": "bert"}]')
content("a configuration that is a word", "is not a JSON object", '"bert"')
content("a configuration of NUL bytes", "is not JSON", bytes(1000))
content("a configuration that is not UTF-8", "is not JSON", b'{"model_type": "b\xff\xfert"}')
content("a configuration in UTF-16 with half a character", "is not JSON", b"\xff\xfe{\x00\x00\xd8")
content("a configuration nested a hundred thousand deep", "is not JSON", "[" * 100_000)
content(
    "a configuration nested just so deep", "levels deep", '{"model_type": "bert", "x": ' + "[" * 900 + "]" * 900 + "}"
)
content(
    "a number of 100,000 digits", "is not JSON", '{"model_type": "bert", "num_hidden_layers": ' + "9" * 100_000 + "}"
)
content("a number beyond every float", "“{name}”", '{"model_type": "bert", "num_hidden_layers": 1e400}')


@case("a configuration of 100 MB", "has more than")
def _(folder: Path, away: Path) -> None:
    with (folder / "config.json").open("r+b") as file:
        file.truncate(100_000_000)


# Files that are none.


def in_place(file: str, make: Callable[[Path, Path], object]) -> Build:
    def build(folder: Path, away: Path) -> None:
        (folder / file).unlink(missing_ok=True)
        make(folder / file, away)

    return build


_KINDS: dict[str, Callable[[Path, Path], object]] = {
    "a pipe": lambda path, away: os.mkfifo(path),
    "a folder": lambda path, away: path.mkdir(),
    "a link to zeros without end": lambda path, away: path.symlink_to("/dev/zero"),
    "a link to the memory of the process": lambda path, away: path.symlink_to("/proc/self/mem"),
    "a link to somebody's secret": lambda path, away: path.symlink_to(away / SECRET),
    "a link to itself": lambda path, away: path.symlink_to(path.name),
    "a link to nothing": lambda path, away: path.symlink_to(away / "nothing"),
}
for file in ("config.json", "tokenizer.json", WEIGHTS, "tokenizer_config.json"):
    for kind, make in _KINDS.items():
        CASES.append(Hostile(f"{file} is {kind}", in_place(file, make), "okenizer" if "tokenizer" in file else file))
for file in (
    "vocab.txt",
    "added_tokens.json",
    "special_tokens_map.json",
    "generation_config.json",
    "chat_template.jinja",
):
    CASES.append(Hostile(f"{file} is a pipe", in_place(file, _KINDS["a pipe"]), file))


# Headers of weights: eight bytes of length, JSON, tensors.

Header = dict[str, Any]


def _written(path: Path, header: Header | bytes, data: bytes, length: int | None = None) -> None:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)


def _read(path: Path) -> tuple[Header, bytes]:
    whole = path.read_bytes()
    (length,) = struct.unpack("<Q", whole[:8])
    return json.loads(whole[8 : 8 + length]), whole[8 + length :]


def header(name: str, words: str | None, alter: Callable[[Header, bytes], tuple[Header | bytes, bytes]]) -> None:
    def build(folder: Path, _: Path) -> None:
        _written(folder / WEIGHTS, *alter(*_read(folder / WEIGHTS)))

    CASES.append(Hostile(name, build, words))


def tensor(name: str, words: str | None, **fields: object) -> None:
    """A case in which one tensor is described otherwise."""

    def alter(described: Header, data: bytes) -> tuple[Header, bytes]:
        described["embeddings.LayerNorm.bias"] |= fields
        return described, data

    header(name, words, alter)


def length(name: str, claimed: int, words: str) -> None:
    CASES.append(Hostile(name, lambda folder, _: _written(folder / WEIGHTS, b"{}", b"", claimed), words))


_DAMAGED = "damaged or incomplete"
length("a header of 2^40 bytes", 2**40, "its header claims")
length("a header of 2^64 bytes", 2**64 - 1, "its header claims")
length("a header of one byte more than the limit", 8 * 1024**2 + 1, "its header claims")
length("a header that is longer than the file", 1000, _DAMAGED)
header("a header that is not JSON", _DAMAGED, lambda _, data: (b"os.system('x')", data))
header("a header that is a list", _DAMAGED, lambda _, data: (b"[1, 2]", data))
header("a header that is not UTF-8", _DAMAGED, lambda _, data: (b'{"\xff": 1}', data))
header("a header nested a million deep", _DAMAGED, lambda _, data: (b"[" * 1_000_000, data))
header(
    "a header of nine million bytes",
    "its header claims 9.0 MB",
    lambda described, data: (described | {"__metadata__": {"x": "x" * 9_000_000}}, data),
)
header(
    "quantised tensors",
    "stored quantised",
    lambda *_: ({"x": {"dtype": "F8_E4M3", "shape": [4], "data_offsets": [0, 4]}}, bytes(4)),
)
header("a header of no tensors", "hold no parameters", lambda *_: ({}, b""))
header("weights that are cut off", _DAMAGED, lambda described, data: (described, data[:-100]))
header("weights with more bytes than tensors", _DAMAGED, lambda described, data: (described, data + b"x" * 100))
header(
    "100,000 tensors",
    "tensors",
    lambda *_: (
        {f"{n}": {"dtype": "F32", "shape": [1], "data_offsets": [4 * n, 4 * n + 4]} for n in range(100_000)},
        bytes(400_000),
    ),
)
header(
    "a tensor that is there twice",
    _DAMAGED,
    lambda described, data: (
        json.dumps(described).replace('"embeddings.LayerNorm.bias"', '"embeddings.LayerNorm.weight"').encode(),
        data,
    ),
)
header(
    "metadata that is no text",
    _DAMAGED,
    lambda described, data: (described | {"__metadata__": {"format": ["pt"]}}, data),
)
header(
    "metadata that claims another format",
    None,
    lambda described, data: (described | {"__metadata__": {"format": "pickle"}}, data),
)
header(
    "a tensor whose name is a path",
    "the configured network does not have (1 tensor, such as ../../x)",
    lambda described, data: (
        described | {"../../x": {"dtype": "F32", "shape": [0], "data_offsets": [len(data), len(data)]}},
        data,
    ),
)
header(
    "a tensor whose name is long and breaks lines",
    "the configured network does not have (1 tensor, such as \\nx\\nx",
    lambda described, data: (
        described | {"\nx" * 100_000: {"dtype": "F32", "shape": [0], "data_offsets": [len(data), len(data)]}},
        data,
    ),
)
tensor("a tensor over the bytes of another", _DAMAGED, data_offsets=[256, 384])
tensor("a tensor beyond the file", _DAMAGED, data_offsets=[2**40, 2**40 + 128])
tensor("a tensor that ends before it begins", _DAMAGED, data_offsets=[128, 0])
tensor("a tensor before the file", _DAMAGED, data_offsets=[-128, 0])
tensor("a tensor without an end", _DAMAGED, data_offsets=[0])
tensor("a tensor larger than its bytes", _DAMAGED, shape=[2**40])
tensor("a tensor of more elements than numbers go", _DAMAGED, shape=[2**32, 2**32, 2**32])
tensor("a tensor of negative size", _DAMAGED, shape=[-32])
tensor("a tensor of negative sizes whose product fits", _DAMAGED, shape=[-4, -8])
tensor("a tensor of sizes that are no numbers", _DAMAGED, shape=["32"])
tensor("a tensor of half a size", _DAMAGED, shape=[32.5])
tensor("a tensor of 100,000 dimensions", "“{name}”", shape=[1] * 100_000 + [32])
tensor("a tensor of a strange type", _DAMAGED, dtype="os.system")
tensor("a tensor of a type that is a list", _DAMAGED, dtype=["F32"])
tensor("a tensor of a type of another width", _DAMAGED, dtype="F64")
tensor("a tensor of numbers that are none", "“{name}”", dtype="BOOL", shape=[128])
tensor("a tensor with more said of it", None, evil="x")


# Indexes of shards.


def index(name: str, words: str, weight_map: object, whole: object = None) -> None:
    def build(folder: Path, away: Path) -> None:
        shutil.copy(folder / WEIGHTS, away / WEIGHTS)
        (folder / WEIGHTS).rename(folder / "model-00001-of-00001.safetensors")
        named = json.dumps({"weight_map": weight_map} if whole is None else whole).replace("{away}", str(away))
        (folder / INDEX).write_text(named)

    CASES.append(Hostile(name, build, words))


_ELSEWHERE = "does not name weight files in the same folder"
index("a shard of the system", _ELSEWHERE, {"x": "../../../../../../etc/passwd"})
index("a shard by its absolute path", _ELSEWHERE, {"x": "{away}/model.safetensors"})
index("a shard beside the folder", _ELSEWHERE, {"x": "../model.safetensors"})
index("a shard that is the folder", _ELSEWHERE, {"x": ".."})
index("a shard with a zero byte in its name", _ELSEWHERE, {"x": "model\0.safetensors"})
index(
    "a shard that is missing",
    "is incomplete: 1 of 2",
    {"x": "model-2.safetensors", "y": "model-00001-of-00001.safetensors"},
)
index("a shard that is no word", _ELSEWHERE, {"x": 1})
index("a shard that is a list", INDEX, {"x": ["model-00001-of-00001.safetensors"]})
index("a shard that is the tokenizer", "tokenizer.json", {"x": "tokenizer.json"})
index("an index of nothing", _ELSEWHERE, {})
index("an index that is a list", INDEX, [1])
index("an index without its map", INDEX, None, {"metadata": {}})


@case("an index nested too deep", INDEX)
def _(folder: Path, away: Path) -> None:
    (folder / WEIGHTS).rename(folder / "model-1.safetensors")
    (folder / INDEX).write_bytes(b"[" * 100_000)


@case("no weights", "has no weights")
def _(folder: Path, away: Path) -> None:
    (folder / WEIGHTS).unlink()


@case("no configuration", "holds no model")
def _(folder: Path, away: Path) -> None:
    (folder / "config.json").unlink()


# Tokenizers.

# Any name that transformers exports is taken for a class of tokenizers: some load pickles, some ask about foreign code.
_CLASSES = {
    "tokenizer_config.json": ("BertModel", "AutoModel", "AutoTokenizer", "AutoConfig", "AutoProcessor", "RagTokenizer",
                              "RagRetriever", "Trainer", "pipeline", "BertJapaneseTokenizer", "__name__", "utils"),
    "config.json": ("BertForMaskedLM", "AutoProcessor", "AutoTokenizer", "WhisperProcessor"),
}  # fmt: skip


def asking_for(name: str, file: str) -> Build:
    def build(folder: Path, away: Path) -> None:
        pickled(folder / "pytorch_model.bin", away)
        (folder / "processing.py").write_text(code(away / CANARY))
        automatic = {"AutoProcessor": "processing.Evil", "AutoTokenizer": "processing.Evil", **_MODEL}
        edit(folder / "processor_config.json", auto_map=automatic)
        edit(folder / "config.json", auto_map=automatic)
        edit(folder / "tokenizer_config.json", tokenizer_class=None)
        edit(folder / file, tokenizer_class=name)

    return build


for file, names in _CLASSES.items():
    for name in names:
        CASES.append(Hostile(f"tokenizer_class {name} in {file}", asking_for(name, file), "tokenizer_class is"))
configured(
    "tokenizer_class of a strange module", "tokenizer_class is", "tokenizer_config.json", tokenizer_class="os.path.Evil"
)
configured(
    "tokenizer_class that is a path", "tokenizer_class is", "tokenizer_config.json", tokenizer_class="../../evil"
)
configured(
    "tokenizer_class that is a list", "tokenizer_class is", "tokenizer_config.json", tokenizer_class=["BertTokenizer"]
)
configured("tokenizer_class that is a number", "tokenizer_class is", "tokenizer_config.json", tokenizer_class=3)
configured("a class of tokenizers that nobody knows", None, "tokenizer_config.json", tokenizer_class="EvilTokenizer")
configured("a tokenizer's name elsewhere", None, "tokenizer_config.json", name_or_path="nobody/repository")
configured("a tokenizer that is not local", None, "tokenizer_config.json", is_local=False, local_files_only=False)
configured("a tokenizer with trust", None, "tokenizer_config.json", trust_remote_code=True)


def led_away(name: str, words: str | None, alone: bool = False, **fields: object) -> None:
    """A case whose tokenizer is told to read files outside of the folder; where ``alone``, without tokenizer.json."""

    def build(folder: Path, away: Path) -> None:
        vocabulary = {
            word: number for number, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", SECRET, *"abcdefgh"])
        }
        (away / "vocab.json").write_text(json.dumps(vocabulary))
        (away / "vocab.txt").write_text("\n".join(vocabulary))
        (away / "merges.txt").write_text("#version: 0.2\na b\n")
        shutil.copy(folder / "tokenizer.json", away / "tokenizer.json")
        if alone:
            (folder / "tokenizer.json").unlink()
        named = json.loads(json.dumps(fields).replace("{away}", str(away)))
        edit(folder / "tokenizer_config.json", **named)

    CASES.append(Hostile(name, build, words))


led_away("tokenizer_file outside", None, tokenizer_file="{away}/tokenizer.json")
led_away("vocab_file outside", None, vocab_file="{away}/vocab.txt")
led_away("vocab_file of the system", None, vocab_file="/etc/passwd", special_tokens_map_file="/etc/passwd")
led_away("tokenizer_file outside alone", "okenizer", alone=True, tokenizer_file="{away}/tokenizer.json")
led_away("vocab outside alone", "leads away", alone=True, tokenizer_class="BertTokenizer", vocab="{away}/vocab.txt")
led_away(
    "vocab_file outside alone", "okenizer", alone=True, tokenizer_class="BertTokenizer", vocab_file="{away}/vocab.txt"
)
led_away(
    "merges outside alone",
    "leads away",
    alone=True,
    tokenizer_class="GPT2Tokenizer",
    vocab="{away}/vocab.json",
    merges="{away}/merges.txt",
)
led_away("vocab outside", "leads away", vocab="{away}/vocab.txt")
led_away(
    "gguf_file outside alone", "leads away", alone=True, tokenizer_class="TokenizersBackend", gguf_file="{away}/x.gguf"
)
led_away("tokenizer_object", "leads away", tokenizer_object="os.system")
led_away("fast_tokenizer_files outside", "leads away", fast_tokenizer_files=["../away/tokenizer.5.0.0.json"])
led_away("init_inputs", "leads away", init_inputs=["{away}/vocab.txt"])

content("a tokenizer that is not JSON", "tokenizer of", "{not json", "tokenizer.json")
content("a tokenizer of no bytes", "tokenizer of", "", "tokenizer.json")
content("a tokenizer that is empty", "tokenizer of", "{}", "tokenizer.json")
content("a tokenizer whose model is a number", "tokenizer of", '{"model": 3}', "tokenizer.json")
content("a tokenizer nested too deep", "tokenizer of", "[" * 100_000, "tokenizer.json")
content("a tokenizer's configuration that is a list", "is not a JSON object", "[1]", "tokenizer_config.json")
content("a tokenizer's configuration nested too deep", "is not JSON", "[" * 100_000, "tokenizer_config.json")
content("special tokens that are a list", "tokenizer of", "[1]", "special_tokens_map.json")
content("added tokens that are a list", "tokenizer of", "[1]", "added_tokens.json")


def without_tokenizer_json(file: str, raw: bytes, words: str) -> None:
    def build(folder: Path, _: Path) -> None:
        (folder / "tokenizer.json").unlink()
        (folder / file).write_bytes(raw)

    CASES.append(Hostile(f"{file} of garbage alone", build, words))


for file in ("tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "vocab.txt", "vocab.json", "tekken.json"):
    words = "damaged, or no vocabulary" if file.endswith(".model") else "okenizer"
    without_tokenizer_json(file, b"\x0a\xff\xff\xff\xff\x0f" + bytes(range(256)) * 100, words)

content("a generation configuration that is garbage", None, b"\xff\x00[", "generation_config.json")
content("a generation configuration that is a list", None, "[1]", "generation_config.json")


def parts(name: str, words: str | None, **fields: object) -> None:
    configured(name, words, "tokenizer.json", **fields)


def _regex(pattern: str) -> dict[str, Any]:
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


parts("a pattern that backtracks without end", ANY, pre_tokenizer=_regex("(a+)+$"))
parts("a pattern that backtracks on the first word", ANY, pre_tokenizer=_regex("(?:[a-z]*[a-z]*)*[a-z]*[a-z]*[a-z]*!"))
parts("a pattern that is none", "tokenizer of", pre_tokenizer=_regex("(((("))
parts("a pattern of a million repetitions", ANY, pre_tokenizer=_regex("((a{1000}){1000}){1000}"))
parts("a table that panics", "PanicException", normalizer={"type": "Precompiled", "precompiled_charsmap": ""})
parts(
    "a template of a token that is not there",
    "tokenizer of",
    post_processor={
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "[X]", "type_id": 0}}],
        "pair": [],
        "special_tokens": {},
    },
)
parts("a component that is not known", "tokenizer of", pre_tokenizer={"type": "os.system"})
parts("added tokens that collide", None, added_tokens=[_added(0, "cat"), _added(0, "dog"), _added(5, "[CLS]")])
parts("an added token far outside", None, added_tokens=[_added(2**31, "cat")])
parts("an added token below zero", "tokenizer of", added_tokens=[_added(-1, "cat")])
parts(
    "a vocabulary of other numbers",
    "tokenizer of",
    model={"type": "WordLevel", "vocab": {"a": 2**40}, "unk_token": "a"},
)

_TEMPLATE = "{% for i in range(10**12) %}{{ ''.__class__.__mro__[1].__subclasses__() }}{% endfor %}"
configured("a chat template without end", None, "tokenizer_config.json", chat_template=_TEMPLATE)
configured("chat templates that are no list of them", "tokenizer of", "tokenizer_config.json", chat_template=[1])
configured("a limit of tokens without end", "“{name}”", "tokenizer_config.json", model_max_length=float("inf"))
configured("a limit of tokens that is no number", "“{name}”", "tokenizer_config.json", model_max_length="x")
configured("a limit of tokens that is a list", "“{name}”", "tokenizer_config.json", model_max_length=[1])
configured("special tokens that are numbers", "“{name}”", "tokenizer_config.json", pad_token=3, cls_token=[1])
configured("padding outside of the vocabulary", None, "tokenizer_config.json", pad_token="[EVIL]")
configured(
    "added tokens without end", None, "tokenizer_config.json", added_tokens_decoder={str(2**62): {"content": "x"}}
)


@case("a chat template in a file of its own", None)
def _(folder: Path, away: Path) -> None:
    (folder / "chat_template.jinja").write_text(_TEMPLATE)


@case("a vocabulary of 100,000 words", "belongs to another model")
def _(folder: Path, away: Path) -> None:
    vocabulary = {f"w{number}": number for number in range(100_000)}
    edit(folder / "tokenizer.json", model={"type": "WordLevel", "vocab": vocabulary, "unk_token": "w0"})


@case("a tokenizer of 300 MB", "has more than")
def _(folder: Path, away: Path) -> None:
    with (folder / "tokenizer.json").open("r+b") as file:
        file.truncate(300_000_000)
