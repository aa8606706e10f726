"""The words of a text of any language in one spelling, with their places, sentence by sentence."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_COMBINING = "\u0300-\u036f"
_WORD = re.compile(rf"[^\W_](?:[^\W_]|[{_COMBINING}])*")
# A full stop ends a sentence before white space, but not after a lone letter, as in "T. A." or "E. coli".
_SENTENCE_END = re.compile(r"(?<!\b\w)[.](?=\s)|[!?;](?=\s)|\n")
_SHORTEST_INFLECTED = 5
_NO_PLURAL = ("ss", "us", "is")


@dataclass(frozen=True, eq=False, repr=False)
class PlainText:
    """The words of a text.

    Attributes:
        words: The n words in one spelling; see `plain_word`.
        spans: Where each stands in the text, `(start, stop)` in characters.
        sentences: For each word the number of its sentence, not decreasing.
    """

    words: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    sentences: tuple[int, ...]

    def by_sentence(self) -> list[tuple[int, int]]:
        """The ranges of words, `(first, after the last)`, that are sentences."""
        starts = [
            place for place, at in enumerate(self.sentences) if place == 0 or self.sentences[place - 1] != at
        ]
        return list(zip(starts, [*starts[1:], len(self.words)], strict=True))


def plain_text(text: str) -> PlainText:
    """The words of a text; punctuation is left out.

    Args:
        text: A text.

    Example:

    >>> from icd_relevancy.text.plain_words import plain_text
    >>> found = plain_text("Sin adenopatías. Fiebre: 38,5 °C")
    >>> found.words
    ('sin', 'adenopatia', 'fiebr', '38', '5', 'c')
    >>> found.spans[1], found.sentences
    ((4, 15), (0, 0, 1, 1, 1, 1))
    """
    ends = [end.end() for end in _SENTENCE_END.finditer(text)]
    words, spans, sentences, sentence = [], [], [], 0
    for found in _WORD.finditer(text):
        while sentence < len(ends) and ends[sentence] <= found.start():
            sentence += 1
        words.append(plain_word(found.group()))
        spans.append(found.span())
        sentences.append(sentence)
    return PlainText(tuple(words), tuple(spans), tuple(sentences))


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
