"""Vectors of words to start the word-level models from: learned by Word2Vec, or read from a file."""

import gzip
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from icd_relevancy.errors import InputError, shown_path
from icd_relevancy.files.safe_reading import reading
from icd_relevancy.text.words import PADDING, SPECIAL, UNKNOWN, WordTokenizer

# Of the vectors of words that nothing is known of: small, for training to move.
_DEVIATION = 0.03
_WORDS_READ, _EPOCHS = 10_000_000, (5, 50)
_BLOCK_BYTES = 2**22
_LONGEST_WORD = 2**16
_LONGEST_COUNTS, _MOST_NUMBERS = 40, 2**16
_COUNTS = re.compile(rb"\d+ \d+\s*")
# A word and numbers; the bytes of four-byte numbers are others too.
_TEXT_ROW = re.compile(rb"\S+[ \t][-+.\deEnaif \t]*\r?\n?")


def word_vectors(
    tokenizer: WordTokenizer,
    texts: Sequence[str],
    size: int = 100,
    seed: int = 0,
    epochs: int | None = None,
    skip_gram: bool = False,
    progress: bool = True,
) -> np.ndarray:
    """Vectors of a tokenizer's k words by Word2Vec on training notes (JAMS §3.1; Mikolov et al. 2013).

    By default a word is predicted from the mean of its neighbours (CBOW), as in CAML, MultiResCNN and LAAT; skip-gram
    predicts the neighbours and takes several times as long. The words that the tokenizer does not know, such as names,
    are left out of the notes beforehand. Without `epochs` the passes read 10 million words, because five leave the
    words of a few hundred notes where they started. One worker and the seed make the vectors repeatable.

    Returns:
        float32 `(k, size)` by the numbers of the words: padding is zero, the unknown word the mean of the others; a
        word that no note has is small and random.
    """
    try:
        from gensim.models import Word2Vec
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "gensim":
            raise
        raise InputError('word vectors need gensim; run: pip install "icd_relevancy[text]"') from error
    model = Word2Vec(vector_size=size, seed=seed, sg=int(skip_gram), min_count=1, workers=1)
    notes = _KnownWords(tokenizer, texts)
    model.build_vocab(notes)
    if not len(model.wv):
        raise InputError(
            f"the {len(texts)} notes have no word of the vocabulary; give those it was fitted on"
        )
    if epochs is None:
        epochs = int(np.clip(_WORDS_READ / model.corpus_total_words, *_EPOCHS))
    # None leaves the bar out where the output is not a terminal.
    with tqdm(
        total=len(texts) * epochs, desc="word vectors", unit="note", disable=None if progress else True
    ) as bar:
        notes.bar = bar
        model.train(notes, total_examples=model.corpus_count, epochs=epochs)
    return _by_number(tokenizer, {word: model.wv[word] for word in model.wv.index_to_key}, size, seed)


def read_word_vectors(path, tokenizer: WordTokenizer, seed: int = 0) -> np.ndarray:
    """Vectors of a tokenizer's words from a file, such as vectors of another corpus; float32 `(k, d)`.

    The file has the text or the binary format of word2vec, or that of GloVe (text without the line of counts), and may
    be compressed if its name ends in `.gz`. Only vectors of the tokenizer's words are held in memory. Words are read
    as they are written, so they must be lower-cased there.

    Raises:
        InputError: If the file is missing or damaged, naming the line or the vector, or has none of the words.
    """
    path, known, vectors = Path(path), frozenset(tokenizer.vocabulary), {}
    if not path.is_file():
        raise InputError(f"{shown_path(path)}: word vectors cannot be read (no such file); give another file")
    with reading(
        f"{path}: word vectors cannot be read", "the format of word2vec or GloVe", "give another file"
    ):
        for place, word, values in _rows(path, known):
            vectors.setdefault(word, values)
            if not np.isfinite(values).all():
                raise InputError(f"{path}: {place}: a value is not finite; mend or leave out the vector")
    if not vectors:
        raise InputError(
            f"{path}: none of the {len(known)} words of the vocabulary is in it; give vectors of lower-cased words "
            "of the notes' language, in the format of word2vec or GloVe"
        )
    return _by_number(tokenizer, vectors, len(next(iter(vectors.values()))), seed)


class _KnownWords:
    """The notes as lists of the tokenizer's words, made anew in each pass: as lists they would fill the memory."""

    def __init__(self, tokenizer: WordTokenizer, texts: Sequence[str]):
        self.tokenizer, self.texts, self.bar = tokenizer, texts, None
        self.known = frozenset(tokenizer.vocabulary)

    def __iter__(self) -> Iterator[list[str]]:
        for text in self.texts:
            yield [word for word in self.tokenizer.words(text) if word in self.known]
            if self.bar is not None:
                self.bar.update()


def _by_number(tokenizer: WordTokenizer, known: dict[str, np.ndarray], size: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(0, _DEVIATION, (len(tokenizer), size)).astype(np.float32)
    places = [place for place, word in enumerate(tokenizer.vocabulary, SPECIAL) if word in known]
    vectors[places] = [known[tokenizer.vocabulary[place - SPECIAL]] for place in places]
    vectors[PADDING], vectors[UNKNOWN] = 0, vectors[places].mean(axis=0)
    return vectors


def _rows(path: Path, known: frozenset[str]) -> Iterator[tuple[str, str, np.ndarray]]:
    """Where it stands, the word and the vector of each known word of a file."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        first = file.readline(_BLOCK_BYTES)
        if not _COUNTS.fullmatch(first):
            yield from _text_rows(path, file, first, 1, None, known)
            return
        if len(first) > _LONGEST_COUNTS or not 0 < int(first.split()[1]) <= _MOST_NUMBERS:
            raise InputError(
                f"{path}: line 1: vectors of 1 to {_MOST_NUMBERS} numbers are read, and the first line tells others; "
                "give another file"
            )
        count, size = map(int, first.split())
        second = file.readline(_BLOCK_BYTES)
        if _TEXT_ROW.fullmatch(second):
            yield from _text_rows(path, file, second, 2, size, known)
        else:
            yield from _binary_rows(path, file, second, count, size, known)


def _text_rows(path: Path, file, line: bytes, number: int, size: int | None, known: frozenset[str]):
    while line:
        pieces = line.rstrip().split(b" ")
        size = len(pieces) - 1 if size is None else size
        # GloVe's largest set has words with spaces inside, so the values are counted from behind.
        values = pieces[max(len(pieces) - size, 0) :]
        word = b" ".join(pieces[: len(pieces) - len(values)]).decode(errors="replace")
        # The first line tells whether the file has vectors at all; values of unknown words are not read.
        if word in known or not word or number == 1:
            vector = _vector(values) if word and size else None
            if vector is None:
                raise InputError(
                    f"{path}: line {number}: not a word and {size or 'its'} numbers; mend the line"
                )
            if word in known:
                yield f"line {number}", word, vector
        line, number = file.readline(_BLOCK_BYTES), number + 1


def _vector(values: Sequence[bytes]) -> np.ndarray | None:
    try:
        return np.array(values, np.float32)
    except ValueError:
        return None


def _binary_rows(path: Path, file, block: bytes, count: int, size: int, known: frozenset[str]):
    at, width = 0, 4 * size
    for number in range(1, count + 1):
        space = block.find(b" ", at)
        while space < 0 or len(block) < space + 1 + width:
            more = file.read(_BLOCK_BYTES)
            if not more or (space < 0 and len(block) - at > _LONGEST_WORD):
                raise InputError(
                    f"{path}: ends in or before vector {number} of {count}, or is no file of word vectors; "
                    "copy it again"
                )
            block, at = block[at:] + more, 0
            space = block.find(b" ")
        word = block[at:space].lstrip(b"\n").decode(errors="replace")
        at = space + 1 + width
        if word in known:
            yield f"vector {number}", word, np.frombuffer(block[space + 1 : at], "<f4")
