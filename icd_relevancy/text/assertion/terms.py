"""The terms whose negation is marked: from the titles of a code system and from training notes."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain

from icd_relevancy.codes import CodeSystem
from icd_relevancy.codes.rules import affirmed
from icd_relevancy.text.assertion.cues import word_set
from icd_relevancy.text.words import NEGATION_WORDS, STOP_WORDS, singular

# No note repeats the longer titles word by word.
MOST_WORDS = 5
_SHORTEST = 3
_CUES = NEGATION_WORDS | frozenset("resolved resolution cleared excluded ruled exclude".split())

_WORDS = re.compile(r"[^\W\d_][\w'-]*")
_PARENTHESES = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_QUALIFIED = re.compile(
    r"^(?:other and unspecified|other specified|unspecified|other|certain|personal|encounter for)\s+"
)
_QUALIFIER = re.compile(r"\s+(?:unspecified|nos|nec|not elsewhere classified|not otherwise specified)$")
_FURTHER = re.compile("[,;:]")
_PREPOSITION = re.compile(
    r"\s+(?:of|in|on|at|to|due|with|without|from|by|during|following|associated|affecting|involving|for|as|because)\s.*$"
)
_JOINED = re.compile(r"\s+(?:and/or|and|or)\s+")
_WORD = re.compile(r"[^\W\d_](?:[\w'-]*\w)?")
_BREAK = re.compile(r"[^\w\s'-]+|\n\s*\n")


@cache
def _generic() -> frozenset[str]:
    """Words that name no finding, though those of degree may begin a term: "acute disease"."""
    return word_set("places") | word_set("other") | word_set("degrees")


def title_terms(code_system: CodeSystem) -> tuple[str, ...]:
    """The terms, of up to five words, in what titles and inclusion terms affirm, in small letters, sorted.

    Of "Malignant neoplasm of kidney, except renal pelvis" these are "malignant neoplasm of kidney", "malignant
    neoplasm" and "neoplasm".
    """
    titles = chain.from_iterable(
        (code_system.title(code), *code_system.inclusion_terms(code)) for code in code_system.codes
    )
    # Thousands of titles differ only after their first comma.
    named = {_FURTHER.split(_PARENTHESES.sub(" ", title.lower()), maxsplit=1)[0] for title in titles}
    return tuple(sorted(set(chain.from_iterable(map(_of_title, named)))))


def frequent_terms(texts: Iterable[str], min_notes: int = 5) -> tuple[str, ...]:
    """The words, and runs of up to three words, that at least `min_notes` notes have and that may name a finding.

    A run holds no stop word, no cue of negation and no number, and neither begins with a word for a person or a
    study nor ends in one, or in a word for a place or a degree. All are in small letters, sorted.
    """
    counts = Counter(term for text in texts for term in set(_runs(text.lower())))
    return tuple(sorted(term for term, count in counts.items() if count >= min_notes))


def finding_words(title: str) -> set[str]:
    """The words of a title, singular and in small letters, that may name a finding by themselves."""
    words = (word.strip("'-") for word in _WORDS.findall(title.lower()))
    no_findings = _generic() | STOP_WORDS | _CUES
    return {singular(word) for word in words if len(word) > _SHORTEST and word not in no_findings}


def _of_title(title: str) -> Iterator[str]:
    whole = _QUALIFIER.sub("", _QUALIFIED.sub("", affirmed(title)))
    if not _CUES.isdisjoint(whole.split()):
        return
    finding = _PREPOSITION.sub("", whole)
    parts = _JOINED.split(finding)
    heads = [part.rpartition(" ")[2] for part in parts]
    yield from filter(_is_term, (whole, finding, *parts, *heads))


def _is_term(phrase: str) -> bool:
    words = phrase.split()
    return (
        len(phrase) >= _SHORTEST
        and len(words) <= MOST_WORDS
        and STOP_WORDS.isdisjoint((words[0], words[-1]))
        and not set(words) - STOP_WORDS <= _generic()
    )


def _runs(text: str) -> Iterator[str]:
    other, generic, ends = word_set("other"), _generic(), STOP_WORDS | _CUES
    for part in _BREAK.split(text):
        words = [word if _WORD.fullmatch(word) else "" for word in part.split()]
        for start in range(len(words)):
            if words[start] in other:
                continue
            for stop in range(start + 1, min(start + 3, len(words)) + 1):
                run = words[start:stop]
                if not run[-1] or run[-1] in ends:
                    break
                if run[-1] not in generic and len(run[-1]) > _SHORTEST:
                    yield " ".join(run)
