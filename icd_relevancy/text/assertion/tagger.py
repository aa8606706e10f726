"""Negated terms marked by a prefix: NegEx on a blank spaCy pipeline."""

from collections.abc import Sequence
from functools import cached_property

from icd_relevancy.errors import InputError
from icd_relevancy.text.aligned import AlignedText
from icd_relevancy.text.assertion.cues import cues
from icd_relevancy.text.words import NEGATED


class NegationTagger:
    """Puts `NOT_` before each word of a negated term (HMHAN §III.B: `NOT_pneumonia`).

    Terms match in any case, singular or plural. NegEx (the package `negspacy`) decides which are negated, with cues
    for radiology reports; a negation ends with its clause ("no pneumonia but effusion").

    Args:
        terms: The terms.
        uncertain: Whether what is asked for, possible or past ("rule out", "possible", "history of") counts as
            negated. Defaults to False.

    Raises:
        InputError: If there are no terms, or spaCy or negspacy is not installed.

    Example:

    >>> from icd_relevancy.text import AlignedText, NegationTagger
    >>> tagger = NegationTagger(["pneumonia", "pleural effusion"])
    >>> [text.text for text in tagger.tag([AlignedText.of("No pneumonia or pleural effusions.")])]
    ['No NOT_pneumonia or NOT_pleural NOT_effusions.']
    """

    def __init__(self, terms: Sequence[str], uncertain: bool = False):
        if not terms:
            raise InputError("negation needs terms to look for: give some, or collect them with fit()")
        self.terms = tuple(terms)
        self.uncertain = uncertain

    def tag(self, texts: Sequence[AlignedText]) -> list[AlignedText]:
        """The texts with negated terms marked, each aligned with the same original."""
        negated = self._pipeline.negated_spans(text.text for text in texts)
        return [_marked(text, spans) for text, spans in zip(texts, negated, strict=True)]

    @cached_property
    def _pipeline(self):
        try:
            from icd_relevancy.text.assertion.negex import NegexPipeline
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] not in ("spacy", "negspacy"):
                raise
            raise InputError(
                'negation needs spaCy and negspacy; run: pip install "icd_relevancy[text]"'
            ) from error
        return NegexPipeline(self.terms, cues(self.uncertain))


def _marked(text: AlignedText, spans: Sequence[tuple[int, int]]) -> AlignedText:
    places = set()
    for start, stop in spans:
        for place in range(start, stop):
            if place == start or text.text[place - 1].isspace() or text.text[place - 1] == "/":
                places.add(_word_start(text.text, place))
    return text.edit((place, place, NEGATED) for place in sorted(places))


def _word_start(text: str, place: int) -> int:
    """The beginning of the word at a place: a term may begin within a word such as "air-space"."""
    while place > 0 and (text[place - 1].isalnum() or text[place - 1] == "-"):
        place -= 1
    return place
