"""The tokenizer of an encoder, as text that travels with a saved model."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from icd_relevancy.errors import InputError
from icd_relevancy.files.safe_reading import reading

_TEXTS_AT_ONCE = 4096
_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
# All that encoding a text takes from the configuration; what else is there could name other files, or code.
_SETTINGS = {
    "model_max_length": int,
    "pad_token": (str, dict),
    "truncation_side": str,
    "add_prefix_space": bool,
}


def checked_texts(texts) -> list[str]:
    """The texts as a list; refuses, naming its row, what is no str or cannot be written as UTF-8."""
    if isinstance(texts, str):
        raise ValueError("Argument `texts` must be a list of str. Received a str")
    texts = list(texts)
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(
                f"texts, row {row} (counted from 0): a {type(text).__name__}, not a str; "
                "leave the row out or give it a text"
            )
        try:
            text.encode()
        except UnicodeEncodeError as error:
            # Without its cause, which quotes the text.
            raise InputError(
                f"texts, row {row} (counted from 0): not valid Unicode (a lone surrogate at character "
                f"{error.start}); read the text again as UTF-8"
            ) from None
    return texts


@contextmanager
def quiet_transformers() -> Iterator:
    """The transformers library without torch and without its warnings."""
    # transformers imports torch wherever it finds it, and torch and TensorFlow in one process abort.
    os.environ["USE_TORCH"] = "0"
    import transformers

    verbosity = transformers.logging.get_verbosity()
    # Every load warns that TensorFlow classes are deprecated and that the pooler or a head is unused.
    transformers.logging.set_verbosity_error()
    try:
        yield transformers
    finally:
        transformers.logging.set_verbosity(verbosity)


def damage_named(folder: Path, part: str):
    """Names the part of an encoder's folder that cannot be read."""
    return reading(
        folder, f"an encoder whose {part} can be read", "fetch it again or write it with save_pretrained"
    )


def read_tokenizer(folder: Path) -> dict[str, str]:
    """The files of a folder's tokenizer, from name to text."""
    with (
        quiet_transformers() as transformers,
        tempfile.TemporaryDirectory() as temporary,
        damage_named(folder, "tokenizer"),
        _panic_as_error(),
    ):
        # The folder's own code is never run, nor is anybody asked whether to.
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            folder, use_fast=True, trust_remote_code=False, local_files_only=True
        )
        tokenizer.save_pretrained(temporary)
        files = [Path(temporary) / name for name in _FILES]
        return {file.name: file.read_text("utf-8") for file in files}


def build_tokenizer(files: Mapping[str, str], lowercase: bool | None):
    """The fast tokenizer of these files; it lower-cases as it was published where `lowercase` is None."""
    # The files are those of a model from anywhere: they are read in memory, and never written or run.
    place = "the files of the tokenizer"
    if not isinstance(files, Mapping) or not {"tokenizer.json"} <= files.keys() <= set(_FILES):
        raise InputError(f"{place}: must be {', '.join(_FILES)}; copy or train the model again")
    with reading(place, "a tokenizer", "copy or train the model again"), _panic_as_error():
        return _built(files, lowercase)


def _built(files: Mapping[str, str], lowercase: bool | None):
    from tokenizers import AddedToken, Tokenizer

    config = json.loads(files.get("tokenizer_config.json", "{}"))
    settings = {name: config[name] for name, kind in _SETTINGS.items() if isinstance(config.get(name), kind)}
    if isinstance(settings.get("pad_token"), dict):
        settings["pad_token"] = AddedToken(settings["pad_token"]["content"], special=True)
    if settings.get("model_max_length", 1) < 1:
        raise ValueError("model_max_length must be at least 1")
    backend = Tokenizer.from_str(files["tokenizer.json"])
    # A file could ask for texts of any length.
    backend.no_padding()
    backend.no_truncation()
    with quiet_transformers() as transformers:
        tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=backend, **settings)
    # A text has the same positions, and so the same vectors, whatever is padded beside it.
    tokenizer.padding_side = "right"
    if lowercase is not None:
        _set_lowercase(tokenizer.backend_tokenizer, lowercase)
    return tokenizer


@contextmanager
def _panic_as_error() -> Iterator[None]:
    """What the tokenizers library raises for some damage is no `Exception`."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ == "PanicException":
            raise ValueError("the tokenizer cannot be built") from None
        raise


def truncated_texts(tokenizer, texts, max_length: int) -> int:
    """How many texts have more tokens than `max_length`, special tokens included."""
    texts, cut = checked_texts(texts), 0
    # The tokenizer returns Python objects, many times the size of the texts.
    for start in range(0, len(texts), _TEXTS_AT_ONCE):
        block = texts[start : start + _TEXTS_AT_ONCE]
        encoded = tokenizer(block, truncation=True, max_length=max_length, return_token_type_ids=False)
        cut += sum(bool(encoding.overflowing) for encoding in encoded.encodings)
    return cut


def _set_lowercase(backend, lowercase: bool) -> None:
    from tokenizers import normalizers

    normalizer = backend.normalizer
    if isinstance(normalizer, normalizers.BertNormalizer):
        normalizer.lowercase = lowercase
        backend.normalizer = normalizer
    elif lowercase:
        parts = [normalizers.Lowercase()] if normalizer is None else [normalizers.Lowercase(), normalizer]
        backend.normalizer = normalizers.Sequence(parts)
