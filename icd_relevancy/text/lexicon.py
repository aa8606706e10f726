"""What the words of a note say of each code by themselves: a channel of features for any model, and evidence."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from icd_relevancy.errors import InputError
from icd_relevancy.text.phrase_precision import PhrasePrecision
from icd_relevancy.text.plain_words import PlainText, plain_text, plain_words
from icd_relevancy.text.word_coverage import WordCoverage, sentence_words

_COVERAGES = ("titles", "synonyms", "mention_words")
_PRECISIONS = ("phrases", "mentions")
_NOTES_AT_ONCE = 256
# What classifications put in brackets may be there or not: "Hypertension (arterial) (benign)".
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")


@dataclass(frozen=True, eq=False, repr=False)
class Lexicon:
    """How well the words of notes agree with the names of codes: features of a note for each of m labels.

    Up to five channels, each from 0 to 1:

    - `titles`: the idf-weighted share of the words of the label's title that stand in one sentence, of the best
      sentence, squared;
    - `synonyms`: the same of the best of the title without what is in brackets, the inclusion terms and the
      "includes" notes;
    - `mention_words`: the same of the best of the label's annotated mentions in training notes, which finds
      those that are written in two pieces;
    - `mentions`: of the annotated mentions that stand word for word in the note the highest precision: the
      share of the training notes with this mention that carry the label;
    - `phrases`: the same of runs of one to three words that were found to go with the label in training notes,
      for which no annotation and no title is needed.

    Words are compared without case, accents and plural endings, so the channels work for any language that
    writes spaces between words; titles and synonyms only for that of the code system. A label of another edition
    has the names of its nearest ancestor.

    A lexicon is kept with the model, with mentions and phrases of training notes **in plain text**: ask by
    `min_groups` for those alone that several groups of notes share, such as patients, where that matters.

    Fitted on notes, the last three channels know these notes' own codes. A model that learns from them must read
    its training notes by `out_of_fold`, or it trusts the lexicon too much.

    Attributes:
        labels: The m labels.
        columns: The words that names of labels have, and the column of each.
        idf: The idf of each among the sentences of the training notes.
        titles, synonyms, mention_words: `WordCoverage`, or None for a channel that is not there.
        phrases, mentions: `PhrasePrecision`, or None.

    Example:

    >>> texts = ["Dry cough for a week.", "Dry cough, fever.", "No pain.", "Pain."]
    >>> lexicon = Lexicon.fit(texts, [("R05",), ("R05", "R50.9"), (), ("R52",)], ("R05", "R50.9", "R52"))
    >>> lexicon.channels, lexicon.transform(["Has had a dry cough."]).toarray().round(2)
    (('phrases',), array([[0.33, 0.  , 0.  ]], dtype=float32))
    >>> lexicon.evidence("Has had a dry cough.", "R05")
    [(10, 13, 0.3333333432674408), (14, 19, 0.3333333432674408)]
    """

    labels: tuple[str, ...]
    columns: dict[str, int]
    idf: np.ndarray
    titles: WordCoverage | None = None
    synonyms: WordCoverage | None = None
    mention_words: WordCoverage | None = None
    phrases: PhrasePrecision | None = None
    mentions: PhrasePrecision | None = None

    @classmethod
    def fit(
        cls,
        texts: Sequence[str],
        codes: Sequence[Iterable[str]],
        labels: Sequence[str],
        system=None,
        mentions: Sequence | None = None,
        groups=None,
        min_groups: int = 1,
    ) -> "Lexicon":
        """Learns the names of labels from a code system and training notes.

        Args:
            texts: n training notes.
            codes: The codes of each; those that are no label are left out.
            labels: The m labels.
            system: The `CodeSystem` of the labels, for titles and synonyms. Defaults to None: neither.
            mentions: For each note the pairs `(code, text)` of its annotated mentions, None where not annotated;
                as `Notes.mentions`. Defaults to None: no such channels.
            groups: The group of each note, such as `Notes.groups`. Defaults to None: each its own.
            min_groups: Least number of groups of notes that an annotated mention is in; for phrases at least 2.
                Defaults to 1.

        Raises:
            InputError: If there is no note or no label, or the columns differ in length.
        """
        texts, labels = list(texts), tuple(labels)
        groups = np.arange(len(texts)) if groups is None else np.asarray(groups)
        _check(texts, codes, labels, mentions, groups)
        plain = [plain_text(text) for text in texts]
        place = {label: number for number, label in enumerate(labels)}
        carried = _carried(codes, place)
        named = {"titles": [], "synonyms": []} if system is None else _names(labels, system)
        named["mention_words"] = _mentioned(mentions, place, groups, min_groups)
        columns, idf = _idf(plain, (words for pairs in named.values() for _, words in pairs))
        parts = {
            name: WordCoverage.of(pairs, columns, idf, len(labels)) for name, pairs in named.items() if pairs
        }
        parts["phrases"] = PhrasePrecision.learned(plain, carried, groups, max(2, min_groups))
        if named["mention_words"]:
            parts["mentions"] = PhrasePrecision.of_mentions(plain, carried, named["mention_words"])
        return cls(labels, columns, idf, **parts)

    @classmethod
    def out_of_fold(
        cls, texts, codes, labels, folds, system=None, mentions=None, groups=None, min_groups: int = 1
    ):
        """The features of training notes, each from a lexicon of the notes of all other folds.

        Args:
            texts, codes, labels, system, mentions, groups, min_groups: As in `fit`.
            folds: The fold of each note, `(n,)`, such as from `stratified_group_folds`.

        Returns:
            CSR `(n, channels * m)`, float32, as of `transform` of the lexicon of all notes.

        Raises:
            InputError: As `fit`, or if there are fewer than two folds.

        Example:

        >>> texts, codes = ["Dry cough.", "A dry cough.", "Dry cough."], [("R05",)] * 3
        >>> Lexicon.out_of_fold(texts, codes, ("R05",), [0, 1, 2]).toarray().round(2)
        array([[0.33],
               [0.33],
               [0.33]], dtype=float32)
        """
        folds = np.asarray(folds)
        if len(folds) != len(texts) or len(np.unique(folds)) < 2:
            raise InputError("the lexicon needs a fold for each note, and at least two folds")
        groups = np.arange(len(texts)) if groups is None else np.asarray(groups)
        channels = _channels(system, mentions)
        rows, order = [], []
        for fold in np.unique(folds):
            inside, outside = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
            taken = {"mentions": None if mentions is None else [mentions[note] for note in outside]}
            lexicon = cls.fit(
                [texts[note] for note in outside],
                [codes[note] for note in outside],
                labels,
                system,
                groups=groups[outside],
                min_groups=min_groups,
                **taken,
            )
            rows.append(lexicon.transform([texts[note] for note in inside], channels))
            order.append(inside)
        return sparse.vstack(rows, format="csr")[np.argsort(np.concatenate(order))]

    def __repr__(self) -> str:
        # The generated one would print the phrases of notes.
        return f"Lexicon({len(self.labels)} labels, channels={self.channels})"

    @property
    def channels(self) -> tuple[str, ...]:
        """The names of the channels, in their order."""
        return tuple(name for name in (*_COVERAGES, *_PRECISIONS) if getattr(self, name) is not None)

    def transform(self, texts: Sequence[str], channels: Sequence[str] | None = None) -> sparse.csr_matrix:
        """The features of notes.

        Args:
            texts: n notes.
            channels: Which channels, in which order; one that is not there is 0. Defaults to None: all.

        Returns:
            CSR `(n, channels * m)`, float32, channel-major: the m values of the first channel come first.
        """
        channels = self.channels if channels is None else tuple(channels)
        empty = sparse.csr_matrix((0, len(channels) * len(self.labels)), dtype=np.float32)
        starts = range(0, len(texts), _NOTES_AT_ONCE)
        blocks = [self._block(texts[start : start + _NOTES_AT_ONCE], channels) for start in starts]
        return sparse.vstack([empty, *blocks], format="csr")

    def _block(self, texts: Sequence[str], channels: tuple[str, ...]) -> sparse.csr_matrix:
        plain = [plain_text(text) for text in texts]
        sentences = sentence_words(plain, self.columns)
        found = []
        for name in channels:
            part = getattr(self, name)
            if part is None:
                found.append(sparse.csr_matrix((len(texts), len(self.labels)), dtype=np.float32))
            elif name in _COVERAGES:
                found.append(part.transform(*sentences, len(texts)))
            else:
                found.append(part.transform(plain))
        return sparse.hstack(found, format="csr", dtype=np.float32)

    def evidence(self, text: str, label: str) -> list[tuple[int, int, float]]:
        """The words of a note that speak most for a label.

        Args:
            text: The note.
            label: One of the labels.

        Returns:
            Spans `(start, stop, weight)` in characters, in the order of the text, of the channel with the highest
            value: the words of the best sentence, each with its share, of which the square of the sum is the
            value; or every place of the best phrase, each with its precision. Empty where no channel has a value.

        Raises:
            InputError: If the label is none of the lexicon's.
        """
        if label not in self._place:
            raise InputError(f"{label!r} is none of the {len(self.labels)} labels of the lexicon")
        number, plain = self._place[label], plain_text(text)
        best, spans = 0.0, []
        for name in self.channels:
            value, found = self._spans(name, plain, number)
            if value > best:
                best, spans = value, found
        return spans

    def _spans(
        self, channel: str, plain: PlainText, label: int
    ) -> tuple[float, list[tuple[int, int, float]]]:
        part = getattr(self, channel)
        if channel in _COVERAGES:
            best = part.best(sentence_words([plain], self.columns)[0], label)
            if best is None:
                return 0.0, []
            sentence, shares = best
            there = (place for place, at in enumerate(plain.sentences) if at == sentence)
            weights = [(place, shares.get(self.columns.get(plain.words[place]))) for place in there]
            spans = [(*plain.spans[place], weight) for place, weight in weights if weight is not None]
            return min(sum(shares.values()), 1.0) ** 2, spans
        places = part.occurrences(plain)
        weights = (
            part.links[[number for number, _, _ in places], label].toarray().ravel()
            if places
            else np.zeros(0)
        )
        if not weights.any():
            return 0.0, []
        value = float(weights.max())
        best = [place for place, weight in zip(places, weights, strict=True) if weight == value]
        # Of equally good phrases the longest says most.
        longest = max(stop - start for _, start, stop in best)
        kept = [(start, stop) for _, start, stop in best if stop - start == longest]
        return value, [(plain.spans[start][0], plain.spans[stop - 1][1], value) for start, stop in kept]

    @cached_property
    def _place(self) -> dict[str, int]:
        return {label: number for number, label in enumerate(self.labels)}

    def to_dict(self) -> dict:
        """The lexicon, as JSON can hold it: with phrases of training notes in plain text."""
        told = {"labels": list(self.labels), "words": list(self.columns), "idf": self.idf.tolist()}
        for name in _COVERAGES:
            if (part := getattr(self, name)) is not None:
                phrases, links = part.to_lists()
                told[name] = {"phrases": phrases, "links": links}
        for name in _PRECISIONS:
            if (part := getattr(self, name)) is not None:
                links = part.links.tocoo()
                triples = zip(links.row.tolist(), links.col.tolist(), links.data.tolist(), strict=True)
                told[name] = {
                    "phrases": [" ".join(words) for words in part.phrases],
                    "links": list(map(list, triples)),
                }
        return told

    @classmethod
    def from_dict(cls, told: Mapping) -> "Lexicon":
        """What `to_dict` told of."""
        labels, idf = tuple(told["labels"]), np.asarray(told["idf"], np.float64)
        parts = {}
        for name in _COVERAGES:
            if name in told:
                parts[name] = WordCoverage.from_lists(
                    told[name]["phrases"], told[name]["links"], idf, len(labels)
                )
        for name in _PRECISIONS:
            if name in told:
                phrases = tuple(tuple(phrase.split(" ")) for phrase in told[name]["phrases"])
                rows, columns, values = np.array(told[name]["links"], np.float64).reshape(-1, 3).T
                cells = (rows.astype(int), columns.astype(int))
                links = sparse.csr_matrix(
                    (values.astype(np.float32), cells), shape=(len(phrases), len(labels))
                )
                parts[name] = PhrasePrecision(phrases, links)
        return cls(labels, {word: column for column, word in enumerate(told["words"])}, idf, **parts)


def _check(texts, codes, labels, mentions, groups) -> None:
    if not texts or not labels:
        raise InputError(
            f"the lexicon needs notes and labels; received {len(texts)} notes, {len(labels)} labels"
        )
    lengths = {"codes": len(codes), "groups": len(groups)}
    if mentions is not None:
        lengths["mentions"] = len(mentions)
    for name, length in lengths.items():
        if length != len(texts):
            raise InputError(f"{name} must have one value a note; received {length} for {len(texts)} notes")


def _channels(system, mentions) -> tuple[str, ...]:
    named = () if system is None else ("titles", "synonyms")
    annotated = mentions is not None and any(mentions)
    return (*named, "mention_words", "phrases", "mentions") if annotated else (*named, "phrases")


def _carried(codes, place: dict[str, int]) -> sparse.csr_matrix:
    """The labels of the notes, 0 and 1, `(n, m)`, float32."""
    rows = [sorted({place[code] for code in row if code in place}) for row in codes]
    columns = np.array([label for row in rows for label in row], np.int64)
    pointers = np.cumsum([0, *map(len, rows)])
    shape = (len(rows), len(place))
    return sparse.csr_matrix((np.ones(len(columns), np.float32), columns, pointers), shape=shape)


def _names(labels: Sequence[str], system) -> dict[str, list[tuple[int, tuple[str, ...]]]]:
    """The words of the labels' titles and synonyms, each with the label's number."""
    titles, synonyms = [], []
    for number, label in enumerate(labels):
        code = system.normalise(label)
        if code is None:
            continue
        title = system.title(code)
        titles.append((number, plain_words(title)))
        for name in (title, *system.inclusion_terms(code), *system.includes(code)):
            synonyms.append((number, plain_words(_BRACKETS.sub(" ", name))))
    return {"titles": titles, "synonyms": synonyms}


def _mentioned(mentions, place: dict[str, int], groups, min_groups: int) -> list[tuple[int, tuple[str, ...]]]:
    """The words of the labels' annotated mentions, each with the label's number, of so many groups of notes."""
    groups_of: dict[tuple[int, tuple[str, ...]], set[int]] = {}
    for group, row in zip(groups, mentions or (), strict=mentions is not None):
        for code, text in row or ():
            if code in place and (words := plain_words(text)):
                groups_of.setdefault((place[code], words), set()).add(int(group))
    return [pair for pair, found in groups_of.items() if len(found) >= min_groups]


def _idf(texts: Sequence[PlainText], phrases: Iterator[Sequence[str]]) -> tuple[dict[str, int], np.ndarray]:
    """The column of each word of the phrases, and the idf of each among the sentences of the texts."""
    columns = {
        word: column for column, word in enumerate(sorted({word for words in phrases for word in words}))
    }
    sentences, _ = sentence_words(texts, columns)
    having = np.asarray(sentences.sum(axis=0), np.float64).ravel()
    return columns, np.log((sentences.shape[0] + 1) / (having + 1)) + 0.1
