"""What labels are called: in their code system, and by annotators of notes."""

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from icd_relevancy.text.lexicon.sparse_best import words_of_parts
from icd_relevancy.text.words import PlainText, plain_word, plain_words

# Function words of English and Spanish, and the words by which classifications say that nothing more is known.
EMPTY_WORDS = frozenset(
    map(
        plain_word,
        "a an and are as at be by due for from he her his in is it its no not of on or other she that the there this"
        " to was were which with without elsewhere classified specified unspecified nec nos al como con de del el en"
        " es la las lo los o para por que se sin su un una y".split(),
    )
)
# What classifications put in brackets may be there or not: "Hypertension (arterial) (benign)".
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")

Names = list[tuple[int, tuple[str, ...]]]


def names_in_system(labels: Sequence[str], system) -> dict[str, Names]:
    """The words of titles and synonyms of labels, as pairs of a label's number and the words of a name.

    A label of another edition has the names of its nearest ancestor. Synonyms are the title without what is in
    brackets, inclusion terms and "includes" notes.
    """
    titles, synonyms = [], []
    for number, label in enumerate(labels):
        code = system.normalise(label)
        if code is None:
            continue
        title = system.title(code)
        titles.append((number, _telling_words(title)))
        for name in (title, *system.inclusion_terms(code), *system.includes(code)):
            synonyms.append((number, _telling_words(_BRACKETS.sub(" ", name))))
    return {"titles": titles, "synonyms": synonyms}


def names_in_mentions(mentions, place: Mapping[str, int], groups: Iterable[int], min_groups: int) -> Names:
    """The words of annotated mentions of labels that `min_groups` groups of notes have; `place` numbers the labels."""
    groups_by_name: dict[tuple[int, tuple[str, ...]], set[int]] = {}
    for group, row in zip(groups, mentions, strict=bool(mentions)):
        for code, text in row or ():
            if code in place:
                words = tuple(sorted(set(_telling_words(text))))
                groups_by_name.setdefault((place[code], words), set()).add(int(group))
    return sorted(name for name, having in groups_by_name.items() if len(having) >= min_groups)


def idf_of_names(texts: Sequence[PlainText], names: Iterable[Names]) -> tuple[dict[str, int], np.ndarray]:
    """The column of each word of names, and its smoothed idf over the sentences of texts, `(words,)`."""
    named = {word for pairs in names for _, words in pairs for word in words}
    columns = {word: column for column, word in enumerate(sorted(named))}
    sentences, _ = words_of_parts(texts, columns, "sentences")
    having = np.asarray(sentences.sum(axis=0), np.float64).ravel()
    return columns, np.log((sentences.shape[0] + 1) / (having + 1)) + 0.1


def _telling_words(text: str) -> tuple[str, ...]:
    return tuple(word for word in plain_words(text) if word not in EMPTY_WORDS)
