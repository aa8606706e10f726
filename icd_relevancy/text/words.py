"""How words are split, spelled, shortened and numbered; stop words, words that negate, and numbers in texts."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from itertools import islice, repeat

import numpy as np

from icd_relevancy.errors import InputError
from icd_relevancy.files.safe_reading import checked_words

NEGATED = "NOT_"
NEGATION_WORDS = frozenset(
    "no not nor neither none never nothing nobody without cannot absent absence negative denies denied denying"
    " lack lacks free unlikely isn't aren't wasn't weren't don't doesn't didn't hasn't haven't hadn't can't"
    " couldn't won't wouldn't shouldn't".split()
)
# "has" is kept, as in the paper's example; so are words of time ("after") and of doubt ("may").
STOP_WORDS = frozenset(
    "a an the this that these those of in on at to from by for with into onto upon as and or but if than then so"
    " such is are was were be been being am do does did doing i me my we us our you your he him his she her hers"
    " it its they them their who whom whose which what when where while there here also very just too own same"
    " some any each will would shall itself himself herself themselves".split()
)

# A comma before three digits parts thousands, unless the number begins with a zero; any other is a decimal sign.
# Of what is neither, such as "1.2.3", no part is a number. Thousands are bounded, or a run of them would take its
# square of steps.
NUMBER = r"(?:[1-9]\d{0,2}(?:,\d{3}){1,3}(?:\.\d+)?|\d+(?:[.,]\d+)?)(?!\d|[.,'’]\d)"
# No number begins within a word, a date or another number.
START = r"(?<![\w./-])(?<!\d[,'’])"

PADDING, UNKNOWN = 0, 1
SPECIAL = 2
# Letters and digits; an accent that combines with its letter belongs to it.
_WORD = re.compile(r"[^\W_](?:[^\W_]|[\u0300-\u036f])*")
# A full stop ends a sentence before white space, but not after a lone letter, as in "T. A." or "E. coli".
_SENTENCE_END = re.compile(r"(?<!\b\w)[.](?=\s)|[!?;](?=\s)|\n")
_CLAUSE_END = re.compile(rf"{_SENTENCE_END.pattern}|[,:)](?=\s)")
_NO_PLURAL = ("ss", "us", "is")


def read_number(written: str) -> float:
    """The value of what `NUMBER` matches: 5.6 of "5,6", 250000 of "250,000"."""
    whole, comma, digits = written.partition(",")
    decimal = comma and (len(digits) != 3 or whole.startswith("0")) and not {",", "."} & set(digits)
    return float(f"{whole}.{digits}" if decimal else written.replace(",", ""))


def singular(word: str) -> str:
    """An English word in small letters without its plural ending, roughly: words are only compared with each other."""
    if len(word) < 4 or not word.endswith("s") or word.endswith(_NO_PLURAL):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("oses", "stases")):
        return word[:-2] + "is"
    return word[:-2] if word.endswith(("sses", "xes", "ches", "shes")) else word[:-1]


# Not `singular`: trained lexicons hold what this one gave.
@lru_cache(maxsize=1 << 16)
def plain_word(word: str) -> str:
    """A word in small letters, without accents, and without the endings of English and Spanish plurals."""
    letters = unicodedata.normalize("NFKD", word.casefold())
    word = "".join(letter for letter in letters if not unicodedata.combining(letter))
    if len(word) < 5:
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith(_NO_PLURAL):
        word = word[:-1]
    # The plural of a word in -e and that of a word in a consonant end alike: "fractures", "lesiones".
    return word[:-1] if word.endswith("e") else word


def plain_words(text: str) -> tuple[str, ...]:
    """The plain words of a text."""
    return tuple(plain_word(word) for word in _WORD.findall(text))


@dataclass(frozen=True, eq=False, repr=False)
class PlainText:
    """The plain words of a text, where each stands in it, and the number of its sentence and of its clause."""

    words: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    sentences: tuple[int, ...]
    clauses: tuple[int, ...]


def plain_text(text: str) -> PlainText:
    """The plain words of a text, by sentence and by clause, what punctuation parts within sentences too."""
    matches = list(_WORD.finditer(text))
    return PlainText(
        tuple(plain_word(match.group()) for match in matches),
        tuple(match.span() for match in matches),
        _parts(text, matches, _SENTENCE_END),
        _parts(text, matches, _CLAUSE_END),
    )


def _parts(text: str, words: Sequence[re.Match], end: re.Pattern) -> tuple[int, ...]:
    """For each word the number of ends before it."""
    ends = [match.end() for match in end.finditer(text)]
    numbers, number = [], 0
    for word in words:
        while number < len(ends) and ends[number] <= word.start():
            number += 1
        numbers.append(number)
    return tuple(numbers)


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
        counts, group_counts, group_words, group = Counter(), Counter(), set(), None
        # Group by group, so that the words of no more than one group are held.
        for row in np.argsort(groups, kind="stable"):
            if groups[row] != group:
                group_counts.update(group_words)
                group_words, group = set(), groups[row]
            words = reader.words(texts[row])
            counts.update(words)
            group_words.update(words)
        group_counts.update(group_words)
        kept = [word for word, number in group_counts.items() if number >= min_groups]
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
        words = (word for word in _WORD.finditer(text) if not word[0].isdigit())
        return [word.span() for word in islice(words, self.max_length)] or [(0, 0)]

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
        """The tokenizer that `to_dict` gave.

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
    words = " ".join([word for word in _WORD.findall(text) if not word.isdigit()])
    return unicodedata.normalize("NFC", words.lower()).split()
