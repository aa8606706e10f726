"""The tokenizer of an encoder, as text that travels with a saved model."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from icd_relevancy.errors import InputError

_TEXTS_AT_ONCE = 4096
_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")


def checked_texts(texts) -> list[str]:
    """The texts as a list, each a str that can be written as UTF-8.

    Args:
        texts: An iterable of str.

    Raises:
        InputError: Naming the row, counted from 0, of an item that is not a str or holds a lone surrogate.
        ValueError: If `texts` is one str.

    Example:

    >>> from icd_relevancy.layers.tokenizer import checked_texts
    >>> checked_texts(("Cough.", "Fever."))
    ['Cough.', 'Fever.']
    """
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


@contextmanager
def damage_named(folder: Path, part: str) -> Iterator[None]:
    """Names the part of an encoder's folder that cannot be read."""
    try:
        yield
    except (ImportError, MemoryError):
        raise
    # Every library under transformers has exceptions of its own, and tokenizers raises the bare Exception.
    except Exception as error:
        reason = (str(error).strip().splitlines() or ["no reason given"])[0][:160]
        raise InputError(
            f"{folder}: the encoder's {part} cannot be read ({type(error).__name__}: {reason}); fetch the folder "
            "again or write it with save_pretrained"
        ) from error


def read_tokenizer(folder: Path) -> dict[str, str]:
    """The files of a folder's tokenizer, from name to text."""
    with quiet_transformers() as transformers, tempfile.TemporaryDirectory() as temporary:
        with damage_named(folder, "tokenizer"):
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, use_fast=True)
        tokenizer.save_pretrained(temporary)
        files = [Path(temporary) / name for name in _FILES]
        return {file.name: file.read_text("utf-8") for file in files}


def build_tokenizer(files: dict[str, str], lowercase: bool | None):
    """The fast tokenizer of these files; it lower-cases as it was published where `lowercase` is None."""
    with quiet_transformers() as transformers, tempfile.TemporaryDirectory() as temporary:
        for name, text in files.items():
            (Path(temporary) / name).write_text(text, "utf-8")
        tokenizer = transformers.AutoTokenizer.from_pretrained(temporary, use_fast=True)
    # A text has the same positions, and so the same vectors, whatever is padded beside it.
    tokenizer.padding_side = "right"
    if lowercase is not None:
        _set_lowercase(tokenizer.backend_tokenizer, lowercase)
    return tokenizer


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
