"""What the words of a note say of each code by themselves: channels of features for any model, and evidence."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from icd_relevancy.errors import InputError, shown_code
from icd_relevancy.files.safe_reading import checked_words
from icd_relevancy.text.lexicon.carried_labels import CarriedLabels
from icd_relevancy.text.lexicon.coverage import WordCoverage
from icd_relevancy.text.lexicon.names import idf_of_names, names_in_mentions, names_in_system
from icd_relevancy.text.lexicon.phrases import LearnedPhrases
from icd_relevancy.text.words import plain_text

_NAMED = ("titles", "synonyms", "mention_words", "mentions")
_CHANNELS = ("titles", "synonyms", "phrases", "mention_words", "mentions")
_NOTES_AT_ONCE = 256


@dataclass(frozen=True, eq=False, repr=False)
class Lexicon:
    """How well the words of notes agree with the names of codes: features of a note for each of m labels.

    Up to five channels, each from 0 to 1, of which a weighted sum is a logit:

    - `titles`: the idf-weighted share of the words of the label's title that stand in one sentence, of the best
      sentence, squared;
    - `synonyms`: the same of the best of the title without what is in brackets, the inclusion terms and the
      "includes" notes;
    - `phrases`: how much the best run of one to three words lifts the label's probability, of runs found in the
      training notes to go with the label; no annotation and no title is needed;
    - `mention_words`: as `titles`, of the best of the label's annotated mentions in training notes;
    - `mentions`: of the annotated mentions whose words all stand in one clause the highest precision, the share
      of the training notes with this mention that carry the label.

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
        phrases: The `LearnedPhrases`.
        titles, synonyms, mention_words, mentions: `WordCoverage`, or None for a channel that is not there.

    Example:

    >>> texts = ["Dry cough for a week.", "Fever.", "Cough, dry; fever.", "No complaints."]
    >>> codes = [("R05",), ("R50.9",), ("R05", "R50.9"), ()]
    >>> mentions = [(("R05", "dry cough"),), (("R50.9", "fever"),), None, None]
    >>> lexicon = Lexicon.fit(texts, codes, ("R05", "R50.9"), mentions=mentions)
    >>> lexicon.channels
    ('phrases', 'mention_words', 'mentions')
    >>> lexicon.transform(["Now a cough that is dry."]).toarray()
    array([[0. , 0. , 1. , 0. , 0.5, 0. ]], dtype=float32)
    >>> [(start, stop) for start, stop, _ in lexicon.evidence("Now a cough that is dry.", "R05")]
    [(6, 11), (20, 23)]
    """

    labels: tuple[str, ...]
    columns: dict[str, int]
    idf: np.ndarray
    phrases: LearnedPhrases
    titles: WordCoverage | None = None
    synonyms: WordCoverage | None = None
    mention_words: WordCoverage | None = None
    mentions: WordCoverage | None = None

    @classmethod
    def fit(
        cls,
        texts: Sequence[str],
        codes: Sequence[Iterable[str]] | CarriedLabels,
        labels: Sequence[str],
        system=None,
        mentions: Sequence | None = None,
        groups=None,
        min_groups: int = 1,
        annotated: bool | None = None,
    ) -> "Lexicon":
        """Learns the names of labels from a code system and training notes.

        Args:
            texts: n training notes.
            codes: The codes of each; those that are no label are left out. Or `CarriedLabels`, where notes tell of
                some labels only.
            labels: The m labels.
            system: The `CodeSystem` of the labels, for titles and synonyms. Defaults to None: neither.
            mentions: For each note the pairs `(code, text)` of its annotated mentions, None where not annotated;
                as `Notes.mentions`. Defaults to None: no such channels.
            groups: The group of each note, such as `Notes.groups`. Defaults to None: each its own.
            min_groups: Least number of groups of notes that an annotated mention is in; for phrases at least 2.
                Defaults to 1.
            annotated: Whether there are channels of mentions, be they empty. Defaults to None: where there are
                mentions.

        Raises:
            InputError: If there is no note or no label, or the columns differ in length.
        """
        texts, labels = list(texts), tuple(labels)
        groups = np.arange(len(texts)) if groups is None else np.asarray(groups)
        _check(texts, codes, labels, mentions, groups)
        plain = [plain_text(text) for text in texts]
        place = {label: number for number, label in enumerate(labels)}
        carried = _carried(codes, labels)
        names = {} if system is None else names_in_system(labels, system)
        if _is_annotated(mentions) if annotated is None else annotated:
            names["mention_words"] = names_in_mentions(mentions or (), place, groups, min_groups)
        columns, idf = idf_of_names(plain, names.values())
        parts = {
            name: WordCoverage.from_names(pairs, columns, idf, len(labels)) for name, pairs in names.items()
        }
        if "mention_words" in parts:
            parts["mentions"] = parts["mention_words"].with_precision(plain, carried)
        parts["phrases"] = LearnedPhrases.fit(plain, carried, groups, max(2, min_groups))
        return cls(labels, columns, idf, **parts)

    @classmethod
    def out_of_fold(
        cls,
        texts,
        codes,
        labels,
        folds,
        system=None,
        mentions=None,
        groups=None,
        min_groups: int = 1,
        annotated: bool | None = None,
    ):
        """The features of training notes, each from a lexicon of the notes of all other folds.

        Args:
            texts, codes, labels, system, mentions, groups, min_groups, annotated: As in `fit`.
            folds: The fold of each note, `(n,)`, such as from `stratified_group_folds`.

        Returns:
            CSR `(n, channels * m)`, float32, as of `transform` of the lexicon of all notes; nothing of notes that
            tell of some labels only.

        Raises:
            InputError: As `fit`, or if there are fewer than two folds.

        Example:

        >>> texts, mentions = ["Dry cough.", "A dry cough.", "Fever."], [(("R05", "dry cough"),)] * 2 + [()]
        >>> own = Lexicon.out_of_fold(texts, [("R05",)] * 2 + [()], ("R05",), [0, 1, 0], mentions=mentions)
        >>> own.toarray()  # the precision of what one other note has, not that of both
        array([[0. , 1. , 0.5],
               [0. , 1. , 0.5],
               [0. , 0. , 0. ]], dtype=float32)
        """
        folds = np.asarray(folds)
        if len(folds) != len(texts) or len(np.unique(folds)) < 2:
            raise InputError("the lexicon needs a fold for each note, and at least two folds")
        groups = np.arange(len(texts)) if groups is None else np.asarray(groups)
        annotated = _is_annotated(mentions) if annotated is None else annotated
        channels = _channels(system is not None, annotated)
        carried = _carried(codes, labels)
        unread = np.flatnonzero(carried.partial)
        rows = [sparse.csr_matrix((len(unread), len(channels) * len(labels)), dtype=np.float32)]
        order = [unread]
        for fold in np.unique(folds):
            inside = np.flatnonzero((folds == fold) & ~carried.partial)
            outside = np.flatnonzero(folds != fold)
            lexicon = cls.fit(
                [texts[note] for note in outside],
                carried.select(outside),
                labels,
                system,
                None if mentions is None else [mentions[note] for note in outside],
                groups[outside],
                min_groups,
                annotated,
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
        return tuple(name for name in _CHANNELS if getattr(self, name) is not None)

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
        absent = sparse.csr_matrix((len(texts), len(self.labels)), dtype=np.float32)
        parts = [getattr(self, name) for name in channels]
        blocks = [absent if part is None else part.transform(plain) for part in parts]
        return sparse.hstack(blocks, format="csr", dtype=np.float32)

    def evidence(self, text: str, label: str) -> list[tuple[int, int, float]]:
        """The words of a note that speak most for a label.

        Args:
            text: The note.
            label: One of the labels.

        Returns:
            Spans `(start, stop, weight)` in characters, in the order of the text, of the channel with the highest
            value: the words of the best sentence or clause, weighted by their shares in the value, or every place
            of the best phrase, weighted by the value. Empty where no channel has a value.

        Raises:
            InputError: If the label is none of the lexicon's.
        """
        if label not in self._place:
            raise InputError(f"{shown_code(label)} is none of the {len(self.labels)} labels of the lexicon")
        number, plain = self._place[label], plain_text(text)
        evidence = (getattr(self, name).evidence(plain, number) for name in self.channels)
        return max(evidence, key=lambda part: part[0])[1]

    @cached_property
    def _place(self) -> dict[str, int]:
        return {label: number for number, label in enumerate(self.labels)}

    def to_dict(self) -> dict:
        """The lexicon, as JSON can hold it: with phrases of training notes in plain text."""
        state = {"labels": list(self.labels), "words": list(self.columns), "idf": self.idf.tolist()}
        return state | {name: getattr(self, name).to_dict() for name in self.channels}

    @classmethod
    def from_dict(cls, told: Mapping) -> "Lexicon":
        """The lexicon that `to_dict` gave.

        Raises:
            ValueError: If the parts do not fit each other, or a number is not finite.
        """
        labels, idf = tuple(told["labels"]), np.asarray(told["idf"], np.float64)
        columns = {word: column for column, word in enumerate(checked_words(told["words"]))}
        if idf.shape != (len(columns),) or not np.isfinite(idf).all():
            raise ValueError("the words need one finite idf each")
        parts = {
            name: WordCoverage.from_dict(told[name], columns, idf, len(labels))
            for name in _NAMED
            if name in told
        }
        parts["phrases"] = LearnedPhrases.from_dict(told["phrases"], len(labels))
        return cls(labels, columns, idf, **parts)


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


def _is_annotated(mentions) -> bool:
    return mentions is not None and any(mentions)


def _channels(named: bool, annotated: bool) -> tuple[str, ...]:
    there = {
        "titles": named,
        "synonyms": named,
        "phrases": True,
        "mention_words": annotated,
        "mentions": annotated,
    }
    return tuple(name for name in _CHANNELS if there[name])


def _carried(codes, labels: Sequence[str]) -> CarriedLabels:
    return codes if isinstance(codes, CarriedLabels) else CarriedLabels.of(codes, labels)
