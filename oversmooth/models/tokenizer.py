"""The tokenizer of a model folder: read from its own files alone, tried, and compared with the network's vocabulary."""

from __future__ import annotations

import re
from pathlib import Path

from transformers import AutoTokenizer, PreTrainedConfig, PreTrainedTokenizerBase, TokenizersBackend
from transformers.models.auto.tokenization_auto import tokenizer_class_from_name

from oversmooth.errors import ModelError
from oversmooth.models import files
from oversmooth.models.configuration import TOKENIZER_CONFIG
from oversmooth.models.reading import read_fields
from oversmooth.models.refusal import refusing
from oversmooth.wording import count

_FEWEST_TOKENS = 3
"""Besides the special ones: the four bases of a genome are a vocabulary."""

_CLASS = "tokenizer_class"
_CLASS_NAME = re.compile(r"\w*Tokenizer(Fast)?|TokenizersBackend|PythonBackend", re.ASCII)
_STAND_INS = ("PreTrainedTokenizer", "PythonBackend")
"""Names for no class in particular; transformers takes the one that reads tokenizer.json."""
_LED_AWAY = ("vocab", "merges", "gguf_file", "tokenizer_object", "init_inputs", "fast_tokenizer_files")
"""Keys that no saved tokenizer needs, and that name files wherever they lie."""


def read_tokenizer(folder: Path, config: PreTrainedConfig, name: str) -> PreTrainedTokenizerBase:
    """The tokenizer, tried on one word, and compared with the vocabulary of the network.

    Raises:
        ModelError: none, a broken or a foreign one, or one that reads files elsewhere.
    """
    _refuse_led_away(folder, config, name)
    failure = (
        "The tokenizer of “{}” cannot be loaded" if files.tokenizer_files(folder) else "“{}” has no tokenizer's files"
    )
    with refusing(failure.format(name)):
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            folder, config=config, local_files_only=True, trust_remote_code=False
        )
        entries, known, special = len(tokenizer), tokenizer.vocab_size, len(set(tokenizer.all_special_ids))
    rows = getattr(config.get_text_config(), "vocab_size", None)
    if entries - special < _FEWEST_TOKENS or (isinstance(rows, int) and entries < rows / 10):
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
        raise ModelError(
            f"{TOKENIZER_CONFIG} of “{name}” leads away from the tokenizer's own files ({away[0]}); take that key out."
        )
    for asked in (fields.get(_CLASS), getattr(config, _CLASS, None)):
        if asked is not None and not _is_fast(asked, name):
            raise ModelError(
                f"“{name}” asks for a tokenizer that Oversmooth does not use ({_CLASS} is “{str(asked)[:80]}”): "
                "it reads tokenizers of the tokenizers library, saved as tokenizer.json."
            )


def _is_fast(asked: object, name: str) -> bool:
    """Whether a class of that name is one of the tokenizers library's, which alone tell where their tokens stand."""
    if not isinstance(asked, str) or not _CLASS_NAME.fullmatch(asked):
        return False
    if asked in _STAND_INS:
        return True
    with refusing(f"The tokenizer of “{name}” cannot be loaded"):
        found = tokenizer_class_from_name(asked)
    # A name that transformers does not know is not looked up anywhere; it takes the class that reads tokenizer.json.
    return found is None or (isinstance(found, type) and issubclass(found, TokenizersBackend))
