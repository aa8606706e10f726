"""Phrases that tell a code, and how often they do so in the training notes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from icd_relevancy.text.plain_words import PlainText
from icd_relevancy.text.word_coverage import best_of_label

LONGEST_LEARNED = 3
LEAST_PRECISION = 0.2
_LABELS_AT_ONCE = 512
_END = ""


@dataclass(frozen=True, eq=False, repr=False)
class PhrasePrecision:
    """Phrases as runs of words within a sentence, and their precision for labels.

    Attributes:
        phrases: The phrases, each a tuple of words.
        links: The precision of each for the labels, CSR `(phrases, m)`.
    """

    phrases: tuple[tuple[str, ...], ...]
    links: sparse.csr_matrix

    @classmethod
    def of_mentions(
        cls, texts: Sequence[PlainText], labels: sparse.csr_matrix, named: Iterable[tuple[int, Sequence[str]]]
    ) -> "PhrasePrecision":
        """Annotated phrases; the precision is `carrying / (notes + 1)`, of the notes that have the phrase.

        Args:
            texts: The training notes.
            labels: Their labels, `(n, m)`, 0 and 1.
            named: Pairs of a label's number and the words of a phrase that names it; only these are linked.
        """
        pairs = sorted({(tuple(words), label) for label, words in named if words})
        numbers = {
            phrase: number for number, phrase in enumerate(dict.fromkeys(phrase for phrase, _ in pairs))
        }
        empty = sparse.csr_matrix((len(numbers), labels.shape[1]), dtype=np.float32)
        table = cls(tuple(numbers), empty)
        found = table.found_in(texts)
        carrying = sparse.csr_matrix(found.T @ labels)
        rows = np.array([numbers[phrase] for phrase, _ in pairs], np.int64)
        columns = np.array([label for _, label in pairs], np.int64)
        asked = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=carrying.shape)
        return cls(table.phrases, _precision(asked.multiply(carrying), found, 0))

    @classmethod
    def learned(
        cls, texts: Sequence[PlainText], labels: sparse.csr_matrix, groups: np.ndarray, min_groups: int
    ) -> "PhrasePrecision":
        """Runs of one to three words that go with a label in the training notes.

        The precision is `(carrying - 1) / (notes + 1)`, as a run that was looked for is there once by chance. It
        is kept from 0.2 on, and where no part of the run has as high a one.

        Args:
            texts: The training notes.
            labels: Their labels, `(n, m)`, 0 and 1.
            groups: The group of each note, `(n,)`.
            min_groups: Least number of groups with the run, at least 2.
        """
        words = {word for text in texts for word in text.words}
        numbers = {word: number for number, word in enumerate(sorted(words))}
        names, runs = list(numbers), _Runs.words(texts, numbers)
        phrases, links, best = [], [], None
        for _ in range(LONGEST_LEARNED):
            runs = runs.frequent(groups, min_groups)
            if not runs.examples.size:
                break
            own = _linked(runs.found, labels)
            parts = None if best is None else best[runs.heads].maximum(best[runs.tails])
            kept = own if parts is None else own.multiply(own > parts).tocsr()
            best = own if parts is None else own.maximum(parts)
            used = np.flatnonzero(np.diff(kept.indptr))
            for place in runs.examples[used]:
                phrases.append(tuple(names[word] for word in runs.tokens[place : place + runs.length]))
            links.append(kept[used])
            runs = runs.longer()
        empty = sparse.csr_matrix((0, labels.shape[1]), dtype=np.float32)
        return cls(tuple(phrases), sparse.vstack([empty, *links], format="csr", dtype=np.float32))

    def occurrences(self, text: PlainText) -> list[tuple[int, int, int]]:
        """Where the phrases stand: number of the phrase, first word, word after the last."""
        found, words, sentences = [], text.words, text.sentences
        for start in range(len(words)):
            node, stop = self._tree, start
            while stop < len(words) and sentences[stop] == sentences[start]:
                node = node.get(words[stop])
                if node is None:
                    break
                stop += 1
                if _END in node:
                    found.append((node[_END], start, stop))
        return found

    def found_in(self, texts: Sequence[PlainText]) -> sparse.csr_matrix:
        """Which phrases stand in which text, 0 and 1, `(n, phrases)`, float32."""
        numbers = [sorted({number for number, _, _ in self.occurrences(text)}) for text in texts]
        pointers = np.cumsum([0, *map(len, numbers)])
        columns = np.array([number for row in numbers for number in row], np.int64)
        shape = (len(texts), len(self.phrases))
        return sparse.csr_matrix((np.ones(len(columns), np.float32), columns, pointers), shape=shape)

    def transform(self, texts: Sequence[PlainText]) -> sparse.csr_matrix:
        """For each label the precision of the best of its phrases that stand in the text, CSR `(n, m)`, float32."""
        return best_of_label(self.found_in(texts), self.links)

    @cached_property
    def _tree(self) -> dict:
        """Phrases by their first word, those by their second and so on; at its end a phrase's number."""
        tree = {}
        for number, phrase in enumerate(self.phrases):
            node = tree
            for word in phrase:
                node = node.setdefault(word, {})
            node[_END] = number
        return tree


def _precision(carrying: sparse.csr_matrix, found: sparse.csr_matrix, by_chance: int) -> sparse.csr_matrix:
    carrying = sparse.coo_matrix(carrying)
    notes = np.asarray(found.sum(axis=0)).ravel()
    values = (carrying.data - by_chance) / (notes[carrying.row] + 1)
    return sparse.csr_matrix((values.astype(np.float32), (carrying.row, carrying.col)), shape=carrying.shape)


def _linked(found: sparse.csr_matrix, labels: sparse.csr_matrix) -> sparse.csr_matrix:
    """The precisions that are kept, a block of labels at a time: most runs are in some note with most labels."""
    blocks = []
    for start in range(0, labels.shape[1], _LABELS_AT_ONCE):
        block = _precision(found.T @ labels[:, start : start + _LABELS_AT_ONCE], found, 1)
        block.data[block.data < LEAST_PRECISION] = 0
        block.eliminate_zeros()
        blocks.append(block)
    return sparse.hstack(blocks, format="csr")


@dataclass(frozen=True, eq=False)
class _Runs:
    """All runs of a length within the sentences of texts.

    Attributes:
        tokens: The words of all texts, by number.
        room: For each place how many words of its sentence stand there or later.
        note_of: The text that each place is of.
        length: Words in a run.
        run_at: Number of the run that begins at each place, -1 for none.
        found: Which runs stand in which text, CSR `(n, runs)`.
        examples: A place of each run.
        heads, tails: The runs of a word less that each run begins and ends with; empty for single words.
    """

    tokens: np.ndarray
    room: np.ndarray
    note_of: np.ndarray
    length: int
    run_at: np.ndarray
    found: sparse.csr_matrix
    examples: np.ndarray
    heads: np.ndarray
    tails: np.ndarray

    @classmethod
    def words(cls, texts: Sequence[PlainText], numbers: dict[str, int]) -> "_Runs":
        tokens = np.array([numbers[word] for text in texts for word in text.words], np.int64)
        sizes = [stop - start for text in texts for start, stop in text.by_sentence()]
        room = np.concatenate([np.arange(size, 0, -1) for size in sizes] or [np.zeros(0, np.int64)])
        note_of = np.repeat(np.arange(len(texts)), [len(text.words) for text in texts])
        return cls._numbered(tokens, room, note_of, 1, tokens, len(texts), None)

    @classmethod
    def _numbered(
        cls, tokens, room, note_of, length, keys, texts: int, shorter: np.ndarray | None
    ) -> "_Runs":
        """Runs that are the same where their keys are the same, and not there where the key is -1."""
        at = np.flatnonzero(keys >= 0)
        _, first, numbers = np.unique(keys[at], return_index=True, return_inverse=True)
        run_at = np.full(len(keys), -1, np.int64)
        run_at[at] = numbers
        cells = np.unique(note_of[at] * max(len(first), 1) + numbers)
        rows, columns = np.divmod(cells, max(len(first), 1))
        found = sparse.csr_matrix(
            (np.ones(len(cells), np.float32), (rows, columns)), shape=(texts, len(first))
        )
        examples = at[first]
        parts = (
            (examples[:0], examples[:0]) if shorter is None else (shorter[examples], shorter[examples + 1])
        )
        return cls(tokens, room, note_of, length, run_at, found, examples, *parts)

    def frequent(self, groups: np.ndarray, min_groups: int) -> "_Runs":
        """The runs that stand in so many groups of texts."""
        group = np.unique(groups, return_inverse=True)[1]
        of_group = sparse.csr_matrix((np.ones(len(group), np.float32), (group, np.arange(len(group)))))
        kept = np.flatnonzero(np.asarray((of_group @ self.found > 0).sum(axis=0)).ravel() >= min_groups)
        renumbered = np.full(len(self.examples) + 1, -1, np.int64)
        renumbered[kept] = np.arange(len(kept))
        parts = (self.heads[kept], self.tails[kept]) if self.length > 1 else (self.heads, self.tails)
        run_at = renumbered[self.run_at]
        return _Runs(
            self.tokens,
            self.room,
            self.note_of,
            self.length,
            run_at,
            self.found[:, kept],
            self.examples[kept],
            *parts,
        )

    def longer(self) -> "_Runs":
        """The runs of a word more of which both parts are here."""
        tail = np.append(self.run_at[1:], -1)
        whole = (self.run_at >= 0) & (tail >= 0) & (self.room > self.length)
        keys = np.where(whole, self.run_at * max(len(self.examples), 1) + tail, -1)
        texts = self.found.shape[0]
        return self._numbered(self.tokens, self.room, self.note_of, self.length + 1, keys, texts, self.run_at)
