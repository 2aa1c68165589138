"""The tokenizer of a model folder: read from its own files alone, tried, and compared with the network's vocabulary."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, PreTrainedConfig, PreTrainedTokenizerBase, TokenizersBackend
from transformers.models.auto.tokenization_auto import tokenizer_class_from_name

from oversmooth.core.errors import ModelError
from oversmooth.core.wording import count
from oversmooth.models import files
from oversmooth.models.configuration import TOKENIZER_CONFIG
from oversmooth.models.reading import ordinary, read_fields
from oversmooth.models.refusal import refusing

_FEWEST_TOKENS = 3
"""Besides the special ones: the four bases of a genome are a vocabulary."""

_CLASS = "tokenizer_class"
_CLASS_NAME = re.compile(r"\w*Tokenizer(Fast)?|TokenizersBackend|PythonBackend", re.ASCII)
_STAND_INS = ("PreTrainedTokenizer", "PythonBackend")
"""Names for no class in particular; transformers takes the one that reads tokenizer.json."""
_LIBRARY_FILE = "tokenizer.json"
_IN_PYTHON = (
    "BartphoTokenizer", "BertGenerationTokenizer", "BertJapaneseTokenizer", "BertTokenizerLegacy",
    "BertweetTokenizer", "BioGptTokenizer", "BlenderbotSmallTokenizer", "ByT5Tokenizer", "CTRLTokenizer",
    "CanineTokenizer", "EsmTokenizer", "FSMTTokenizer", "FlaubertTokenizer", "GPTSw3Tokenizer", "M2M100Tokenizer",
    "MarianTokenizer", "PLBartTokenizer", "PerceiverTokenizer", "PhobertTokenizer", "ProphetNetTokenizer",
    "RoCBertTokenizer", "SiglipTokenizer", "XLMTokenizer",
)  # fmt: skip
"""Tokenizers of transformers that are written in Python and read vocabularies alone: no pickle, no code."""
_PACKAGES = ("fugashi", "unidic_lite", "ipadic", "unidic", "sudachipy", "rhoknp", "sacremoses", "emoji", "rjieba")
"""That they need, some of them."""
_OPTIONS = ("sp_model_kwargs", "mecab_kwargs", "sudachi_kwargs", "jumanpp_kwargs")
"""Options that are handed to a library as they are: with them, MeCab writes files and SentencePiece draws at random."""
_DICTIONARIES = tuple({"mecab_dic": each} for each in ("ipadic", "unidic", "unidic_lite"))
_LED_AWAY = ("vocab", "merges", "gguf_file", "tokenizer_object", "init_inputs", "fast_tokenizer_files")
"""Keys that no saved tokenizer needs, and that name files wherever they lie."""


def read_tokenizer(folder: Path, config: PreTrainedConfig, name: str) -> PreTrainedTokenizerBase:
    """The tokenizer, tried on one word; refused where it is broken, another model's, or reads files elsewhere."""
    _refuse_led_away(folder, config, name)
    failure = (
        "The tokenizer of “{}” cannot be loaded" if files.tokenizer_files(folder) else "“{}” has no tokenizer's files"
    )
    # Of packages that are recommended and change nothing here.
    with refusing(failure.format(name)), _dependency_told(name), warnings.catch_warnings(action="ignore"):
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            folder, config=config, local_files_only=True, trust_remote_code=False
        )
        entries, known, special = len(tokenizer), tokenizer.vocab_size, len(set(tokenizer.all_special_ids))
    rows = getattr(config.get_text_config(), "vocab_size", None)
    _refuse_silent_lack(tokenizer, name)
    nothing = tokenizer.is_fast and not files.tokenizer_files(folder)
    if nothing or entries - special < _FEWEST_TOKENS or (isinstance(rows, int) and entries < rows / 10):
        # Without files, transformers makes one of the special tokens alone instead of failing.
        raise ModelError(
            f"“{name}” has no usable tokenizer: the one found knows {count(entries, 'token')}. "
            "Put the tokenizer's files (tokenizer.json) beside the weights."
        )
    if isinstance(rows, int) and known > rows:
        raise ModelError(
            f"The tokenizer of “{name}” belongs to another model: it knows {known:,} tokens, the network {rows:,}."
        )
    with refusing(f"The tokenizer of “{name}” fails"):
        int(tokenizer.model_max_length)
        tokenizer("smooth")
    return tokenizer


def _refuse_led_away(folder: Path, config: PreTrainedConfig, name: str) -> None:
    """Refuse a configuration that makes transformers load something else than this folder's tokenizer.

    Any name that transformers exports is taken for a tokenizer's class: as “AutoProcessor” or “BertModel”, it would
    load a processor or the weights of a pickle, and ask on standard input whether to run the code that they bring.
    """
    path = folder / TOKENIZER_CONFIG
    fields = read_fields(path, name) if path.is_file() else {}
    away = [key for key in _LED_AWAY if fields.get(key)]
    if away:
        raise _leads_away(name, away[0])
    for asked in (fields.get(_CLASS), getattr(config, _CLASS, None)):
        if asked is not None and not _is_known(asked, name):
            raise ModelError(
                f"“{name}” asks for a tokenizer that Oversmooth does not use ({_CLASS} is “{str(asked)[:80]}”): "
                "save it as tokenizer.json, which the tokenizers library reads."
            )
    _refuse_other_files(folder, fields, fields.get(_CLASS) or getattr(config, _CLASS, None), name)


def _leads_away(name: str, key: str) -> ModelError:
    return ModelError(
        f"{TOKENIZER_CONFIG} of “{name}” leads away from the tokenizer's own files ({key}); take that key out."
    )


def _is_known(asked: object, name: str) -> bool:
    """Whether a class of that name is one of the tokenizers library's, or in Python and known to be harmless."""
    if not isinstance(asked, str) or not _CLASS_NAME.fullmatch(asked):
        return False
    if asked in _STAND_INS or asked in _IN_PYTHON:
        return True
    found = _class_of(asked, name)
    # A name that transformers does not know is not looked up anywhere; it takes the class that reads tokenizer.json.
    return found is None or (isinstance(found, type) and issubclass(found, TokenizersBackend))


def _class_of(asked: str, name: str) -> object:
    with refusing(f"The tokenizer of “{name}” cannot be loaded"):
        return tokenizer_class_from_name(asked)


def _refuse_other_files(folder: Path, fields: dict[str, Any], asked: object, name: str) -> None:
    """Refuse a vocabulary that lies elsewhere, and options of a tokenizer's library, which may name files too."""
    if (folder / _LIBRARY_FILE).is_file() and asked not in _IN_PYTHON:
        return
    named = getattr(_class_of(asked, name), "vocab_files_names", {}) if isinstance(asked, str) else {}
    away = [key for key in (*named, *_OPTIONS) if fields.get(key) and key != "tokenizer_file"]
    if away and not (away == ["mecab_kwargs"] and fields["mecab_kwargs"] in _DICTIONARIES):
        raise _leads_away(name, away[0])
    own = [each for each in named.values() if each != _LIBRARY_FILE]
    if asked in _IN_PYTHON and own and not any((folder / each).is_file() for each in own):
        raise ModelError(
            f"“{name}” lacks the files of its tokenizer ({_CLASS} is “{asked}”): there is no {' and no '.join(own)}."
        )
    for each in files.tokenizer_files(folder):
        if each.endswith((".model", ".spm")):
            _refuse_damaged(folder / each, name)


def _refuse_damaged(path: Path, name: str) -> None:
    """Refuse a vocabulary that is none of SentencePiece's before its library, in C++, sees it."""
    proto: Any = import_module("sentencepiece.sentencepiece_model_pb2")
    model = proto.ModelProto()
    damaged = f"{path.name} of “{name}” is damaged, or no vocabulary of SentencePiece"
    with refusing(damaged):
        model.ParseFromString(ordinary(path).read_bytes())
    if not model.pieces:
        raise ModelError(f"{damaged}: it holds no pieces. Fetch it again, or put {_LIBRARY_FILE} beside it.")


def unplaced(tokenizer: PreTrainedTokenizerBase) -> str:
    """What a tokenizer in Python does not tell, in a sentence; empty for one of the tokenizers library."""
    if tokenizer.is_fast:
        return ""
    name = type(tokenizer).__name__
    return f"{name} does not tell which characters its tokens cover: their places in the text are left empty."


@contextmanager
def _dependency_told(name: str) -> Iterator[None]:
    """A sentence with the package that a tokenizer in Python needs, where it is missing."""
    try:
        yield
    except ImportError as error:
        package = error.name or next((each for each in _PACKAGES if each in str(error).lower()), "")
        needed = f"the Python package {package}" if package else "a Python package that is not installed"
        raise ModelError(
            f"The tokenizer of “{name}” needs {needed}. Install it beside Oversmooth, or save the tokenizer as "
            f"{_LIBRARY_FILE}."
        ) from error


def _refuse_silent_lack(tokenizer: PreTrainedTokenizerBase, name: str) -> None:
    # Without its package, BERTweet's would leave emoji as they are, and say so in a log alone.
    if getattr(tokenizer, "normalization", False) and getattr(tokenizer, "demojizer", True) is None:
        raise ModelError(f"The tokenizer of “{name}” needs the Python package emoji. Install it beside Oversmooth.")
