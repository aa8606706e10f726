"""The words of a text of any language in one spelling, with their places, by sentence and by clause."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_WORD = re.compile(r"[^\W_](?:[^\W_]|[\u0300-\u036f])*")
# A full stop ends a sentence before white space, but not after a lone letter, as in "T. A." or "E. coli".
_SENTENCE_END = re.compile(r"(?<!\b\w)[.](?=\s)|[!?;](?=\s)|\n")
_CLAUSE_END = re.compile(rf"{_SENTENCE_END.pattern}|[,:)](?=\s)")
_SHORTEST_INFLECTED = 5
_NO_PLURAL = ("ss", "us", "is")


@dataclass(frozen=True, eq=False, repr=False)
class PlainText:
    """The words of a text.

    Attributes:
        words: The n words in one spelling; see `plain_word`.
        spans: Where each stands in the text, `(start, stop)` in characters.
        sentences: For each word the number of its sentence, not decreasing.
        clauses: For each word the number of its clause, what punctuation parts within sentences too.
    """

    words: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    sentences: tuple[int, ...]
    clauses: tuple[int, ...]


def plain_text(text: str) -> PlainText:
    """The words of a text; punctuation is left out.

    Args:
        text: A text.

    Example:

    >>> from icd_relevancy.text.plain_words import plain_text
    >>> found = plain_text("Sin adenopatías. Fiebre, 38 °C")
    >>> found.words, found.spans[1]
    (('sin', 'adenopatia', 'fiebr', '38', 'c'), (4, 15))
    >>> found.sentences, found.clauses
    ((0, 0, 1, 1, 1), (0, 0, 1, 2, 2))
    """
    found = list(_WORD.finditer(text))
    starts = [word.start() for word in found]
    return PlainText(
        tuple(plain_word(word.group()) for word in found),
        tuple(word.span() for word in found),
        _parts(text, starts, _SENTENCE_END),
        _parts(text, starts, _CLAUSE_END),
    )


def _parts(text: str, starts: list[int], end: re.Pattern) -> tuple[int, ...]:
    """For each place the number of ends before it."""
    ends = [found.end() for found in end.finditer(text)]
    numbers, number = [], 0
    for start in starts:
        while number < len(ends) and ends[number] <= start:
            number += 1
        numbers.append(number)
    return tuple(numbers)


def plain_words(text: str) -> tuple[str, ...]:
    """The words of a text in one spelling.

    Args:
        text: A text.

    Example:

    >>> from icd_relevancy.text.plain_words import plain_words
    >>> plain_words("Fractures of both ankles"), plain_words("Lesiones óseas")
    (('fractur', 'of', 'both', 'ankl'), ('lesion', 'osea'))
    """
    return tuple(plain_word(word) for word in _WORD.findall(text))


@lru_cache(maxsize=1 << 16)
def plain_word(word: str) -> str:
    """A word in small letters, without accents, and without the endings of English and Spanish plurals.

    Args:
        word: A word.

    Example:

    >>> from icd_relevancy.text.plain_words import plain_word
    >>> [plain_word(word) for word in ("Adenopathies", "edema", "EDEMAS", "lesión", "lesiones", "stress", "pelvis")]
    ['adenopathy', 'edema', 'edema', 'lesion', 'lesion', 'stress', 'pelvis']
    """
    letters = unicodedata.normalize("NFKD", word.casefold())
    word = "".join(letter for letter in letters if not unicodedata.combining(letter))
    if len(word) < _SHORTEST_INFLECTED:
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith(_NO_PLURAL):
        word = word[:-1]
    # The plural of a word in -e and that of a word in a consonant end alike: "fractures", "lesiones".
    return word[:-1] if word.endswith("e") else word
