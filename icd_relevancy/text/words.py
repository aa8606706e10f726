"""The words of notes as numbers, for the models that read words rather than a transformer's tokens."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import repeat

import numpy as np

from icd_relevancy.errors import InputError
from icd_relevancy.files.safe_reading import checked_words

PADDING, UNKNOWN = 0, 1
SPECIAL = 2
# Letters and digits; an accent that combines with its letter belongs to it.
_WORD = re.compile(r"\w[\w\u0300-\u036f]*")


@dataclass(frozen=True, repr=False)
class WordTokenizer:
    """Numbers the words of notes by one vocabulary.

    Text is lower-cased, all but letters and digits of any script become spaces, words of digits alone are left
    out, and the first `max_length` words that remain are read. So the mark of a negation is a word of its own:
    `NOT_pneumonia` is read as "not pneumonia".

    The words are kept with the model, in plain text: `fit` takes a word only where several notes that have
    neither patient nor text in common use it, so that a patient's name does not travel with the model.

    Attributes:
        vocabulary: The words, by falling frequency; the first has number 2, after padding, 0, and all words
            that are not known, 1.
        max_length: Words read of a note. Defaults to 4,000.

    Raises:
        InputError: If a word occurs more than once or `max_length` is below 1.

    Example:

    >>> from icd_relevancy.text import WordTokenizer
    >>> words = WordTokenizer.fit(["Mild cough.", "Mild fever, 38.5", "Mild cough!"], min_groups=2)
    >>> words.vocabulary, len(words)
    (('mild', 'cough'), 4)
    >>> words.tokenize(["Severe cough", "Mild"])["input_ids"].tolist()
    [[1, 3], [2, 0]]

    Reference: JAMS §3.1.
    """

    vocabulary: tuple[str, ...]
    max_length: int = 4000

    def __post_init__(self):
        object.__setattr__(self, "vocabulary", tuple(self.vocabulary))
        if len(set(self.vocabulary)) < len(self.vocabulary):
            raise InputError("vocabulary: a word occurs more than once; make them unique")
        if self.max_length < 1:
            raise InputError(f"max_length must be at least 1. Received: max_length={self.max_length}")

    @classmethod
    def fit(
        cls, texts: Sequence[str], groups=None, min_groups: int = 3, max_length: int = 4000
    ) -> "WordTokenizer":
        """The words of so many groups of notes.

        Args:
            texts: n training notes.
            groups: The group of each, such as `Notes.groups`, `(n,)`. Defaults to None: each its own.
            min_groups: Least number of groups with a word. Defaults to 3.
            max_length: Words read of a note. Defaults to 4,000.

        Raises:
            InputError: If no word is in so many groups, or `max_length` is below 1.
        """
        reader = cls((), max_length)
        groups = np.arange(len(texts)) if groups is None else np.asarray(groups)
        counts, groups_with, of_group, before = Counter(), Counter(), set(), None
        # Group by group, so that the words of no more than one group are held.
        for row in np.argsort(groups, kind="stable"):
            if groups[row] != before:
                groups_with.update(of_group)
                of_group, before = set(), groups[row]
            words = reader.words(texts[row])
            counts.update(words)
            of_group.update(words)
        groups_with.update(of_group)
        kept = [word for word, number in groups_with.items() if number >= min_groups]
        if not kept:
            raise InputError(
                f"no word is in {min_groups} of the {len(texts)} training notes; give more notes or fewer min_groups"
            )
        return cls(tuple(sorted(kept, key=lambda word: (-counts[word], word))), max_length)

    def __len__(self) -> int:
        return len(self.vocabulary) + SPECIAL

    def words(self, text: str) -> list[str]:
        """The words of a note that are read, known or not.

        Args:
            text: The note.

        Example:

        >>> WordTokenizer(()).words("Edema of 2 legs; SpO2 90%, Señor L4-5")
        ['edema', 'of', 'legs', 'spo2', 'señor', 'l4']
        """
        return _all_words(text)[: self.max_length]

    def tokenize(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        """The numbers of the words of notes.

        A note without a word has a single unknown one, so that every note has something to attend to.

        Args:
            texts: n notes.

        Returns:
            A dict of `input_ids` and `attention_mask`, int32 `(n, length)` for the longest of the notes.
        """
        rows = [self._numbers(text) for text in texts]
        ids, mask = np.zeros((2, len(rows), max(map(len, rows), default=0)), np.int32)
        # Row by row: the pages of an array of zeros that nothing is written to take no memory.
        for at, numbers in enumerate(rows):
            ids[at, : len(numbers)] = numbers
            mask[at, : len(numbers)] = 1
        return {"input_ids": ids, "attention_mask": mask}

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """Where the words that `tokenize` reads of a note stand in it.

        Args:
            text: The note.

        Returns:
            The first character and the one after the last of each word; `(0, 0)` for the unknown word of a note
            without words.

        Example:

        >>> WordTokenizer(()).token_spans("T 38.5, cough")
        [(0, 1), (8, 13)]
        """
        found = (found for found in _WORD.finditer(text.replace("_", " ")) if not found[0].isdigit())
        return [word.span() for word, _ in zip(found, range(self.max_length), strict=False)] or [(0, 0)]

    def truncated(self, texts: Sequence[str]) -> int:
        """How many of the notes have more than `max_length` words, so that `tokenize` cuts them.

        Args:
            texts: The notes.
        """
        return sum(len(_all_words(text)) > self.max_length for text in texts)

    def to_dict(self) -> dict:
        """The words and how many are read, as JSON can hold them."""
        return {**asdict(self), "vocabulary": list(self.vocabulary)}

    @classmethod
    def from_dict(cls, told: Mapping) -> "WordTokenizer":
        """What `to_dict` told of.

        Raises:
            ValueError: If the words are no list of text, or the length is no whole number.
        """
        if type(told["max_length"]) is not int:
            raise ValueError("max_length must be a whole number")
        return cls(checked_words(told["vocabulary"]), told["max_length"])

    def _numbers(self, text: str) -> np.ndarray:
        words = self.words(text)
        if not words:
            return np.array([UNKNOWN], np.int32)
        return np.fromiter(map(self._places.get, words, repeat(UNKNOWN)), np.int32, len(words))

    @cached_property
    def _places(self) -> dict[str, int]:
        return {word: place for place, word in enumerate(self.vocabulary, start=SPECIAL)}


def _all_words(text: str) -> list[str]:
    # Split before it is lower-cased, as `token_spans` does: a few letters become two when they are small.
    found = " ".join([word for word in _WORD.findall(text.replace("_", " ")) if not word.isdigit()])
    return unicodedata.normalize("NFC", found.lower()).split()
