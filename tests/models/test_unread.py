"""What researchers have on disk in place of a model: each refusal names what was found and the way on."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from families import build
from hub_server import Hub, Repository
from tiny import tokenizer

from oversmooth.core.errors import ModelError
from oversmooth.models.loading import load

Saved = Callable[..., Path]


def refusal(name: Path | str) -> str:
    with pytest.raises(ModelError) as caught:
        load(str(name), device="cpu")
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")
    return text


def below(folder: Path, *names: str) -> Path:
    """A folder with models in the folders below."""
    for name in names:
        build("bert").save_pretrained(folder / name)
        tokenizer().save_pretrained(folder / name)
    return folder


@pytest.mark.parametrize("with_configuration", [True, False])
def test_an_adapter_is_named_with_its_base_and_how_to_merge_it(saved: Saved, with_configuration: bool) -> None:
    folder = saved()
    if not with_configuration:
        (folder / "config.json").unlink()
    (folder / "model.safetensors").rename(folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "org/base", "r": 8}))
    text = refusal(folder)
    assert "holds an adapter of peft (adapter_config.json), not a model: it changes “org/base”" in text
    assert "merge_and_unload and save_pretrained" in text


def test_an_adapter_whose_base_is_no_word_is_named_without_it(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": ["x"]}))
    assert "(adapter_config.json), not a model. Merge it" in refusal(tmp_path)


def test_the_folder_of_a_run_names_its_checkpoints_newest_first(tmp_path: Path) -> None:
    below(tmp_path, "checkpoint-500", "checkpoint-1000", "checkpoint-90")
    (tmp_path / "training_args.bin").write_bytes(b"x")
    text = refusal(tmp_path)
    assert "its models are checkpoint-1000, checkpoint-500, checkpoint-90, the newest first" in text
    named = text.rpartition("such as “")[2].partition("”")[0]
    assert load(named, device="cpu").record.family == "bert"


def test_checkpoints_that_are_adapters_are_told(tmp_path: Path) -> None:
    (tmp_path / "checkpoint-20").mkdir()
    (tmp_path / "checkpoint-20" / "adapter_config.json").write_text("{}")
    text = refusal(tmp_path)
    assert "its checkpoints are adapters: checkpoint-20" in text
    assert "merge_and_unload" in text


def test_the_finished_model_of_a_run_is_read_beside_its_checkpoints(saved: Saved) -> None:
    assert load(str(below(saved(), "checkpoint-500")), device="cpu").record.identifier == "model"


def test_the_model_of_an_early_sentence_transformer_is_named(tmp_path: Path) -> None:
    below(tmp_path, "0_Transformer")
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text("{}")
    (tmp_path / "modules.json").write_text(json.dumps([{"idx": 0, "path": "0_Transformer"}]))
    text = refusal(tmp_path)
    assert f"there is 0_Transformer. Give that folder: “{tmp_path}/0_Transformer”" in text
    load(f"{tmp_path}/0_Transformer", device="cpu")


@pytest.mark.parametrize("module", ["0_BERT", "0_CLIPModel", "0_RoBERTa"])
def test_the_first_module_of_a_sentence_transformer_is_named_whatever_it_is_called(tmp_path: Path, module: str) -> None:
    below(tmp_path, module)
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text("{}")
    assert f"there is {module}. Give that folder: “{tmp_path}/{module}”" in refusal(tmp_path)


def test_an_adapter_in_a_folder_below_is_told(tmp_path: Path) -> None:
    (tmp_path / "0_Transformer").mkdir()
    (tmp_path / "0_Transformer" / "adapter_config.json").write_text("{}")
    assert "below it adapters of peft: 0_Transformer. Merge" in refusal(tmp_path)


def test_a_model_with_an_adapter_beside_it_is_not_measured_as_either(saved: Saved) -> None:
    folder = saved()
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.safetensors").write_bytes(b"x")
    assert "a model and an adapter of peft that is not merged into it (adapter_model.safetensors)" in refusal(folder)


def test_a_merged_model_is_read_beside_the_description_of_its_adapter(saved: Saved) -> None:
    folder = saved()
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "org/base"}))
    assert load(str(folder), device="cpu").record.family == "bert"


def test_a_repository_in_the_cache_of_the_hub_names_its_commit(tmp_path: Path) -> None:
    commit = "a" * 40
    below(tmp_path / "snapshots", commit)
    (tmp_path / "refs").mkdir()
    text = refusal(tmp_path)
    assert f"the folder of a commit: “{tmp_path}/snapshots/{commit}”" in text
    assert load(f"{tmp_path}/snapshots/{commit}", device="cpu").record.family == "bert"


PARTS_OF_TRAINING = {
    "checkpoints/epoch=3-step=100.ckpt": "only as checkpoints/epoch=3-step=100.ckpt, a pickle",
    "global_step20/zero_pp_rank_0_mp_rank_00_model_states.pt": "a training checkpoint of DeepSpeed",
    "zero_to_fp32.py": "a training checkpoint of DeepSpeed",
    "pytorch_model_fsdp_0/__0_0.distcp": "a distributed training checkpoint",
    "runs/events.out": "it holds runs/",
    "model_index.json": "a pipeline of diffusers",
}


@pytest.mark.parametrize("file", PARTS_OF_TRAINING)
def test_what_lies_in_folders_below_is_named(tmp_path: Path, file: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text("{}")
    assert PARTS_OF_TRAINING[file] in refusal(tmp_path)


def test_a_part_of_a_pipeline_is_not_said_to_be_renamed(saved: Saved) -> None:
    folder = saved()
    (folder / "model.safetensors").rename(folder / "diffusion_pytorch_model.safetensors")
    assert "a part of a pipeline of diffusers" in refusal(folder)


def test_a_name_of_two_lines_is_refused_in_one(tmp_path: Path) -> None:
    assert "There is no folder" in refusal(f"{tmp_path}/model\n")


OTHER_FORMS = {
    "pytorch_model.bin": ("a pickle", "can run code", "save_pretrained"),
    "model.pt": ("a pickle", "can run code", "save_pretrained"),
    "last.ckpt": ("a pickle", "can run code", "save_pretrained"),
    "consolidated.00.pth": ("a pickle", "can run code", "save_pretrained"),
    "model.Q4_K_M.gguf": ("a model in GGUF", "gguf_file"),
    "tf_model.h5": ("a checkpoint of TensorFlow or Flax", "from_tf=True"),
    "flax_model.msgpack": ("a checkpoint of TensorFlow or Flax", "from_flax=True"),
    "bert_model.ckpt.index": ("a checkpoint of TensorFlow or Flax", "from_tf=True"),
    "model.onnx": ("a model in ONNX", "exported from"),
    "model.zip": ("an archive", "Unpack it"),
}


@pytest.mark.parametrize("file", OTHER_FORMS)
@pytest.mark.parametrize("with_configuration", [True, False])
def test_weights_in_another_form_are_named_with_the_way_on(saved: Saved, file: str, with_configuration: bool) -> None:
    folder = saved()
    (folder / "model.safetensors").rename(folder / file)
    (folder / "optimizer.pt").write_bytes(b"x")
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text("{}")
    if not with_configuration:
        (folder / "config.json").unlink()
    text = refusal(folder)
    assert f"has its weights only as {file}, {OTHER_FORMS[file][0]}" in text
    assert all(words in text for words in OTHER_FORMS[file])


def test_weights_in_a_folder_of_onnx_are_found(saved: Saved) -> None:
    folder = saved()
    (folder / "onnx").mkdir()
    (folder / "model.safetensors").rename(folder / "onnx" / "model.onnx")
    assert "only as onnx/model.onnx, a model in ONNX" in refusal(folder)


@pytest.mark.parametrize("file", OTHER_FORMS)
def test_a_file_in_place_of_a_folder_is_named_for_what_it_is(tmp_path: Path, file: str) -> None:
    path = tmp_path / file
    if file.endswith("zip"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("model/config.json", "{}")
    else:
        path.write_bytes(b"x")
    text = refusal(path)
    assert f"“{path}” is {OTHER_FORMS[file][0]}" in text
    assert OTHER_FORMS[file][-1] in text


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    assert "it has no config.json; it is empty" in refusal(tmp_path)


def test_what_a_folder_holds_is_named(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt", "c.txt", "d.txt", "e.txt"):
        (tmp_path / name).write_text("x")
    assert "it holds a.txt, b.txt and c.txt and 2 more" in refusal(tmp_path)


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 90\n"


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_pointer_of_git_lfs_is_named(saved: Saved, file: str) -> None:
    folder = saved()
    (folder / file).write_text(POINTER)
    text = refusal(folder)
    assert f"{file} of “{folder}” is a pointer of git-LFS" in text
    assert "git lfs pull" in text


def test_shards_without_their_index_are_told(saved: Saved) -> None:
    folder = saved()
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    assert "model-00001-of-00002.safetensors without model.safetensors.index.json" in refusal(folder)


def test_weights_under_another_name_are_told(saved: Saved) -> None:
    folder = saved()
    (folder / "model.safetensors").rename(folder / "weights.safetensors")
    assert "no model.safetensors, but weights.safetensors" in refusal(folder)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["modules.json", "0_Transformer/config.json", "1_Pooling/config.json"], "Download it, and give that folder"),
        (["adapter_config.json", "adapter_model.safetensors"], "holds an adapter of peft"),
        (["config.json", "onnx/model.onnx"], "only as onnx/model.onnx"),
        (["checkpoint-3/config.json", "checkpoint-20/config.json"], "checkpoint-20, checkpoint-3"),
        (["model.gguf", "README.md"], "only as model.gguf"),
    ],
)
def test_on_the_hub_the_same_is_told_before_anything_is_downloaded(
    hub: Hub, tmp_path: Path, files: Sequence[str], words: str
) -> None:
    folder = tmp_path / "model"
    for each in files:
        (folder / each).parent.mkdir(parents=True, exist_ok=True)
        (folder / each).write_text("{}")
    hub.repositories["lab/tiny"] = Repository(folder)
    assert words in refusal("lab/tiny")
    assert hub.downloads() == []
